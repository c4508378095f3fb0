//! A step that fails and is run again.

use gild::configure::Ended;
use gild::configure::attempt::AttemptOf;

use super::*;

/// A program that counts its runs in `runs`, and fails as long as there were fewer
/// than `enough`.
fn stubborn(host: &Host, enough: u32) {
    let text = format!(
        "#!/bin/sh\necho run >> runs\nn=$(wc -l < runs)\necho attempt $n\ntest $n -ge {enough}\n"
    );
    commands::script(host, &text);
}

fn runs(host: &Host) -> usize {
    fs::read_to_string(host.path("playbook/runs")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_failed_step_is_run_again_as_often_as_is_said_and_each_attempt_is_told() {
    for (retries, enough, expected, well) in
        [(0, 2, 1, false), (1, 2, 2, true), (2, 2, 2, true), (1, 3, 2, false)]
    {
        let host = Host::new("").set("exec", json!(["./apply"])).set("retries", json!(retries));
        stubborn(&host, enough);
        let result = host.run().await;
        assert_eq!(runs(&host), expected, "{retries} {enough}");
        assert_eq!(result.failure.is_none(), well, "{result:?}");
        assert_eq!(result.ended, if well { Ended::Well } else { Ended::Failed });
        // The tasks are those of the last attempt alone.
        assert_eq!(result.tasks.len(), 1);
        let failures: Vec<_> = result.attempts.iter().map(|attempt| &attempt.failure).collect();
        assert_eq!(failures.len(), expected);
        assert!(result.attempts.iter().all(|attempt| attempt.of == AttemptOf::Step));
        assert_eq!(*failures[expected - 1], result.failure);
        let first = failures[0].as_ref().unwrap();
        assert_eq!(first.task.as_deref(), Some("apply"));
        assert!(first.message.ends_with(": attempt 1"), "{}", first.message);
    }
}

#[tokio::test]
async fn a_failed_task_of_a_playbook_is_tried_again() {
    let mut host = Host::with_tasks(
        "- name: count\n  ansible.builtin.shell: echo run >> {{ out }}\n\
         - name: succeed at last\n  ansible.builtin.command: grep -c run {{ out }}\n  register: count\n  \
         failed_when: count.stdout != '2'\n",
    )
    .set("retries", json!(1));
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    let result = host.run().await;
    assert_eq!(result.failure, None, "{:?}", result.tasks);
    assert_eq!(result.attempts.len(), 2);
    let first = result.attempts[0].failure.as_ref().unwrap();
    assert_eq!(first.task.as_deref(), Some("succeed at last"));
    assert!(result.tasks.iter().all(|task| task.outcome == TaskOutcome::Changed));
}

#[tokio::test]
async fn what_would_fail_again_for_the_same_reason_is_not_tried_again() {
    let unusable = [
        Host::new("- hosts: all\n  tasks: [\n"),
        Host::with_tasks("").set("entry", json!("other.yml")),
        Host::with_tasks("").set("ansible_playbook", json!("/no/such/ansible")),
        Host::new("- hosts: web\n  tasks:\n    - ansible.builtin.debug: {}\n"),
    ];
    for host in unusable {
        let result = host.set("retries", json!(3)).run().await;
        assert!(result.failure.is_some());
        assert_eq!((result.ended, result.attempts.len()), (Ended::ForGood, 1), "{result:?}");
    }
    // A plan only looks.
    let mut host = Host::new("- hosts: all\n  gather_facts: false\n  tasks: [{fail: {}}]\n")
        .set("retries", json!(3));
    host.check = true;
    assert_eq!(host.run().await.attempts.len(), 1);
}

#[tokio::test]
async fn all_attempts_share_one_deadline() {
    let host = Host::new("")
        .set("exec", json!(["./apply"]))
        .set("retries", json!(5))
        .set("timeout", json!("6s"));
    // The second attempt hangs.
    commands::script(
        &host,
        "#!/bin/sh\nif test -e once; then exec sleep 3456.5; fi\n: > once\nexit 1\n",
    );
    let begun = Instant::now();
    let result = host.run().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(result.ended, Ended::ForGood);
    assert_eq!(result.attempts.len(), 2);
    let failure = result.failure.unwrap();
    assert_eq!(failure.message, "it did not end within 6s and was killed");
    assert_eq!(running("sleep 3456.5"), Vec::<String>::new());
}

#[tokio::test]
async fn being_told_to_stop_in_the_pause_ends_the_step() {
    let host = Host::new("").set("exec", json!(["./apply"])).set("retries", json!(5));
    stubborn(&host, 100);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let told = &mut |event| {
        if matches!(event, Progress::Ended(_)) {
            stop.take().unwrap().send(()).unwrap();
        }
    };
    let result = host.run_until(told, async { stopped.await.unwrap() }).await;
    assert_eq!(result.ended, Ended::Interrupted);
    assert_eq!(result.failure.unwrap().message, "interrupted: gild was told to stop");
    assert_eq!((runs(&host), result.attempts.len()), (1, 1));
}
