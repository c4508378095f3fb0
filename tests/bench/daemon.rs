//! What the daemon costs a host: processor time a tick, and memory, with the default
//! collectors, two sinks and five services. Beside it, in the same minute: collectd and
//! node_exporter, each as Debian packages it.
//!
//! All remotes are asked over TLS. A tick comes each second, so that there are many; whatever comes with a tick on a host
//! (a look at each service, a remote write) or with each sixth (CloudWatch) does so here.
//! All that a tick costs is in it, at ten times the pace of the default.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::fault::Fault;
use crate::fakes::imds::Instance;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;
use crate::fill;
use crate::peers::{Process, collectd, exporter};
use crate::world::World;

/// Ticks that are measured.
const TICKS: u32 = 60;
/// Until what happens once has happened.
const WARM: Duration = Duration::from_secs(15);
const ROUND_TRIP: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_secs(1);
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
    install(&world, &root, &mimir, service.address());
    assert!(world.configure(gild, &root).status().unwrap().success(), "gild configure failed");

    let mut measured = vec![Process::start("gild", world.daemon(gild, &root, &aws))];
    measured.extend(collectd(scratch.path()));
    let exporter = exporter();
    let page = exporter.as_ref().map(|(_, address)| *address);
    measured.extend(exporter.map(|(process, _)| process));
    until("the first samples and datums", START, || {
        let arrived = !receiver.samples().is_empty() && !cloudwatch.calls().is_empty();
        if arrived { Ok(()) } else { Err("nothing yet".to_owned()) }
    });
    for_each_tick(WARM.as_secs() as u32, page);
    let before: Vec<_> = measured.iter().map(Process::spent).collect();
    for_each_tick(TICKS, page);
    println!(
        "{:<28} {:>14} {:>9} {:>12} {:>12} {:>12}",
        "", "CPU a tick", "to gild", "RSS", "most RSS", "anonymous"
    );
    let spent = |at: usize| (measured[at].spent() - before[at]) / f64::from(TICKS);
    let own = spent(0);
    for (at, process) in measured.iter().enumerate() {
        let spent = spent(at);
        process.line(process.name, Some((spent, spent / own)));
    }
    let samples = receiver.samples().len();
    println!("samples received {samples}, calls of CloudWatch's {}", cloudwatch.calls().len());

    receiver.faults.always("", Fault::Close);
    for_each_tick(TICKS, None);
    measured[0].line("gild, a receiver gone", None);

    drop(measured);
    fill::spool(&root.join("var/lib/gild/spool/sinks/mimir"), &Instance::default().id);
    let filled = Process::start("gild", world.daemon(gild, &root, &aws));
    for_each_tick(TICKS, None);
    filled.line("gild, its spool full", None);
    let late = receiver.samples().len();
    receiver.faults.clear();
    for_each_tick(TICKS, None);
    filled.line("gild, sending it", None);
    println!("late samples received {}", receiver.samples().len() - late);
}

/// Lets so many ticks go by, asking for a page at each as a scrape would.
fn for_each_tick(ticks: u32, page: Option<SocketAddr>) {
    for _ in 0..ticks {
        if let Some(address) = page {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
        std::thread::sleep(TICK);
    }
}

fn install(world: &World, root: &Path, mimir: &str, service: SocketAddr) {
    world.install(root);
    let mut text = format!(
        "[sink.mimir]\ntype = 'remote_write'\nurl = '{mimir}/api/v1/push'\nflush = '1s'\n\
         [sink.cloudwatch]\ntype = 'cloudwatch'\nflush = '6s'\n"
    );
    for name in ["one", "two", "three"] {
        text += &format!("[service.{name}]\nhttp = 'http://{service}/'\ninterval = '1s'\n");
    }
    for name in ["four", "five"] {
        text += &format!("[service.{name}]\ntcp = '{service}'\ninterval = '1s'\n");
    }
    fs::write(root.join("etc/gild/config.d/10-local.toml"), text).unwrap();
}

/// Answers each look with a short page.
struct Service(SocketAddr);

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(|| {
                    let _ = answer(stream);
                });
            }
        });
        Self(address)
    }

    fn address(&self) -> SocketAddr {
        self.0
    }
}

/// Keeps the connection, as servers do unless they are told otherwise.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 1024])? > 0 {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    }
    Ok(())
}
