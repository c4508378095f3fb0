//! Boots that are killed: what is told of them, and by whom.

use super::*;

#[test]
fn a_boot_that_is_killed_is_told_of_once() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    let (step, begun) = waiting_step(&host);
    host.configured(&format!("{step}{}", discord(&chat, "deploy")));
    let mut boot = host.started(&["configure"]);
    wait_for("step", || begun.exists());
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 0, "it is at work");
    boot.0.kill().unwrap();
    boot.0.wait().unwrap();
    for _ in 0..2 {
        assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    }
    let posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1);
    let fields = posted[0].body["embeds"][0]["fields"].as_array().unwrap();
    let value = fields.last().unwrap()["value"].as_str().unwrap();
    assert!(value.contains("configure ended without a report; its last phase was"), "{value}");
    let step: i32 = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
    let _ = kill(Pid::from_raw(step), Signal::SIGKILL);

    // The next boot works, and is told of as a recovery.
    fs::write(host.path("wait.sh"), "#!/bin/sh\nexit 0\n").unwrap();
    assert_eq!(host.configure(&[]).0, Some(0));
    assert!(title(&chat.posted("deploy")[1].body).starts_with("READY again on "));
}

#[test]
fn a_kill_at_any_moment_is_told_and_the_next_boot_works() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    let (step, _) = waiting_step(&host);
    fs::write(host.path("wait.sh"), "#!/bin/sh\nexec sleep 0.2\n").unwrap();
    let running = daemon(&host);
    let newest = || spooled(&host).last().map(|last| last["message"]["event"].clone());
    let notifier = format!("{}most_per_hour = 100\n", discord(&chat, "deploy"));
    for moment in 0..12_u64 {
        host.configured(&format!("{step}{notifier}[vars]\nx = {moment}\n"));
        let mut boot = host.started(&["configure"]);
        std::thread::sleep(Duration::from_millis(moment * 35));
        boot.0.kill().unwrap();
        let killed = !boot.0.wait().unwrap().success();
        assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
        let event = newest().unwrap();
        // One that was killed when all was done has told so.
        let told = ["failed", "ready", "recovered"].contains(&event.as_str().unwrap());
        assert!(told && (killed || event != "failed"), "{moment}: {event}");
        assert_eq!(host.configure(&[]).0, Some(0), "{moment}: {}", host.report());
        assert_ne!(newest().unwrap(), "failed", "{moment}");
    }
    // What the killed ones had not sent, the daemon sends; and nothing twice, but
    // what arrived in the very moment of a kill.
    let settled = || {
        let notes = noted(&host);
        let all = spooled(&host);
        all.iter().all(|spooled| {
            let waits = spooled["to"]["deploy"]["fate"] == "waiting";
            !waits || notes.contains(spooled["id"].as_str().unwrap())
        })
    };
    wait_for("arrival", settled);
    let (told, spooled) = (chat.posted("deploy").len(), spooled(&host).len());
    assert!(told >= spooled && told <= spooled + 2, "{told} of {spooled}");
    drop(running);
}

#[test]
fn a_boot_that_is_killed_while_it_tells_leaves_its_message_to_the_daemon() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    chat.faults.next(&path("deploy"), 1, Fault::Hang);
    let mut boot = host.started(&["configure"]);
    wait_for("attempt", || chat.connections() == 1);
    // While it is at work the daemon leaves its message alone.
    let _daemon = daemon(&host);
    assert_eq!(chat.posted("deploy").len(), 0);
    boot.0.kill().unwrap();
    boot.0.wait().unwrap();
    assert_eq!(host.report()["outcome"], "ready");
    wait_for("message", || chat.posted("deploy").len() == 1);
    wait_for("note", || noted(&host).contains("delivered"));
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 1);
}

#[test]
fn a_boot_that_left_nothing_at_all_is_told_of() {
    let chat = Chat::start(loopback());
    let host = Host::new(&discord(&chat, "deploy"));
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    let posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1);
    let text = posted[0].body.to_string();
    assert!(text.contains("configure ended without a report"), "{text}");
    assert!(text.contains("i-0123456789abcdef0"), "{text}");
}
