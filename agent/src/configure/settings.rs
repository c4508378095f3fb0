//! What can be configured about the configuration step.

use std::time::Duration;

use crate::config::SecretRef;

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
        /// The directory that holds the playbook.
        playbook: String = "/deployment/playbook";
        /// The playbook's file in that directory.
        entry: String = "main.yml";
        /// The tags to run.
        tags: Vec<String> = ["configuration"];
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
