//! What gild claims of its size and speed, and how that is read off the rows.

use crate::document::{Results, readable};
use crate::growth::MOST;

/// One claim.
pub(crate) struct Claim {
    pub(crate) text: &'static str,
    /// Whether it holds, and by which figures; nothing where it was not measured.
    pub(crate) holds: fn(&Results) -> Option<(bool, String)>,
}

pub(crate) const CLAIMS: &[Claim] = &[
    Claim {
        text: "The static binary has at most 10 MiB",
        holds: |results| at_most(results.median("beside", "binary, gild")?, 10_240.0, "KiB"),
    },
    Claim {
        text: "The daemon takes at most 2 ms of CPU a tick",
        holds: |results| at_most(light(results, "CPU a tick", "gild")?, 2.0, "ms"),
    },
    Claim {
        text: "It takes at most as much CPU a tick as collectd",
        holds: |results| {
            let limit = light(results, "CPU a tick", "collectd")?;
            at_most(light(results, "CPU a tick", "gild")?, limit, "ms")
        },
    },
    Claim {
        text: "Its RSS is at most half of node_exporter's",
        holds: |results| {
            let limit = light(results, "RSS", "node_exporter")? / 2.0;
            at_most(light(results, "RSS", "gild")?, limit, "KiB")
        },
    },
    Claim {
        text: "Its anonymous memory is at most that of collectd and 2 MB",
        holds: |results| {
            let limit = light(results, "anonymous memory", "collectd")? + 2e6 / 1024.0;
            at_most(light(results, "anonymous memory", "gild")?, limit, "KiB")
        },
    },
    Claim {
        text: "Its RSS is at most 10 MiB when nothing is wrong",
        holds: |results| at_most(results.greatest("daemon", "RSS, steady")?, 10_240.0, "KiB"),
    },
    Claim {
        text: "Its anonymous memory is at most 4 MB when nothing is wrong",
        holds: |results| {
            at_most(results.greatest("daemon", "anonymous memory, steady")?, 4e6 / 1024.0, "KiB")
        },
    },
    Claim {
        text: "Its RSS is at most 16 MB with a full spool, and while it sends that",
        holds: |results| {
            let full = results.greatest("daemon", "RSS, its spool full")?;
            let sending = results.greatest("daemon", "RSS, sending its spool")?;
            at_most(full.max(sending), 16e6 / 1024.0, "KiB")
        },
    },
    Claim {
        text: "A boot has its merged configuration within 150 ms, with 20 ms to each remote",
        holds: |results| {
            let name = "start to merged, 20 ms to remotes, gild, nothing kept";
            at_most(results.median("bootstrap", name)?, 150.0, "ms")
        },
    },
    Claim {
        text: "A reboot without change is ready within 300 ms, and starts no Ansible",
        holds: |results| {
            let name = "a reboot without change, gild";
            at_most(results.median("bootstrap", name)?, 300.0, "ms")
        },
    },
    Claim {
        text: "The same reads take the shell script that gild replaces at least 10 times as long",
        holds: |results| {
            let of = |who: &str| {
                let name = format!("start to merged, 20 ms to remotes, {who}");
                results.median("bootstrap", &name)
            };
            let ratio = of("the script")? / of("gild, nothing kept")?;
            Some((ratio >= 10.0, format!("{} times", readable(ratio))))
        },
    },
    Claim {
        text: "What a tick and a start cost grows in a straight line with what there is more of: one \
               at the greatest count costs at most half more than one at the middle",
        holds: |results| at_most(results.greatest_of("growth", "growth of ")?, MOST, "times"),
    },
];

/// A figure of the side-by-side run, under light load.
fn light(results: &Results, figure: &str, agent: &str) -> Option<f64> {
    results.median("beside", &format!("{figure}, light load, {agent}"))
}

fn at_most(value: f64, limit: f64, unit: &str) -> Option<(bool, String)> {
    Some((value <= limit, format!("{} {unit} of {}", readable(value), readable(limit))))
}
