//! A playbook that fails: the machine says so, stays observable, and nothing that waits
//! for the configuration starts.

use crate::check::{
    FLOW, group_was_told, now, report, status_json, target, wait_points, wait_status,
};
use crate::fakes::wait::until;
use crate::fixtures::{FAIL_AFTER, PROBE_SECONDS, Plan, TICK_SECONDS, boot, instance};
use crate::machine::Machine;
use crate::world::World;

const TASK: &str = "Ask for what nobody has";
const MESSAGE: &str = "there is no such thing as a free lunch";

// The service runs before the third task fails, so that its health can be watched.
fn plan() -> Plan {
    let playbook = format!(
        r#"- name: Start the service and fail
  hosts: all
  gather_facts: false
  tags: [configuration]
  tasks:
    - name: Write the site
      ansible.builtin.copy: {{ src: site.conf, dest: /etc/nginx/sites-enabled/default, mode: "0644" }}
    - name: Start the web server
      ansible.builtin.service: {{ name: nginx, state: started }}
    - name: {TASK}
      ansible.builtin.fail: {{ msg: "{MESSAGE}" }}
    - name: Do what comes after
      ansible.builtin.file: {{ path: /srv/web/after, state: touch, mode: "0644" }}
"#
    );
    Plan { playbook, ..Plan::default() }
}

#[test]
fn a_failed_task_is_named_and_the_metrics_go_on() {
    let world = World::new(&instance());
    world.launch_in_group();
    let machine = boot(&world, &plan());

    assert_eq!(target(&machine), "inactive", "{}", machine.story());
    assert_eq!(machine.state_of("gild-configure.service"), "failed");
    assert!(!machine.path("/srv/web/after").exists());
    let said = wait_status(&machine, 1);
    assert!(said.contains(TASK) && said.contains(MESSAGE), "{said}");
    let status = status_json(&machine);
    assert_eq!(status["state"], "failed", "{status:#}");
    assert_eq!(status["configuration"]["failed_task"], TASK, "{status:#}");
    let report = report(&machine);
    assert_eq!(report["failure"]["task"], TASK, "{report:#}");
    group_was_told(&world, "ABANDON");

    let since = now();
    wait_value(&world, "node_memory_MemAvailable_bytes", since, |value| value > 0.0);
    wait_value(&world, "service_up{service=\"web\"}", since, |value| value == 1.0);

    let before = world.cloudwatch.calls().len();
    until("another call to CloudWatch", FLOW, || {
        let calls = world.cloudwatch.calls().len();
        if calls > before { Ok(()) } else { Err(format!("{calls} calls")) }
    });

    stop_and_start(&world, &machine);
}

fn stop_and_start(world: &World, machine: &Machine) {
    let stopped = now();
    assert!(machine.exec(&["systemctl", "stop", "nginx.service"]).status.success());
    let down = wait_value(world, "service_up{service=\"web\"}", stopped, |value| value == 0.0);
    // Down after the third failed look: the first comes at once at the earliest, and one
    // interval after the stop at the latest.
    let least = (FAIL_AFTER - 1.0) * PROBE_SECONDS - TICK_SECONDS;
    let most = FAIL_AFTER * PROBE_SECONDS + 10.0;
    let took = down - stopped;
    assert!((least..most).contains(&took), "down after {took:.1} s");

    let started = now();
    assert!(machine.exec(&["systemctl", "start", "nginx.service"]).status.success());
    wait_value(world, "service_up{service=\"web\"}", started, |value| value == 1.0);
    assert_eq!(machine.state_of("gild-configured.target"), "inactive");
}

/// Waits for a point after `since` that fits, and returns the time of the first.
#[track_caller]
fn wait_value(world: &World, selector: &str, since: f64, fits: impl Fn(f64) -> bool) -> f64 {
    until(&format!("fitting value of {selector}"), FLOW, || {
        let series = wait_points(world, selector);
        let new = series[0].points.iter().filter(|(at, _)| *at >= since);
        let found = new.clone().find(|(_, value)| fits(*value));
        found.map(|(at, _)| *at).ok_or_else(|| format!("{:?}", new.collect::<Vec<_>>()))
    })
}
