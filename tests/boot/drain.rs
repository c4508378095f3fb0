//! The end of an instance: at a shutdown, at a reboot and at a spot notice, before the
//! network and the services go, in order, in time, and once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::check::{FLOW, STEP, now, status_json, target, wait_points, wait_status};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::world::World;

/// Outlives the machine's boots: what was done, a line each, in its order.
const ORDER: &str = "/var/lib/order";

/// Says a word and when, and asks the world's web server and the machine's own for it,
/// which works while the network and the services are up.
const SAY: &str = r#"set -eu
ask() { exec 3<>"/dev/tcp/127.0.0.1/$1"; printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3; cat <&3 >/dev/null; }
ask "$(cat /opt/port)" "/drained/$1"
ask 80 /health
echo "$1 $GILD_DRAIN $(date +%s)" >>/var/lib/order
"#;

const STEPS: &str = r#"
[lifecycle]
watch = false
[lifecycle.drain.late]
exec = ["/bin/bash", "/opt/say", "late"]
on = ["spot", "stop", "reboot"]
order = 60
[lifecycle.drain.hang]
exec = ["/bin/sleep", "600"]
timeout = "2s"
[lifecycle.drain.early]
exec = ["/bin/bash", "/opt/say", "early"]
order = 1
"#;

/// The webhook that is told.
const WEBHOOK: &str = "drain";

/// A unit that says when it is stopped. It stands for the machine's network, or for a
/// service that is enabled.
fn unit(word: &str, more: &str) -> String {
    format!(
        "[Unit]\n{more}\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n\
         ExecStop=/bin/sh -c 'echo {word} stopped $(date +%%s) >>{ORDER}'\n"
    )
}

/// A machine that is drained by these steps; the daemon sends once an hour.
fn drained(world: &World) -> Machine {
    let url = world.chat.webhook(WEBHOOK);
    let notify =
        format!("[notify.{WEBHOOK}]\ntype = \"discord\"\nurl = \"{url}\"\non = [\"drained\"]\n");
    let mut plan = Plan { image: format!("{STEPS}{notify}"), ..Plan::default() };
    let port = world.files.address().port();
    let early = "DefaultDependencies=no\nConflicts=shutdown.target\nBefore=shutdown.target";
    for (path, text) in [
        ("/opt/say", SAY.to_owned()),
        ("/opt/port", port.to_string()),
        ("/etc/gild/config.d/10-local.toml", "[sink.prometheus]\nflush = \"1h\"\n".to_owned()),
        (
            "/etc/systemd/system/net.service",
            unit("network", &format!("{early}\nBefore=network.target\nWants=network.target")),
        ),
        ("/etc/systemd/system/app.service", unit("app", "")),
        ("/etc/systemd/system/paths.target.d/10-test.conf", "[Unit]\nWants=net.service\n".into()),
        (
            "/etc/systemd/system/multi-user.target.d/10-test.conf",
            "[Unit]\nWants=app.service\n".into(),
        ),
    ] {
        plan.files.push((path.to_owned(), text));
    }
    let machine = boot(world, &plan);
    assert_eq!(target(&machine), "active", "{}", machine.story());
    wait_status(&machine, 0);
    for unit in ["net.service", "app.service", "gild-drain.service", "gild-drain.path"] {
        assert_eq!(machine.state_of(unit), "active", "{unit}");
    }
    machine
}

/// The words and their occasions so far.
fn order(machine: &Machine) -> Vec<String> {
    let text = machine.read(ORDER).unwrap_or_default();
    let words = |line: &str| line.rsplit_once(' ').unwrap_or_default().0.to_owned();
    text.lines().map(words).collect()
}

/// When the first line of this word was written.
fn at(machine: &Machine, word: &str) -> f64 {
    let text = machine.read(ORDER).unwrap();
    let line = text.lines().find(|line| line.starts_with(word)).unwrap();
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

fn record(machine: &Machine) -> Option<Value> {
    let text = machine.read("/run/gild/drain.json").ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The requests that the steps made.
fn asked(world: &World) -> Vec<String> {
    let paths = world.files.requests().into_iter().map(|asked| asked.path);
    paths.filter(|path| path.starts_with("/drained/")).collect()
}

/// The newest measurement that Prometheus has.
fn newest(world: &World) -> f64 {
    wait_points(world, "node_load1")[0].last().0
}

#[test]
fn a_reboot_and_a_power_off_run_their_steps_before_anything_goes() {
    let world = World::new(&instance());
    let mut machine = drained(&world);

    machine.reboot();
    assert_eq!(asked(&world), ["/drained/late"]);
    let mut found = order(&machine);
    found.sort();
    assert_eq!(found, ["app stopped", "late reboot", "network stopped"]);
    assert_eq!(order(&machine)[0], "late reboot");
    assert_eq!(record(&machine), None, "what was drained belongs to the boot before");
    machine.wait_configured(STEP);
    assert_eq!(target(&machine), "active");
    // Nothing has changed, so no step has started it.
    assert!(machine.exec(&["systemctl", "start", "nginx.service"]).status.success());

    // The first measurements go at once; what follows waits for the end of the hour.
    let sent = newest(&world);
    until("measurements that wait", FLOW, || {
        let queued = status_json(&machine)["sinks"]["prometheus"]["queued"].as_u64();
        if queued >= Some(3) { Ok(()) } else { Err(format!("{queued:?}")) }
    });
    let (start, begun) = (Instant::now(), now());
    machine.power_off();
    let took = start.elapsed();
    // One of the steps hangs for two seconds, and none of the limits is near.
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(30), "{took:?}");
    assert_eq!(asked(&world), ["/drained/late", "/drained/early", "/drained/late"]);
    let last = newest(&world);
    assert!(last > sent && last >= begun, "the last measurements are of {last}, not {begun}");

    machine.power_on();
    let found = order(&machine).split_off(3);
    assert_eq!(found[..2], ["early stop", "late stop"], "{found:?}");
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(last >= at(&machine, "late stop") - 1.5, "{last}");
}

#[test]
fn a_spot_notice_is_answered_at_once_and_once() {
    let world = World::new(&instance());
    let mut machine = drained(&world);
    let systemctl = |verb: &str, unit: &str| {
        let done = machine.exec(&["systemctl", verb, unit]);
        assert!(done.status.success(), "{done:?}");
    };
    let ask = |text: &str| {
        let write = format!(
            "echo '{text}' > /run/gild/daemon/.drain && mv -T /run/gild/daemon/.drain /run/gild/daemon/drain"
        );
        let user = ["setpriv", "--reuid=gild", "--regid=gild", "--clear-groups", "sh", "-c"];
        assert!(machine.exec(&[&user[..], &[write.as_str()]].concat()).status.success());
    };
    let taken = |what: &str| {
        until(what, FLOW, || match machine.path("/run/gild/daemon/drain").exists() {
            true => Err(machine.story()),
            false => Ok(()),
        });
    };

    // Whoever restarts the unit by hand drains nothing.
    systemctl("restart", "gild-drain.service");
    systemctl("stop", "gild-drain.service");
    systemctl("start", "gild-drain.service");
    assert_eq!((record(&machine), order(&machine)), (None, vec![]), "{}", machine.story());
    // Nor does a daemon that makes no sense.
    ask("{\"occasion\": \"reboot\", \"exec\": [\"/bin/false\"]}");
    taken("end of what makes no sense");
    assert_eq!((record(&machine), order(&machine)), (None, vec![]), "{}", machine.story());

    let start = Instant::now();
    ask("{\"occasion\": \"spot\", \"until\": \"2099-01-01T00:00:00Z\"}");
    let drained = until("end of the drain", FLOW, || match record(&machine) {
        Some(record) if record["ended_at"].is_string() => Ok(record),
        other => Err(format!("{other:?}\n{}", machine.story())),
    });
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    let steps = drained["steps"].as_array().unwrap();
    let outcomes: Vec<_> = steps.iter().map(|s| (&s["name"], &s["outcome"])).collect();
    let word = |word: &str| json!(word);
    let expected =
        [("early", "ok"), ("hang", "timed_out"), ("late", "ok")].map(|(a, b)| (word(a), word(b)));
    assert_eq!(outcomes, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>(), "{drained:#}");
    assert_eq!(order(&machine), ["early spot", "late spot"]);
    assert!(newest(&world) >= at(&machine, "late spot") - 1.5);
    taken("end of the request");
    let told = world.chat.posted(WEBHOOK);
    assert_eq!(told.len(), 1);
    assert!(told[0].body.to_string().contains("spot: 3 steps, 1 failed"), "{:?}", told[0].body);
    assert_eq!(status_json(&machine)["drain"], drained);

    // Again, and when the host goes down: it was drained.
    ask("{\"occasion\": \"spot\", \"until\": null}");
    taken("end of the second request");
    machine.power_off();
    assert_eq!(asked(&world), ["/drained/early", "/drained/late"]);
    assert_eq!(world.chat.posted(WEBHOOK).len(), 1);
    machine.power_on();
    let found = order(&machine);
    assert_eq!(found[..2], ["early spot", "late spot"], "{found:?}");
    assert_eq!(found.len(), 4, "{found:?}");
}
