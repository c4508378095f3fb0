//! Files that are encrypted for Ansible Vault.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::fakes::tool::tool;

/// Encrypts as the authors of a playbook do; the password's file stays on the host.
pub(crate) fn encrypt(plain: &str, password: &str) -> String {
    let playbook = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(password.as_bytes()).unwrap();
    let mut vault = Command::new(playbook.with_file_name("ansible-vault"))
        .args(["encrypt", "--output", "-", "--vault-password-file"])
        .arg(file.path())
        .arg("-")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ansible-vault is beside ansible-playbook");
    vault.stdin.take().unwrap().write_all(plain.as_bytes()).unwrap();
    let output = vault.wait_with_output().unwrap();
    let encrypted = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && encrypted.starts_with("$ANSIBLE_VAULT;"),
        "ansible-vault: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    encrypted
}
