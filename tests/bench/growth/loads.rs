//! What a host may have more or fewer of, and how it comes to have them.
//!
//! A new one is a line in `LOADS` and a function that puts so many on a host. Where gild takes no
//! more than so many, `most` says so: what is measured beyond that is what it costs to be refused,
//! and is no part of the line.

use super::host::Host;
use crate::service::Service;

/// One thing that a host has more or fewer of.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) counts: &'static [usize],
    pub(crate) most: usize,
    put: fn(&mut Host, usize),
}

pub(crate) const LOADS: &[Load] = &[
    Load {
        name: "series",
        counts: &[100, 1_000, 10_000, 30_000, 100_000],
        most: usize::MAX,
        put: series,
    },
    Load { name: "services", counts: &[1, 20, 100, 250, 500], most: usize::MAX, put: services },
    Load { name: "mounts", counts: &[1, 100, 1_000, 2_500, 5_000], most: usize::MAX, put: mounts },
    Load { name: "processors", counts: &[1, 16, 64, 256, 512], most: usize::MAX, put: processors },
    Load { name: "sinks", counts: &[1, 2, 3, 4], most: usize::MAX, put: sinks },
    Load { name: "labels", counts: &[0, 7, 14, 21, 27, 50], most: LABELS, put: labels },
];

/// A series may have thirty. Its name is one, as are the page and the instance.
const LABELS: usize = 27;

/// Series on the page that is there where not these are what there is more or fewer of.
const SERIES: usize = 1_000;
/// Metrics on a page, each of which has many series, as those of real programs have.
const METRICS: usize = 100;

impl Load {
    /// A host with so many.
    pub(crate) fn host(&self, count: usize) -> Host {
        let mut host = Host::new();
        (self.put)(&mut host, count);
        host
    }
}

/// Samples of as many series, with a word in each that no other has.
fn samples(count: usize, labels: &str) -> Vec<String> {
    let sample = |number: usize| {
        let (metric, value) = (number % METRICS, number * 7919 % 10_007);
        format!("app_metric_{metric}_total{{part=\"part-{number}\"{labels}}} {value}\n")
    };
    (0..count).map(sample).collect()
}

fn series(host: &mut Host, count: usize) {
    host.sink();
    host.serve(&samples(count, ""));
    host.series = count;
}

fn services(host: &mut Host, count: usize) {
    host.sink();
    let address = Service::start().address();
    for number in 0..count {
        host.say(&format!("[service.s{number}]\nhttp = 'http://{address}/'\ninterval = '1s'\n"));
    }
    // How long its probe took.
    host.series = count;
}

fn mounts(host: &mut Host, count: usize) {
    host.sink();
    let mut lines = String::new();
    for number in 0..count {
        let (major, minor) = (259 + number / 256, number % 256);
        host.make(&format!("srv/data/{number}"));
        lines += &format!(
            "{} 1 {major}:{minor} / /srv/data/{number} rw,relatime shared:{number} - ext4 \
             /dev/mapper/data-{number} rw\n",
            number + 100
        );
    }
    host.put("proc/1/mountinfo", &lines);
    // Bytes and inodes, there and free, whether it can be written and asked.
    host.series = 7 * count;
}

fn processors(host: &mut Host, count: usize) {
    host.sink();
    let fixture = host.read("proc/stat");
    let (first, rest) = fixture.split_once('\n').unwrap();
    let mut text = format!("{first}\n");
    for number in 0..count {
        text += &format!("cpu{number} {number}04711 12 40815 9012345 678 0 91 2 0 0\n");
    }
    let others = rest.lines().filter(|line| !line.starts_with("cpu"));
    others.for_each(|line| text += &format!("{line}\n"));
    host.put("proc/stat", &text);
    // Eight modes, and two of guests.
    host.series = 10 * count;
}

fn sinks(host: &mut Host, count: usize) {
    for _ in 0..count {
        host.sink();
    }
    host.serve(&samples(SERIES, ""));
    host.series = SERIES;
}

fn labels(host: &mut Host, count: usize) {
    host.sink();
    // One of them is the part.
    let more = (1..count).map(|label| format!(",label_{label}=\"value {label}\""));
    let all = match count {
        0 => (0..SERIES).map(|number| format!("app_metric_{number}_total {number}\n")).collect(),
        _ => samples(SERIES, &more.collect::<String>()),
    };
    host.serve(&all);
    host.series = if count > LABELS { 0 } else { SERIES };
}
