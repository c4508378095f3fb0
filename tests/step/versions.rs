//! Which Ansible is run: recent enough, whole, and told by its version.

use super::*;

/// A program in the place of `ansible-playbook`.
fn pretender(host: Host, text: &str) -> Host {
    let path = host.path("venv/bin/ansible-playbook");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    host.set("ansible_playbook", json!(path))
}

#[tokio::test]
async fn the_version_is_told_by_the_play_itself() {
    let shown = Command::new(ansible()).arg("--version").env("LC_ALL", "C.UTF-8").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let version = shown.lines().next().unwrap().split("[core ").nth(1).unwrap();
    let version = version.split(']').next().unwrap();
    for tasks in ["- ansible.builtin.debug: {}\n", "- ansible.builtin.fail: {}\n"] {
        let result = Host::with_tasks(tasks).run().await;
        assert_eq!(result.ansible.as_deref(), Some(version));
    }
}

#[tokio::test]
async fn an_ansible_that_is_too_old_is_named_with_its_version() {
    // It loads the plugin, which refuses; the first play never begins.
    let tells = "#!/bin/sh\necho '{\"event\":\"begin\",\"ansible\":\"2.13.9\"}' > /proc/self/fd/$GILD_EVENTS_FD\n\
                 echo 'ansible-core 2.13.9 is too old for gild' >&2\nexit 1\n";
    // It cannot load the plugin, and then fails.
    let asked = "#!/bin/sh\nif test \"$1\" = --version; then echo 'ansible-playbook 2.9.27'; exit 0; fi\n\
                 echo 'ERROR! no module: ansible.builtin.debug' >&2\nexit 2\n";
    for (text, version) in [(tells, "2.13.9"), (asked, "2.9.27")] {
        let host = pretender(Host::with_tasks("").set("retries", json!(2)), text);
        let result = host.run().await;
        let failure = result.failure.unwrap();
        let program = host.path("venv/bin/ansible-playbook");
        let expected = format!(
            "ansible-core {version} ('{}') is too old: gild needs 2.14 or newer",
            program.display()
        );
        assert_eq!(failure.message, expected);
        assert!(failure.chain.len() > 1, "what it said itself is kept: {failure:?}");
        assert_eq!(result.attempts.len(), 1, "{:#?}", result.attempts);
    }
}

#[tokio::test]
async fn what_fails_for_another_reason_keeps_its_reason() {
    let text = "#!/bin/sh\nif test \"$1\" = --version; then echo 'ansible-playbook [core 2.19.1]'; exit 0; fi\n\
                echo 'ERROR! something else' >&2\nexit 2\n";
    let result = pretender(Host::with_tasks(""), text).run().await;
    let failure = result.failure.unwrap();
    assert!(failure.message.ends_with("ERROR! something else"), "{failure:?}");
    assert_eq!(result.ansible.as_deref(), Some("2.19.1"));
}

#[tokio::test]
async fn a_virtual_environment_may_be_named_and_a_broken_one_is_told() {
    let environment = ansible().parent().unwrap().parent().unwrap().to_owned();
    let host = Host::with_tasks("- ansible.builtin.debug: {}\n");
    let host = host.set("ansible_playbook", json!(environment));
    assert_eq!(host.run().await.failure, None);

    let host = pretender(Host::with_tasks(""), "#!/no/such/python3\n");
    let failure = host.run().await.failure.unwrap();
    assert!(failure.message.contains("the Python that its first line names"), "{failure:?}");
}
