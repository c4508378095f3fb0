//! What is reported of tasks.

use super::*;

#[tokio::test]
async fn a_play_is_reported_task_by_task() {
    let host = Host::with_tasks(
        "- name: first\n  ansible.builtin.debug: {msg: hi}\n\
         - name: second\n  ansible.builtin.copy: {content: x, dest: \"{{ out }}\"}\n\
         - name: third\n  ansible.builtin.command: 'false'\n  ignore_errors: true\n\
         - name: fourth\n  ansible.builtin.debug: {msg: hi}\n  when: false\n",
    );
    let mut host = host;
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    let mut seen = Vec::new();
    let result = host.run_until(&mut |event| seen.push(event), pending()).await;
    assert_eq!(result.failure, None);
    assert_eq!(result.engine, "ansible");
    use TaskOutcome::{Changed, Ignored, Ok, Skipped};
    assert_eq!(
        outcomes(&result.tasks),
        [("first", Ok), ("second", Changed), ("third", Ignored), ("fourth", Skipped)]
    );
    assert_eq!(result.tasks[1].action, "ansible.builtin.copy");
    assert!(result.tasks.iter().all(|task| task.duration_ms > 0.0));
    assert!(seen.contains(&Progress::Play("a play".to_owned())));
    assert!(seen.contains(&Progress::Started("second".to_owned())));
    assert!(seen.contains(&Progress::Ended(result.tasks[3].clone())));
}

#[tokio::test]
async fn a_failed_task_is_named_with_its_message() {
    let host = Host::with_tasks(
        "- name: one\n  ansible.builtin.debug: {msg: 1}\n\
         - name: two\n  ansible.builtin.debug: {msg: 2}\n\
         - name: three\n  ansible.builtin.fail: {msg: the disk is not there}\n\
         - name: four\n  ansible.builtin.debug: {msg: 4}\n",
    );
    let result = host.run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("three"));
    assert!(failure.message.contains("the disk is not there"), "{}", failure.message);
    assert_eq!(failure.chain[0], "ansible-playbook ended with exit status: 2");
    assert_eq!(result.tasks.len(), 3);
    assert_eq!(result.tasks[2].outcome, TaskOutcome::Failed);
}

#[tokio::test]
async fn a_failure_that_is_rescued_and_raised_again_keeps_its_name() {
    let block = |raise: &str| {
        Host::with_tasks(&format!(
            "- block:\n\
             \x20   - name: the cause\n      ansible.builtin.command: /bin/sh -c 'echo broken >&2; exit 3'\n\
             \x20 rescue:\n\
             \x20   - name: notify\n      ansible.builtin.debug: {{msg: oh}}\n\
             {raise}"
        ))
    };
    let result = block("    - name: raise\n      ansible.builtin.fail: {msg: again}\n").run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("the cause"));
    assert!(failure.message.contains("broken"), "{}", failure.message);

    let result = block("").run().await;
    assert_eq!(result.failure, None);
    assert_eq!(result.tasks[0].outcome, TaskOutcome::Ignored);
}

#[tokio::test]
async fn the_failed_items_of_a_loop_are_named() {
    let host = Host::with_tasks(
        "- name: loop\n  ansible.builtin.command: 'test {{ item }} != b'\n  loop: [a, b]\n",
    );
    let failure = host.run().await.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("loop"));
    assert!(failure.message.starts_with("item b: "), "{}", failure.message);
}

#[tokio::test]
async fn what_no_log_hides_stays_hidden() {
    let tasks = "- name: quiet\n  ansible.builtin.command: /bin/sh -c 'echo tell-tale >&2; exit 1'\n  \
                 no_log: true\n";
    let looped = tasks.replace("no_log", "loop: [tell-tale]\n  no_log");
    for tasks in [tasks.to_owned(), looped] {
        let result = Host::with_tasks(&tasks).run().await;
        let failure = result.failure.unwrap();
        assert_eq!(failure.task.as_deref(), Some("quiet"));
        assert_eq!(failure.message, "hidden by no_log");
        assert!(!format!("{failure:?} {:?}", result.tasks).contains("tell-tale"));
    }
}

#[tokio::test]
async fn what_ends_before_any_task_says_why() {
    let failure = Host::new("- hosts: all\n  tasks: [\n").run().await.failure.unwrap();
    assert_eq!(failure.task, None);
    assert!(failure.message.contains("exit status: 4"), "{failure:?}");
    assert!(failure.chain.join("\n").to_lowercase().contains("yaml"), "{failure:?}");

    let failure = Host::with_tasks("- no_such_module: {}\n").run().await.failure.unwrap();
    assert!(failure.message.contains("no_such_module"), "{failure:?}");

    let failure =
        Host::with_tasks("").set("entry", json!("other.yml")).run().await.failure.unwrap();
    assert!(failure.message.contains("failed to find the entry 'other.yml'"), "{failure:?}");

    let missing = Host::with_tasks("").set("ansible_playbook", json!("/no/such/ansible"));
    let failure = missing.run().await.failure.unwrap();
    assert!(failure.message.contains("'/no/such/ansible', names no program"), "{failure:?}");

    let other = Host::new("- hosts: web\n  tasks:\n    - ansible.builtin.debug: {}\n");
    let failure = other.run().await.failure.unwrap();
    assert!(failure.message.contains("no task ran"), "{failure:?}");
}

#[tokio::test]
async fn tags_choose_the_tasks_and_a_plan_changes_nothing() {
    let mut host = Host::with_tasks(
        "- {name: bake, tags: installation, ansible.builtin.debug: {}}\n\
         - {name: boot, tags: configuration, ansible.builtin.copy: {content: x, dest: \"{{ out }}\"}}\n",
    )
    .set("tags", json!(["configuration"]));
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    host.check = true;
    let result = host.run().await;
    assert_eq!(outcomes(&result.tasks), [("boot", TaskOutcome::Changed)]);
    assert!(!host.path("out").exists());
    host.check = false;
    host.run().await;
    assert!(host.path("out").exists());
}
