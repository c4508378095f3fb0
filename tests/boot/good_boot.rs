//! A boot on which everything works: the target, the merge, the status, the metrics.
//!
//! One machine answers all of it, because none of the questions changes anything.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::check::{
    FLOW, group_was_told, now, rendered, report, status_json, target, wait_points, wait_status,
};
use crate::fakes::datum::Datum;
use crate::fakes::wait::until;
use crate::fixtures::{MERGED, Plan, TICK_SECONDS, boot, instance};
use crate::machine::Machine;
use crate::world::{Series, World};

#[test]
fn a_good_boot_configures_the_machine_and_its_metrics_are_true() {
    let world = World::new(&instance());
    let plan = Plan::default();
    world.launch_in_group();
    let machine = boot(&world, &plan);

    assert_eq!(target(&machine), "active", "{}", machine.story());
    let found = rendered(&machine);
    for (name, value) in MERGED {
        assert_eq!(found[*name], *value, "{name} in {found:?}");
    }
    assert!(!machine.path("/srv/web/untagged").exists(), "a task without the tag was run");
    wait_status(&machine, 0);
    let status = status_json(&machine);
    assert_eq!(status["state"], "ready", "{status:#}");
    let report = report(&machine);
    assert_eq!(report["outcome"], "ready", "{report:#}");
    assert_eq!(report["instance_id"], instance().id);
    assert!(report["tasks"].as_array().is_some_and(|tasks| tasks.len() >= 4), "{report:#}");
    assert!(world.imds.tokens() > 0, "the identity did not come from the metadata service");
    leaves_nothing_of_the_step(&machine);
    group_was_told(&world, "CONTINUE");

    cloudwatch_has_the_datums_of_the_agent(&world);
    memory_is_what_proc_says(&world, &machine);
    cpu_is_what_proc_says(&world, &machine);
    disk_is_what_statfs_says(&world, &machine);
    let up = until("service_up of 1", FLOW, || {
        let series = wait_points(&world, "service_up{service=\"web\"}");
        if series[0].last().1 == 1.0 { Ok(series) } else { Err(format!("{series:?}")) }
    });
    assert_eq!(up.len(), 1, "{up:?}");
    the_daemon_sees_what_is_mounted_later(&machine);
    the_daemon_is_small(&machine);
}

/// Its sandbox is a view of its own of the host's mounts, and must follow them.
fn the_daemon_sees_what_is_mounted_later(machine: &Machine) {
    let pid = machine.say(&["systemctl", "show", "--property=MainPID", "--value", "gild.service"]);
    let mounted = || {
        let mounts = machine.read(&format!("/proc/{pid}/mountinfo")).unwrap();
        mounts.lines().any(|line| line.split(' ').nth(4) == Some("/mnt"))
    };
    assert!(!mounted());
    assert!(machine.exec(&["mount", "-t", "tmpfs", "later", "/mnt"]).status.success());
    until("mount in the daemon's view", FLOW, || if mounted() { Ok(()) } else { Err(pid.clone()) });
    assert!(machine.exec(&["umount", "/mnt"]).status.success());
}

fn leaves_nothing_of_the_step(machine: &Machine) {
    let step = fs::read_dir(machine.path("/run/gild/step"));
    let left: Vec<_> = step.into_iter().flatten().flatten().map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "the step left {left:?}");
}

fn cloudwatch_has_the_datums_of_the_agent(world: &World) {
    // Name, unit, and the dimensions besides the instance's.
    let wanted: [(&str, &str, &[&str]); 4] = [
        ("cpu_usage_active", "Percent", &["cpu"]),
        ("mem_used_percent", "Percent", &[]),
        ("disk_used_percent", "Percent", &["device", "fstype", "path"]),
        ("services_unhealthy", "Count", &[]),
    ];
    for (name, unit, own) in wanted {
        let datum = until(&format!("datum {name}"), FLOW, || {
            let datums = world.cloudwatch.datums("CWAgent");
            let on_root = |d: &&Datum| d.dimensions.get("path").is_none_or(|path| path == "/");
            let last = datums.iter().filter(|d| d.name == name).rfind(on_root).cloned();
            last.ok_or_else(|| {
                format!("{:?}, refused {:?}", names(&datums), world.cloudwatch.refused())
            })
        });
        assert_eq!(datum.unit.as_deref(), Some(unit), "{datum:?}");
        let mut keys: BTreeSet<_> = datum.dimensions.keys().map(String::as_str).collect();
        assert!(keys.remove("InstanceId"), "{datum:?}");
        assert_eq!(datum.dimensions["InstanceId"], instance().id);
        assert_eq!(keys, own.iter().copied().collect(), "{datum:?}");
        assert!(datum.timestamp.is_some(), "{datum:?}");
        assert_ne!(datum.resolution, Some(1), "high resolution costs more: {datum:?}");
        match name {
            "cpu_usage_active" => assert_eq!(datum.dimensions["cpu"], "cpu-total"),
            "disk_used_percent" => {
                assert_eq!(datum.dimensions["fstype"], "ext4", "{datum:?}");
                assert!(datum.dimensions["device"].starts_with("loop"), "{datum:?}");
            }
            _ => {}
        }
        if unit == "Percent" {
            let values = datum.values.iter().chain(&datum.value);
            assert!(
                values.clone().count() > 0 && values.clone().all(|v| (0.0..=100.0).contains(v)),
                "{datum:?}"
            );
        }
    }
    // Once the service is up, the roll-up says that nothing is wrong.
    until("services_unhealthy of 0", FLOW, || {
        let datums = world.cloudwatch.datums("CWAgent");
        let last = datums.iter().rfind(|d| d.name == "services_unhealthy").cloned();
        match last {
            Some(d) if d.values.iter().chain(&d.value).all(|v| *v == 0.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let refused = world.cloudwatch.refused();
    assert!(refused.is_empty(), "{refused:?}");
}

fn names(datums: &[Datum]) -> BTreeSet<&str> {
    datums.iter().map(|d| d.name.as_str()).collect()
}

fn near(measured: f64, truth: f64, slack: f64) -> Result<(), String> {
    let allowed = truth.abs() * 0.02 + slack;
    if (measured - truth).abs() <= allowed {
        Ok(())
    } else {
        Err(format!("{measured} instead of {truth}"))
    }
}

/// A point taken not more than two ticks ago, so that it can be compared with the present.
fn fresh(series: &Series) -> Result<f64, String> {
    let (at, value) = series.last();
    if now() - at <= 2.0 * TICK_SECONDS { Ok(value) } else { Err(format!("{} s old", now() - at)) }
}

fn memory_is_what_proc_says(world: &World, machine: &Machine) {
    until("equal MemAvailable", FLOW, || {
        let series = wait_points(world, "node_memory_MemAvailable_bytes");
        let text = machine.read("/proc/meminfo")?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
        let kib: f64 = line.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
        near(fresh(&series[0])?, kib * 1024.0, 0.0)
    });
}

fn cpu_is_what_proc_says(world: &World, machine: &Machine) {
    until("equal CPU seconds", FLOW, || {
        let series = wait_points(world, "node_cpu_seconds_total");
        let text = machine.read("/proc/stat")?;
        let cores = text.lines().filter(|l| l.starts_with("cpu") && !l.starts_with("cpu "));
        let mut checked = 0;
        for line in cores {
            let mut fields = line.split_whitespace();
            let core = fields.next().unwrap().trim_start_matches("cpu");
            let ticks: Vec<f64> = fields.map(|f| f.parse().unwrap()).collect();
            for (mode, ticks) in [("system", ticks[2]), ("idle", ticks[3]), ("iowait", ticks[4])] {
                let one = series.iter().find(|s| s.label("cpu") == core && s.label("mode") == mode);
                let one = one.ok_or_else(|| format!("no cpu {core} mode {mode} in {series:?}"))?;
                // A second or two of the present pass between the two readings.
                near(fresh(one)?, ticks / 100.0, 2.0 * TICK_SECONDS)?;
                checked += 1;
            }
        }
        if checked == 0 { Err("no cores in /proc/stat".to_owned()) } else { Ok(()) }
    });
}

fn disk_is_what_statfs_says(world: &World, machine: &Machine) {
    until("equal free space", FLOW, || {
        let series = wait_points(world, "node_filesystem_avail_bytes{mountpoint=\"/\"}");
        assert_eq!(series.len(), 1, "{series:?}");
        assert_eq!(series[0].label("fstype"), "ext4");
        // The daemon's own view of the disk is read-only; the machine's is what counts.
        let read_only = wait_points(world, "node_filesystem_readonly{mountpoint=\"/\"}");
        assert_eq!(read_only[0].last().1, 0.0, "{read_only:?}");
        let truth = nix::sys::statvfs::statvfs(&machine.path("/")).unwrap();
        #[allow(clippy::cast_precision_loss, reason = "within 2 % is enough")]
        let bytes = (truth.blocks_available() * truth.fragment_size()) as f64;
        near(fresh(&series[0])?, bytes, 0.0)
    });
}

/// The promise is for a daemon that has run for a while: `GILD_TEST_SOAK` says for how many
/// seconds more to look, and the largest size counts.
fn the_daemon_is_small(machine: &Machine) {
    let soak = std::env::var("GILD_TEST_SOAK").map_or(0, |seconds| seconds.parse().unwrap());
    let soak = Duration::from_secs(soak);
    let pid = machine.say(&["systemctl", "show", "--property=MainPID", "--value", "gild.service"]);
    let start = Instant::now();
    let mut largest = 0;
    until("end of the soak", soak + FLOW, || {
        let status = machine.read(&format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        largest = largest.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
        if start.elapsed() >= soak { Ok(()) } else { Err("not yet".to_owned()) }
    });
    println!("the daemon's largest RSS within {soak:?} is {largest} KiB");
    assert!(largest <= 10 * 1024, "the daemon's RSS is {largest} KiB");
}
