//! gild beside Debian's node_exporter, on the same host, while that has something
//! to do: every metric that both have is the same, and what only one of them has
//! is in `golden/node_exporter.txt`.
//!
//! Neither can be asked at the very moment at which the other measures. So
//! node_exporter is asked all the time, and each tick of gild's is held against
//! what node_exporter said right before and right after: a counter lies between
//! the two at every tick, which is closer than the same growth to a percent; a
//! gauge lies between the two, give or take a percent.

mod differences;
mod load;
mod page;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gild::metrics::collector::NAMES;
use gild::platform::http;
use gild::status::client;
use reqwest::Client;

use self::differences::{Side, differences};
use self::load::{GROWS, Load};
use self::page::{Page, Series};
use crate::fakes::wait::until;
use crate::host::{Running, listening};
use crate::program::gild;

/// How many ticks are compared, a second apart.
const TICKS: usize = 6;

/// node_exporter, as the package configures it. Ends when dropped.
pub(crate) struct NodeExporter {
    _process: Running,
    pub(crate) page: String,
}

impl NodeExporter {
    pub(crate) fn start() -> Self {
        let mut command = Command::new("prometheus-node-exporter");
        command.args(["--web.listen-address=127.0.0.1:0", "--collector.processes"]);
        let (process, address) = listening(command, "prometheus-node-exporter");
        Self { _process: process, page: format!("http://{address}/metrics") }
    }

    async fn page(&self, client: &Client) -> Page {
        let from = SystemTime::now();
        let answer = client.get(&self.page).send().await.unwrap().error_for_status().unwrap();
        Page::read(&answer.text().await.unwrap(), from, SystemTime::now())
    }
}

/// `gild up` with every collector. Its page is that of its last tick, and says
/// when that was and how long it took.
fn up(directory: &Path) -> Running {
    let documents = directory.join("documents");
    std::fs::create_dir(&documents).unwrap();
    let text = format!(
        "[metrics]\ninterval = '1s'\ncollectors = {NAMES:?}\n[configuration]\nexec = ['/bin/true']\n"
    );
    std::fs::write(documents.join("global.toml"), text).unwrap();
    let mut up = gild();
    up.arg("up").arg("--local").arg(documents).arg("--state").arg(directory.join("state"));
    Running(up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

async fn tick(socket: &Path) -> Result<Page, String> {
    let answer = client::get(socket, "/metrics").await;
    let (_, body) = answer.map_err(|error| error.to_string())?;
    let page = Page::read(std::str::from_utf8(&body).unwrap(), UNIX_EPOCH, UNIX_EPOCH);
    let at = page.plain("node_time_seconds").ok_or("no tick yet")?;
    let took = page.sum("node_scrape_collector_duration_seconds");
    let moment = |seconds| UNIX_EPOCH + Duration::from_secs_f64(seconds);
    Ok(Page { from: moment(at - took), to: moment(at + took), ..page })
}

/// A tick of gild's, and what node_exporter said before and after it.
struct Compared {
    gild: Page,
    before: Page,
    after: Page,
}

/// The ticks that lie between two looks which are close to each other.
fn compared(ticks: &[Page], looks: &[Page]) -> Vec<Compared> {
    let between = |gild: &Page| {
        let before = looks.iter().rfind(|look| look.to < gild.from)?;
        let after = looks.iter().find(|look| look.from > gild.to)?;
        let close = after.to.duration_since(before.from).ok()? < Duration::from_secs(1);
        let [gild, before, after] = [gild, before, after].map(Page::clone);
        close.then_some(Compared { gild, before, after })
    };
    ticks.iter().filter_map(between).collect()
}

fn watched(directory: &Path) -> Vec<Compared> {
    let exporter = NodeExporter::start();
    let _gild = up(directory);
    let _load = Load::start(directory);
    let socket = directory.join("state/run/status.sock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // One connection for all looks, so that gild counts it as node_exporter does.
    let client = http::client().unwrap();
    let (mut looks, mut ticks) = (Vec::new(), Vec::<Page>::new());
    until("ticks between two looks at node_exporter", Duration::from_secs(90), || {
        looks.push(runtime.block_on(exporter.page(&client)));
        let tick = runtime.block_on(tick(&socket))?;
        if ticks.last().is_none_or(|last| last.from != tick.from) {
            ticks.push(tick);
        }
        let compared = compared(&ticks, &looks);
        match compared.len() {
            TICKS.. => Ok(compared),
            few => Err(format!("{few} of {TICKS} ticks")),
        }
    })
}

#[test]
fn gild_and_node_exporter_say_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let compared = watched(directory.path());
    let mut wrong = one_sided(&compared[TICKS - 1]);
    for series in compared[0].gild.values.keys() {
        if !compared.iter().all(|tick| tick.before.values.contains_key(series)) {
            continue;
        }
        let own = |line: &differences::Difference| line.covers(Side::Own, series);
        if differences().iter().any(own) {
            continue;
        }
        let misses: Vec<String> = compared.iter().filter_map(|tick| tick.miss(series)).collect();
        // A gauge may have been elsewhere for a moment; one that is wrong is
        // wrong at every tick.
        let gauge = compared[0].gild.gauges.contains(&series.name);
        let allowed = if gauge { TICKS / 2 } else { 0 };
        if misses.len() > allowed {
            wrong.push(format!("{series}: {}", misses.join(", ")));
        }
    }
    for name in GROWS {
        let grown = |page: fn(&Compared) -> &Page| {
            page(&compared[TICKS - 1]).sum(name) - page(&compared[0]).sum(name)
        };
        if grown(|tick| &tick.gild) <= 0.0 || grown(|tick| &tick.before) <= 0.0 {
            wrong.push(format!("{name} did not grow: nothing is shown"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

impl Compared {
    /// How a series of gild's is not what node_exporter says.
    fn miss(&self, series: &Series) -> Option<String> {
        let [gild, before, after] =
            [&self.gild, &self.before, &self.after].map(|page| page.values.get(series).copied());
        let (gild, before, after) = (gild?, before?, after?);
        let gauge = self.gild.gauges.contains(&series.name);
        let percent = 0.01 * before.abs().max(after.abs());
        let slack = if gauge { percent.max(coming_and_going(series)) } else { rounding(series) };
        let (low, high) = (before.min(after) - slack, before.max(after) + slack);
        let outside = !(low..=high).contains(&gild);
        outside.then(|| format!("{gild} is not between {before} and {after}"))
    }
}

/// How far a gauge may be off that counts things. The two programs are asked by
/// turns, and whoever asks has a connection with two ends meanwhile; a process of
/// the load may have come or gone.
fn coming_and_going(series: &Series) -> f64 {
    const COUNTS: [&str; 5] =
        ["node_sockstat_", "node_procs_", "node_processes_", "node_netstat_", "node_disk_io_now"];
    let bytes = series.name.ends_with("_bytes");
    let counts = COUNTS.iter().any(|beginning| series.name.starts_with(beginning));
    if counts && !bytes { 4.0 } else { 0.0 }
}

/// How far a counter may be off: what both of them make of it in floating point,
/// and of the times of processors, which the kernel lets fall a little, what each
/// smooths over by what it saw before.
fn rounding(series: &Series) -> f64 {
    match series.name.as_str() {
        "node_cpu_seconds_total" => 0.05,
        name if name.contains("seconds") => 1e-6,
        _ => 0.0,
    }
}

/// What one of both has and the other has not, as far as the list does not say
/// so; and what the list says that is not so.
fn one_sided(tick: &Compared) -> Vec<String> {
    let list = differences();
    let mut wrong = nothing_in_common(tick);
    let sides =
        [(Side::Gild, &tick.gild, &tick.before), (Side::NodeExporter, &tick.before, &tick.gild)];
    for (side, page, other) in sides {
        for series in page.values.keys().filter(|series| !other.values.contains_key(*series)) {
            let listed = |line: &differences::Difference| {
                line.covers(side, series) || line.covers(Side::Own, series)
            };
            if !list.iter().any(listed) {
                wrong.push(format!("only {side:?} has {series}"));
            }
        }
        let names: BTreeSet<&str> =
            other.values.keys().map(|series| series.name.as_str()).collect();
        for line in list.iter().filter(|line| line.side == side && line.is_whole()) {
            if let Some(name) = names.iter().find(|name| line.names(name)) {
                wrong.push(format!("both have {name}, but the list says: {}", line.line));
            }
        }
    }
    wrong
}

/// Metrics that both have, and no series of them. A device may be left out, but
/// not all of them.
fn nothing_in_common(tick: &Compared) -> Vec<String> {
    let names = |page: &Page| -> BTreeSet<String> {
        page.values.keys().map(|series| series.name.clone()).collect()
    };
    let common: BTreeSet<&str> = (tick.gild.values.keys())
        .filter(|series| tick.before.values.contains_key(*series))
        .map(|series| series.name.as_str())
        .collect();
    let own =
        |name: &String| differences().iter().any(|line| line.side == Side::Own && line.names(name));
    let both = &names(&tick.gild) & &names(&tick.before);
    let none = both.into_iter().filter(|name| !common.contains(name.as_str()) && !own(name));
    none.map(|name| format!("both have {name}, and no series of it in common")).collect()
}
