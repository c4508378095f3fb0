//! News of good boots that `configure` leaves to the daemon: nobody waits for them.

use super::*;

#[test]
fn nobody_who_waits_for_a_good_boot_waits_for_a_receiver() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    chat.faults.always(&path("deploy"), Fault::Hang);
    let running = daemon(&host);
    let begun = Instant::now();
    let (code, log) = stderr(&host, &["configure"]);
    // Less than one answer of a receiver may take.
    assert!(code == Some(0) && begun.elapsed() < Duration::from_secs(8), "{log}");
    assert!(log.contains("the daemon tells what came of this boot"), "{log}");
    let report = host.report();
    let last = report["phases"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["outcome"]), (&"notify".into(), &"ok".into()), "{report}");
    let message = &spooled(&host)[0];
    assert_eq!(
        (&message["to"]["deploy"]["fate"], &message["by"]),
        (&"waiting".into(), &Value::Null)
    );

    // The daemon tells it, without being asked again, and shows that it has.
    wait_for("attempt", || chat.connections() == 1);
    let notify = || host.ask(http::Method::GET, "/v1/status")["notify"]["deploy"].clone();
    assert_eq!((&notify()["waiting"], &notify()["delivered"]), (&1.into(), &0.into()));
    assert!(host.status().1.contains("\nnotify  waiting  delivered"), "{}", host.status().1);
    drop(running);
    chat.faults.clear();
    let _second = daemon(&host);
    wait_for("message", || chat.posted("deploy").len() == 1);
    wait_for("note", || noted(&host).contains("delivered"));
    wait_for("tally", || notify()["delivered"] == 1 && notify()["waiting"] == 0);
    assert!(notify()["last_success"].is_string() && notify()["last_error"].is_null());
    assert!(!host.status().1.contains("\nnotify "), "{}", host.status().1);

    // A boot that fails tells by itself, daemon or not.
    host.configured(&format!("[configuration]\nexec = [\"/none\"]\n{}", discord(&chat, "deploy")));
    assert_eq!(host.configure(&[]).0, Some(1));
    assert_eq!(spooled(&host)[1]["to"]["deploy"]["fate"], "delivered");
    assert_eq!(chat.posted("deploy").len(), 2);
}

#[test]
fn a_socket_that_nobody_serves_is_no_daemon() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    // As systemd listens for a daemon that does not come up.
    let _listener =
        std::os::unix::net::UnixListener::bind(host.path("run/gild/status.sock")).unwrap();
    assert_eq!(host.configure(&[]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 1);
    assert_eq!(spooled(&host)[0]["to"]["deploy"]["fate"], "delivered");
}
