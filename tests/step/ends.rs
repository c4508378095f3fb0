//! How a step ends that does not end by itself.

use super::*;

#[tokio::test]
async fn the_deadline_ends_all_that_came_from_the_step() {
    // One that ends when asked, one that does not, one that has left the session.
    let host = Host::with_tasks(
        "- name: quick\n  ansible.builtin.debug: {msg: 1}\n\
         - name: slow\n  ansible.builtin.shell: |\n\
         \x20   setsid sleep {{ mark }} &\n\
         \x20   trap '' TERM\n\
         \x20   sh -c \"trap '' TERM; sleep {{ mark }}; sleep {{ mark }}\"\n",
    )
    .set("timeout", json!("8s"));
    let mut host = host;
    let mark = format!("31{:07}", std::process::id() % 10_000_000);
    host.vars.insert("mark".to_owned(), json!(mark));
    let begun = Instant::now();
    let mut during = Vec::new();
    let result = host
        .run_until(
            &mut |event| {
                if event == Progress::Started("slow".to_owned()) {
                    during.push(begun.elapsed());
                }
            },
            pending(),
        )
        .await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("slow"));
    assert_eq!(failure.message, "it did not end within 8s and was killed");
    assert_eq!(during.len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(running(&format!("sleep {mark}")), Vec::<String>::new());
}

#[tokio::test]
async fn being_told_to_stop_ends_the_step() {
    let host = Host::with_tasks("- name: slow\n  ansible.builtin.command: sleep 6543.25\n");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let result = host
        .run_until(
            &mut |event| {
                if event == Progress::Started("slow".to_owned()) {
                    stop.take().unwrap().send(()).unwrap();
                }
            },
            async {
                stopped.await.unwrap();
            },
        )
        .await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.message, "interrupted: gild was told to stop");
    assert_eq!(failure.task.as_deref(), Some("slow"));
    assert_eq!(running("sleep 6543.25"), Vec::<String>::new());
}
