//! A command as the engine.

use super::*;

pub(super) fn script(host: &Host, text: &str) {
    host.file("playbook/apply", text);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(host.path("playbook/apply"), mode).unwrap();
}

#[tokio::test]
async fn a_command_gets_the_configuration_as_json() {
    let mut host = Host::new("").set("exec", json!(["./apply", "a b", "$(x)"]));
    script(&host, "#!/bin/sh\ncp \"$GILD_VARS\" vars.json\nprintf '%s|' \"$@\" > args\n");
    host.vars.insert("text".to_owned(), json!("{{ x }}\n\"y\""));
    let result = host.run().await;
    assert_eq!(result.failure, None);
    assert_eq!(result.engine, "exec");
    assert_eq!(outcomes(&result.tasks), [("apply", TaskOutcome::Changed)]);
    assert_eq!(fs::read_to_string(host.path("playbook/args")).unwrap(), "a b|$(x)|");
    let vars: Value =
        serde_json::from_slice(&fs::read(host.path("playbook/vars.json")).unwrap()).unwrap();
    assert_eq!(vars["text"], json!("{{ x }}\n\"y\""));
    assert_eq!(vars["gild"]["instance_id"], json!("i-0123"));
}

#[tokio::test]
async fn a_command_that_fails_shows_its_last_lines_without_secrets() {
    let host = Host::new("").set("exec", json!(["./apply"]));
    script(&host, "#!/bin/sh\necho trying hunter22 >&2\necho no way >&2\nexit 7\n");
    host.redactor.add("hunter22");
    let result = host.run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("apply"));
    assert_eq!(failure.message, "apply ended with exit status: 7: no way");
    assert!(result.tasks[0].message.as_ref().unwrap().contains("trying ‹secret›"));
}

#[tokio::test]
async fn a_command_may_leave_a_process_behind_unless_it_is_killed() {
    for (end, timeout, left) in [("exit 0", "30s", 1), ("sleep 7654", "1s", 0)] {
        let host = Host::new("").set("exec", json!(["./apply"])).set("timeout", json!(timeout));
        let seconds = if left == 1 { "4321.5" } else { "4321.25" };
        script(&host, &format!("#!/bin/sh\nsetsid sleep {seconds} &\necho $! > pid\n{end}\n"));
        let begun = Instant::now();
        host.run().await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let alive = running(&format!("sleep {seconds}")).len();
        if alive > 0 {
            let id = fs::read_to_string(host.path("playbook/pid")).unwrap();
            Command::new("kill").arg(id.trim()).status().unwrap();
        }
        assert_eq!(alive, left);
    }
}

#[tokio::test]
async fn either_engine_serves_where_the_other_is_missing() {
    let host = Host::new("")
        .set("engine", json!("either"))
        .set("exec", json!(["./apply"]))
        .set("ansible_playbook", json!("/no/such/ansible"));
    script(&host, "#!/bin/sh\n");
    assert_eq!(host.run().await.engine, "exec");
    let host = Host::with_tasks("- ansible.builtin.debug: {}\n")
        .set("engine", json!("either"))
        .set("exec", json!(["./apply"]));
    assert_eq!(host.run().await.engine, "ansible");
    let host = Host::new("").set("engine", json!("exec"));
    let failure = host.run().await.failure.unwrap();
    assert!(failure.message.contains("names no program"), "{failure:?}");
}
