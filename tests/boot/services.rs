//! Services that do not do well although systemd goes on starting them: one in a crash loop,
//! one that the kernel kills for want of memory, a oneshot and a timer.

use serde_json::Value;

use crate::check::{FLOW, now, status_json, target, wait_points};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::world::World;

const LOOP: &str = "[Unit]\nStartLimitIntervalSec=0\n\
    [Service]\nExecStart=/bin/sh -c 'sleep 1; exit 7'\nRestart=always\nRestartSec=1s\n";

/// Takes three times what it may, and no more where nobody holds it to that.
const HUNGRY: &str = "[Unit]\nStartLimitIntervalSec=0\n\
    [Service]\nExecStart=/bin/sh -c 'x=$$(head -c 60000000 /dev/zero | tr \"\\\\0\" a); sleep 600'\n\
    MemoryAccounting=yes\nMemoryMax=20M\nMemorySwapMax=0\nRestart=always\nRestartSec=1s\n";

const ONCE: &str = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'test ! -e /srv/broken'\n";

const TIMER: &str =
    "[Timer]\nOnActiveSec=1s\nOnUnitInactiveSec=2s\nAccuracySec=100ms\nUnit=often.service\n";

const SERVICES: &str = r#"
[service.loop]
unit = "loop.service"
interval = "1s"
[service.hungry]
unit = "hungry.service"
interval = "1s"
[service.once]
unit = "once.service"
interval = "1s"
[service.never]
unit = "never.service"
interval = "1s"
[service.checked]
exec = ["/bin/sh", "-c", "test \"$(id -un)\" = gild && ! touch /srv/mine"]
file = "/etc/hosts"
interval = "1s"
[service.often]
timer = "often.timer"
max_age = "1h"
interval = "1s"
fail_after = 1
recover_after = 1
"#;

fn plan() -> Plan {
    let units = [
        ("loop.service", LOOP),
        ("hungry.service", HUNGRY),
        ("once.service", ONCE),
        ("never.service", ONCE),
        ("multi-user.target.d/once.conf", "[Unit]\nWants=once.service\n"),
        ("often.service", ONCE),
        ("often.timer", TIMER),
    ];
    let file =
        |(name, text): (&str, &str)| (format!("/etc/systemd/system/{name}"), text.to_owned());
    let files = units.into_iter().map(file).collect();
    Plan { image: SERVICES.to_owned(), files, ..Plan::default() }
}

#[test]
fn services_that_are_started_again_and_again_are_not_up() {
    let world = World::new(&instance());
    let machine = boot(&world, &plan());
    assert_eq!(target(&machine), "active", "{}", machine.story());
    // One that a target refers to has run; one that nothing refers to is not remembered.
    wait_up(&machine, "once", true);
    let never = wait_message(&machine, "never", |message| message.contains("has not run"));
    assert_eq!(never["up"], false, "{never:#}");

    // A program runs within the daemon's confinement.
    wait_up(&machine, "checked", true);

    let started =
        machine.exec(&["systemctl", "start", "loop.service", "hungry.service", "often.timer"]);
    assert!(started.status.success(), "{started:?}");
    let looping = wait_message(&machine, "loop", |message| message.contains("in a crash loop"));
    assert_eq!(looping["up"], false, "{looping:#}");
    wait_value(&world, "service_restarts_total{service=\"loop\"}", 3.0);
    wait_up(&machine, "often", true);

    // Never up once it was known to loop, although it is active half of the time.
    let since = now();
    until("points of the loop", FLOW, || {
        let series = wait_points(&world, "service_up{service=\"loop\"}");
        let new: Vec<_> = series[0].points.iter().filter(|(at, _)| *at >= since).collect();
        assert!(new.iter().all(|(_, value)| *value == 0.0), "{new:?}");
        if new.len() >= 5 { Ok(()) } else { Err(format!("{} points", new.len())) }
    });
    assert!(machine.exec(&["touch", "/srv/broken"]).status.success());
    let often = wait_message(&machine, "often", |message| message.contains("has failed"));
    assert_eq!(often["up"], false, "{often:#}");
    memory(&world, &machine);
}

/// Kills are counted where the kernel lets the machine account for memory. Elsewhere there is
/// no figure, and in particular none that says that nothing was killed.
fn memory(world: &World, machine: &Machine) {
    let controllers = machine.exec(&["cat", "/sys/fs/cgroup/cgroup.controllers"]).stdout;
    let selector = "service_oom_kills_total{service=\"hungry\"}";
    if !String::from_utf8_lossy(&controllers).contains("memory") {
        assert!(world.prometheus.points(selector, "5m").is_empty());
        return;
    }
    wait_value(world, selector, 1.0);
    wait_message(machine, "hungry", |message| message.contains("for want of memory"));
}

/// Waits until a series has reached this.
#[track_caller]
fn wait_value(world: &World, selector: &str, least: f64) {
    until(&format!("{selector} of {least}"), FLOW, || {
        let series = wait_points(world, selector);
        let reached = series[0].points.iter().any(|(_, value)| *value >= least);
        if reached { Ok(()) } else { Err(format!("{series:?}")) }
    });
}

/// Waits until the status says this of a service.
#[track_caller]
fn wait_message(machine: &Machine, name: &str, holds: impl Fn(&str) -> bool) -> Value {
    wait_service(machine, name, |service| service["message"].as_str().is_some_and(&holds))
}

#[track_caller]
fn wait_up(machine: &Machine, name: &str, up: bool) {
    wait_service(machine, name, |service| service["up"] == up);
}

#[track_caller]
fn wait_service(machine: &Machine, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(&format!("status of {name}"), FLOW, || {
        let service = status_json(machine)["services"][name].clone();
        if holds(&service) { Ok(service) } else { Err(format!("{service:#}")) }
    })
}
