//! What an agent costs a host, for each that can be had, side by side in the same minutes: gild,
//! collectd, node_exporter and netdata, as Debian packages them. Rounds under light load, and under
//! heavy: more to do than there are processors, writing to the disk, and five hundred more processes.
//!
//! Each measures processors, memory, file systems, disks, networks and load at each tick, which comes
//! each second. gild looks at five services besides, and sends to two receivers over TLS; collectd
//! and netdata send to Graphite in plain text, node_exporter is asked for its page. None of those
//! three looks at services here.
//!
//! `GILD_BENCH_ROUND` shortens a round, which has 60 ticks.
//!
//! To add an agent: a function in `peers`, and a line in `started`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::imds::Instance;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;
use crate::graphite::Graphite;
use crate::load::Load;
use crate::peers::{Process, Usage, collectd, exporter, installed, installed_kib, netdata, page};
use crate::rows::{Row, median};
use crate::service::Service;
use crate::world::World;

const ROUNDS: usize = 5;
const TICKS: u32 = 60;
const WARM: u32 = 20;
const TICK: Duration = Duration::from_secs(1);
const ROUND_TRIP: Duration = Duration::from_millis(1);
const START: Duration = Duration::from_secs(60);

/// What a figure is called, its unit, and how it is made of what was used in a round of so many
/// ticks.
type Figure = (&'static str, &'static str, fn(&Usage, &Usage, f64) -> f64);

const FIGURES: &[Figure] = &[
    ("CPU a tick", "ms", |before, after, ticks| (after.cpu_ms - before.cpu_ms) / ticks),
    ("wake-ups a tick", "", |before, after, ticks| (after.waits - before.waits) / ticks),
    ("pre-empted a tick", "", |before, after, ticks| (after.preempted - before.preempted) / ticks),
    ("RSS", "KiB", |_, after, _| after.rss_kib),
    ("anonymous memory", "KiB", |_, after, _| after.anonymous_kib),
    ("threads", "", |_, after, _| after.threads),
    ("processes", "", |_, after, _| after.processes),
];

/// Programs, and the packages that hold them and what they need beside them.
const INSTALLED: &[(&str, &[&str])] = &[
    ("collectd", &["collectd-core"]),
    ("prometheus-node-exporter", &["prometheus-node-exporter"]),
    ("netdata", &["netdata-core"]),
];

pub(crate) fn run(gild: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let receiver = RemoteWrite::start(loopback());
    let cloudwatch = CloudWatch::start(loopback());
    let world = World::new(ROUND_TRIP, true);
    let (_mimir, mimir) = world.link(receiver.address(), ROUND_TRIP);
    let (_aws, aws) = world.link(cloudwatch.address(), ROUND_TRIP);
    let tags = [("gild:metrics.interval".to_owned(), "1s".to_owned())];
    world.imds.describe(&Instance { tags: tags.into(), ..Instance::default() });
    let service = Service::start();
    let root = scratch.path().join("root");
    world.install(&root);
    service.install(&root, &mimir);
    assert!(world.configure(gild, &root).status().unwrap().success(), "gild configure failed");

    let mut agents = vec![Process::start("gild", world.daemon(gild, &root, &aws))];
    let to_collectd = Graphite::start();
    agents.extend(collectd(scratch.path(), to_collectd.address()));
    let exporter = exporter();
    let asked = exporter.as_ref().map(|(_, address)| *address);
    agents.extend(exporter.map(|(process, _)| process));
    let to_netdata = Graphite::start();
    agents.extend(netdata(scratch.path(), to_netdata.address()));
    until("the first samples and datums", START, || {
        let arrived = !receiver.samples().is_empty() && !cloudwatch.calls().is_empty();
        if arrived { Ok(()) } else { Err("nothing yet".to_owned()) }
    });
    println!("{:<44} {:>10} {:<6} {:>19} {:>9}", "", "median", "", "least–greatest", "to gild");
    for (name, load) in [("light", None), ("heavy", Some(Load::start(scratch.path())))] {
        measure(name, &agents, asked);
        drop(load);
    }
    sizes(gild);
    let sent = |name: &str, bytes: usize, series: usize| Row {
        benchmark: "beside",
        name: format!("bytes a sample, {name}"),
        unit: "B",
        values: vec![bytes as f64 / series.max(1) as f64],
        base: None,
    };
    let headers = receiver.headers();
    let own = headers
        .iter()
        .filter_map(|headers| headers.get("content-length")?.to_str().ok()?.parse::<usize>().ok());
    sent("gild, remote write", own.sum(), receiver.samples().len()).print();
    for (name, graphite) in
        [("collectd, Graphite", &to_collectd), ("netdata, Graphite", &to_netdata)]
    {
        let (bytes, lines) = graphite.received();
        sent(name, bytes, lines).print();
    }
    if let Some(address) = asked {
        let text = page(address);
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        sent("node_exporter, its page", text.len(), lines).print();
    }
}

/// How large a program is, and what its packages take on a disk. gild's is its binary.
fn sizes(gild: &Path) {
    let kib = |path: &Path| path.metadata().map(|about| about.len() as f64 / 1024.0).unwrap();
    let own = kib(gild);
    let row = |name: String, value: f64| Row {
        benchmark: "beside",
        name,
        unit: "KiB",
        values: vec![value],
        base: Some(own),
    };
    row("binary, gild".to_owned(), own).print();
    for (program, packages) in INSTALLED {
        if let Some(path) = installed(program) {
            row(format!("binary, {program}"), kib(&path)).print();
            let sizes: Option<f64> = packages.iter().copied().map(installed_kib).sum();
            if let Some(all) = sizes {
                row(format!("installed, {}", packages.join(" and ")), all).print();
            }
        }
    }
}

/// All rounds under one load.
fn measure(load: &str, agents: &[Process], page: Option<SocketAddr>) {
    let ticks = std::env::var("GILD_BENCH_ROUND").ok().and_then(|it| it.parse().ok());
    let ticks: u32 = ticks.unwrap_or(TICKS);
    for_each_tick(WARM.min(ticks), page);
    let mut found = vec![vec![Vec::new(); FIGURES.len()]; agents.len()];
    for _ in 0..ROUNDS {
        let before: Vec<_> = agents.iter().map(Process::usage).collect();
        for_each_tick(ticks, page);
        for ((agent, before), found) in agents.iter().zip(&before).zip(&mut found) {
            let after = agent.usage();
            for ((.., figure), values) in FIGURES.iter().zip(found) {
                values.push(figure(before, &after, f64::from(ticks)));
            }
        }
    }
    for (at, (figure, unit, _)) in FIGURES.iter().enumerate() {
        let own = median(&found[0][at]);
        for (agent, found) in agents.iter().zip(&found) {
            let name = format!("{figure}, {load} load, {}", agent.name);
            Row { benchmark: "beside", name, unit, values: found[at].clone(), base: Some(own) }
                .print();
        }
    }
}

/// Lets so many ticks go by, asking for a page at each as a scrape would.
fn for_each_tick(ticks: u32, address: Option<SocketAddr>) {
    for _ in 0..ticks {
        if let Some(address) = address {
            page(address);
        }
        std::thread::sleep(TICK);
    }
}
