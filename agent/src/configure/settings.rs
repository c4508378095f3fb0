//! What can be configured about the configuration step.

use std::time::Duration;

use super::playbook::signature::TrustedKey;
use super::values::{PlaybookAddress, Sha256Text, Verbosity, Word, Words};
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
        verbosity: u16 as Verbosity = 0;
        /// How long the step may take; then its whole process group is killed.
        timeout: Duration = "15m";
        /// The password of Ansible Vault, as a reference.
        vault_password: Option<SecretRef>;
        /// Instead of Ansible: a program and its arguments. No shell is involved. An
        /// argument that is exactly "{vars.KEY}" becomes that value.
        exec: Vec<String> = [];
        /// Where ansible-playbook is. Empty: /deployment/ansibleenv/bin, then PATH.
        ansible_playbook: String = "";
    }
}
