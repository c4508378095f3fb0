//! What `gild cost` says of fixed series, held to golden files. `GILD_REFRESH_GOLDEN=1` writes
//! them anew.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::bill::tests::{lean, scale};
use super::super::usage::Usage;
use super::*;
use crate::metrics::left_out::LeftOut;

fn matches(name: &str, text: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/cost").join(name);
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        fs::write(&tests, text).unwrap();
    }
    let kept = fs::read_to_string(&tests).unwrap_or_default();
    assert_eq!(kept, text, "tests/golden/cost/{name}; GILD_REFRESH_GOLDEN=1 writes it anew");
}

/// A sink of the lean default, and one that sends to a Mimir of one's own.
fn now() -> [Sent; 2] {
    let series = Usage {
        tariff: None,
        metrics: [("node_load1".to_owned(), 1), ("node_cpu_seconds_total".to_owned(), 199)].into(),
        every: Duration::from_secs(10),
        requests: 1,
        samples: 200,
        bytes: 4000,
        ..Usage::default()
    };
    [("cw".to_owned(), "cloudwatch", lean()), ("mimir".to_owned(), "remote_write", series)]
}

/// All that telegraf sends, as far as it may be sent.
fn telegraf() -> Usage {
    let disks = (0..4).map(|disk| format!("disk_used{{path=/{disk}}}"));
    Usage {
        metrics: [("cpu_usage_idle".to_owned(), 9), ("disk_used".to_owned(), 4)].into(),
        left_out: LeftOut::of(4, disks),
        every: Duration::from_secs(10),
        ..lean()
    }
}

#[test]
fn golden_a_bill_of_one_host() {
    let prices = Prices::built_in().unwrap();
    let comparison = Comparison::of(Bills::of(&now(), &prices, &scale(1.0)), None);
    matches("one.txt", &comparison.text(&prices, &scale(1.0), ""));
    matches("one.json", &comparison.json(&prices, &scale(1.0)));
}

#[test]
fn golden_a_fleet_and_what_it_would_cost_otherwise() {
    let prices = Prices::built_in().unwrap();
    let mut fleet = Scale { churn: 30.0, free_tier: true, ..scale(40.0) };
    fleet.region = "eu-west-1".to_owned();
    let other: [Sent; 1] = [("cw".to_owned(), "cloudwatch", telegraf())];
    let bills = |sent: &[Sent]| Bills::of(sent, &prices, &fleet);
    let comparison = Comparison::of(bills(&now()), Some(bills(&other)));
    matches("fleet.txt", &comparison.text(&prices, &fleet, "schema = \"telegraf\""));
    matches("fleet.json", &comparison.json(&prices, &fleet));
}
