//! What the daemon takes of a host's memory while a receiver is gone, with a full spool, and while it
//! sends that. What it costs beside other agents is `beside`.
//!
//! All remotes are asked over TLS. A tick comes each second, so that there are many; whatever comes with a tick on a host
//! (a look at each service, a remote write) or with each sixth (CloudWatch) does so here.

use std::path::Path;
use std::time::Duration;

use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::fault::Fault;
use crate::fakes::imds::Instance;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;
use crate::fill;
use crate::peers::Process;
use crate::rows::Row;
use crate::service::Service;
use crate::world::World;

/// Seconds that each of the states lasts; there is a tick in each.
const LASTS_SECONDS: u32 = 60;
const ROUND_TRIP: Duration = Duration::from_millis(1);
const START: Duration = Duration::from_secs(30);

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

    let daemon = Process::start("gild", world.daemon(gild, &root, &aws));
    until("the first samples and datums", START, || {
        let arrived = !receiver.samples().is_empty() && !cloudwatch.calls().is_empty();
        if arrived { Ok(()) } else { Err("nothing yet".to_owned()) }
    });
    watch("steady", &daemon);
    receiver.faults.always("", Fault::Close);
    watch("a receiver gone", &daemon);
    drop(daemon);

    fill::spool(&root.join("var/lib/gild/spool/sinks/mimir"), &Instance::default().id);
    let daemon = Process::start("gild", world.daemon(gild, &root, &aws));
    watch("its spool full", &daemon);
    let late = receiver.samples().len();
    receiver.faults.clear();
    watch("sending its spool", &daemon);
    println!("late samples received {}", receiver.samples().len() - late);
}

/// How much memory the daemon has at the end of each second.
fn watch(state: &str, daemon: &Process) {
    let mut seen = Vec::new();
    for _ in 0..LASTS_SECONDS {
        std::thread::sleep(Duration::from_secs(1));
        seen.push(daemon.usage());
    }
    let of = |what: fn(&crate::peers::Usage) -> f64| seen.iter().map(what).collect::<Vec<_>>();
    for (what, values) in
        [("RSS", of(|it| it.rss_kib)), ("anonymous memory", of(|it| it.anonymous_kib))]
    {
        let name = format!("{what}, {state}");
        Row { benchmark: "daemon", name, unit: "KiB", values, base: None }.print();
    }
}
