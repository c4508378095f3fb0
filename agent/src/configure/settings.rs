//! What can be configured about the configuration step.

use std::time::Duration;

use super::playbook::signature::TrustedKey;
use super::values::{PlaybookAddress, Sha256Text, UpTo, Word, Words};
use crate::config::SecretRef;
use crate::config::types::AccountId;

crate::choices! {
    /// What runs the step.
    Engine {
        /// A command where `exec` names one, Ansible otherwise.
        "auto" => Auto,
        /// Ansible.
        "ansible" => Ansible,
        /// The command that `exec` names.
        "exec" => Exec,
        /// Ansible where it is installed, the command where it is not.
        "either" => Either,
    }

    /// When the step runs.
    RunPolicy {
        /// Once in the life of an instance.
        "first-boot" => FirstBoot,
        /// At every boot.
        "every-boot" => EveryBoot,
        /// When the instance, the configuration or the playbook is another one
        /// than at the last success.
        "on-change" => OnChange,
        /// Never.
        "never" => Never,
    }

    /// What follows a step that failed.
    Rollback {
        /// Nothing.
        "none" => Nothing,
        /// The last good playbook and configuration are run once.
        "previous" => Previous,
    }

    /// What becomes of roles and collections that `requirements.yml` names and
    /// that are not there.
    Requirements {
        /// They are installed.
        "install" => Install,
        /// The step fails and names them.
        "require" => Require,
        /// Nothing looks for them.
        "ignore" => Ignore,
    }
}

crate::settings! {
    /// The configuration step.
    ConfigurationSettings {
        /// What runs the step: "auto" (a command where `exec` is set, Ansible
        /// otherwise), "ansible", "exec", or "either" (Ansible where it is installed,
        /// the command where it is not).
        engine: Engine = "auto";
        /// When it runs: "first-boot", "every-boot", "on-change" or "never".
        run: RunPolicy = "on-change";
        /// The playbook: a directory; "s3://bucket/prefix/", which holds it as objects;
        /// or one archive, "s3://…" or "https://…" that ends in ".tar.gz" or ".tar.zst".
        /// {account}, {region} and {az} are filled in, and nothing from a tag.
        playbook: String as PlaybookAddress = "/deployment/playbook";
        /// The SHA-256 of the archive, as hexadecimal digits.
        sha256: Option<Sha256Text>;
        /// Where the archive's signature by minisign is: a URL, or a file of this host.
        /// Without it: beside the archive, its name with ".minisig" after it.
        signature: Option<String>;
        /// The public keys of minisign that an archive must be signed with one of.
        /// Only the image and local layers may say.
        trusted_keys: Vec<TrustedKey> = [];
        /// Whether nothing is fetched and run but archives signed with a trusted key.
        /// Only the image and local layers may say.
        require_signature: bool = false;
        /// The account that the bucket must belong to, twelve digits. Without it: this
        /// instance's, where the bucket's name holds {account}.
        bucket_owner: Option<AccountId>;
        /// How long it may take to fetch and unpack the playbook.
        fetch_timeout: Duration = "2m";
        /// The playbook's file in that directory.
        entry: String = "main.yml";
        /// The tags to run.
        tags: Vec<String> as Words = ["configuration"];
        /// The tags to leave out.
        skip_tags: Vec<String> as Words = [];
        /// The hosts to run on, as Ansible's --limit. There is one: 127.0.0.1.
        limit: String as Word = "127.0.0.1";
        /// How much Ansible says in the log, from 0 to 4.
        verbosity: u16 as UpTo<4> = 0;
        /// How long the step may take, with all its attempts; then its whole process
        /// group is killed.
        timeout: Duration = "15m";
        /// How often a step is run again in which a task failed, from 0 to 5, after a
        /// short pause and within `timeout`.
        retries: u16 as UpTo<5> = 0;
        /// What follows a step that failed, its retries included: "none", or "previous",
        /// which runs the playbook and the configuration of this instance's last success
        /// once. The boot is then degraded, or failed where that fails too. A playbook that
        /// is a directory of this host is run as it is now.
        rollback: Rollback = "none";
        /// What becomes of roles and collections that the playbook's requirements.yml names
        /// and that are not on this host: "require" (the step fails and names them),
        /// "install" (ansible-galaxy fetches them into the playbook's directory, which
        /// must be one of this host), or "ignore".
        requirements: Requirements = "require";
        /// The password of Ansible Vault, as a reference.
        vault_password: Option<SecretRef>;
        /// Instead of Ansible: a program and its arguments. No shell is involved. An
        /// argument that is exactly "{vars.KEY}" becomes that value.
        exec: Vec<String> = [];
        /// Where ansible-playbook is: the program, or the virtual environment that holds
        /// it. Empty: /deployment/ansibleenv/bin, then PATH.
        ansible_playbook: String = "";
    }
}
