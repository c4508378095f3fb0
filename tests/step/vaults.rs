//! The password of Ansible Vault, which only the step may see.

use super::*;

/// A file encrypted with Ansible Vault.
fn vault(host: &Host, name: &str, password: &str, text: &str) {
    host.file("password", password);
    host.file(name, text);
    let done = Command::new(ansible().with_file_name("ansible-vault"))
        .arg("encrypt")
        .arg("--vault-password-file")
        .arg(host.path("password"))
        .arg(host.path(name))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::remove_file(host.path("password")).unwrap();
}

#[tokio::test]
async fn the_vault_password_opens_vaults_and_is_nowhere_to_be_found() {
    let mut host = Host::new(
        "- hosts: all\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks:\n\
         \x20   - ansible.builtin.include_vars: more.yml\n\
         \x20   - ansible.builtin.copy: {src: vaulted.txt, dest: \"{{ out }}.copied\"}\n\
         \x20   - ansible.builtin.copy: {content: \"{{ one }} {{ two }}\", dest: \"{{ out }}\"}\n\
         \x20   - ansible.builtin.wait_for: {path: \"{{ out }}.go\", sleep: 1, timeout: 30}\n",
    );
    let password = format!("pw-{:016x}", std::process::id().wrapping_mul(2_654_435_761));
    vault(&host, "playbook/secret.yml", &password, "one: 1st\n");
    vault(&host, "playbook/more.yml", &password, "two: 2nd\n");
    vault(&host, "playbook/vaulted.txt", &password, "copied");
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    host.password = Some(password.clone());

    let mut found = Vec::new();
    let result = {
        let mut look = |event: Progress| {
            if matches!(event, Progress::Started(name) if name.contains("wait_for")) {
                found = holders(&password, host.directory.path());
                fs::write(host.path("out.go"), "").unwrap();
            }
        };
        host.run_until(&mut look, pending()).await
    };
    assert_eq!(result.failure, None, "{:?}", result.tasks);
    assert_eq!(fs::read_to_string(host.path("out")).unwrap(), "1st 2nd");
    assert_eq!(fs::read_to_string(host.path("out.copied")).unwrap(), "copied");
    assert!(host.path("out.go").exists(), "nobody looked");
    assert_eq!(found, Vec::<PathBuf>::new());
}

/// Where a text stands: in files below a directory, or in what other processes
/// show of themselves.
fn holders(text: &str, directory: &Path) -> Vec<PathBuf> {
    let mut open = vec![directory.to_owned()];
    let mut files = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() { &mut open } else { &mut files }
                .push(entry.path());
        }
    }
    for process in fs::read_dir("/proc").unwrap().flatten() {
        files.extend(["cmdline", "environ"].map(|name| process.path().join(name)));
    }
    files
        .into_iter()
        .filter(|file| {
            let bytes = fs::read(file).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .collect()
}

#[tokio::test]
async fn a_wrong_vault_password_is_a_clear_failure() {
    let mut host =
        Host::new("- hosts: all\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks: []\n");
    vault(&host, "playbook/secret.yml", "right-password", "one: 1st\n");
    host.password = Some("wrong-password".to_owned());
    let failure = host.run().await.failure.unwrap();
    assert!(failure.chain.join(" ").contains("ecrypt"), "{failure:?}");
    assert!(!format!("{failure:?}").contains("wrong-password"));
}
