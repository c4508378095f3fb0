#![allow(clippy::unwrap_used)]
use std::time::Duration;

use super::*;

pub(in crate::cost) fn lean() -> Usage {
    let names = [
        "cpu_usage_active",
        "disk_used_percent",
        "mem_used_percent",
        "services_unhealthy",
        "swap_used_percent",
    ];
    Usage {
        tariff: Some("cloudwatch"),
        metrics: names.map(|name| (name.to_owned(), 1)).into(),
        every: Duration::from_secs(60),
        requests: 1,
        samples: 5,
        bytes: 1000,
        ..Usage::default()
    }
}

pub(in crate::cost) fn scale(hosts: f64) -> Scale {
    Scale { hosts, churn: 0.0, free_tier: false, region: "us-east-1".to_owned() }
}

fn bill(usages: &[Usage], scale: &Scale) -> Bill {
    let sent = |usage: &Usage| ("a".to_owned(), "cloudwatch", usage.clone());
    let sinks: Vec<Sent> = usages.iter().map(sent).collect();
    of(&sinks, &Prices::built_in().unwrap(), scale)
}

fn cents(usd: f64) -> f64 {
    (usd * 100.0).round()
}

#[test]
fn a_group_pays_its_metrics_once_and_its_calls_for_each_host() {
    let group = Usage { shared: true, every: Duration::from_secs(300), ..lean() };
    let hundred = Scale { churn: 50.0, ..scale(100.0) };
    assert_eq!(cents(bill(&[group], &hundred).usd), 150.0 + 876.0);
}

#[test]
fn each_instance_that_takes_a_place_costs_an_hour_more() {
    let churn = Scale { churn: 730.0, ..scale(1.0) };
    assert_eq!(cents(bill(&[lean()], &churn).usd), 300.0 + 44.0);
}

#[test]
fn what_is_free_is_taken_off_once_for_the_account() {
    let free = |hosts| Scale { free_tier: true, ..scale(hosts) };
    let one = bill(&[lean()], &free(1.0));
    assert_eq!((cents(one.gross_usd), one.gross_usd, one.usd), (194.0, one.free_usd, 0.0));
    // 15 metrics, of which 10 are free; 131,400 calls, all free.
    assert_eq!(cents(bill(&[lean()], &free(3.0)).usd), 150.0);
    let two = bill(&[lean(), lean()], &free(2.0));
    assert_eq!(cents(two.usd), 300.0, "20 metrics of two sinks, 10 of them free");
}

#[test]
fn sinks_share_the_tiers_of_the_account() {
    // 10,000 metrics at $0.30 and 10,000 at $0.10.
    let many = Usage { requests: 0, ..lean() };
    let bill = bill(&[many.clone(), many], &scale(2000.0));
    assert_eq!(cents(bill.usd), 400_000.0);
    assert_eq!(bill.sinks.iter().map(|item| cents(item.usd.unwrap())).sum::<f64>(), 400_000.0);
    let lines = bill.sinks[0].by_metric.iter().map(|line| line.usd.unwrap());
    assert_eq!(cents(lines.sum()), 200_000.0);
}

#[test]
fn nobody_bills_a_receiver_of_ones_own_but_its_traffic_is_told() {
    let own = Usage { tariff: None, every: Duration::from_secs(10), ..lean() };
    let bill = bill(&[own], &scale(1.0));
    assert_eq!((bill.usd, bill.complete, bill.sinks[0].usd), (0.0, true, Some(0.0)));
    assert!(bill.accounts.is_empty());
    assert!((bill.sinks[0].amounts[&Unit::Gigabytes] - 0.2628).abs() < 1e-9, "{bill:?}");
    assert_eq!(bill.sinks[0].amounts[&Unit::Samples], 1_314_000.0);
}

#[test]
fn what_has_no_known_price_is_no_zero() {
    for tariff in ["amp", "nobody has heard of it"] {
        let managed = Usage { tariff: Some(tariff), ..lean() };
        let bill = bill(&[lean(), managed], &scale(1.0));
        assert_eq!((cents(bill.usd), bill.complete), (194.0, false));
        assert_eq!(bill.sinks[1].usd, None);
    }
}

#[test]
fn what_is_billed_by_the_sample_or_the_gigabyte_is_priced_by_a_file_that_says_so() {
    let text = include_str!("../../../../config/prices.toml");
    let rows = "\n[tariff.amp.region.us-east-1]\nsamples = [{ usd = 1.0, per = 1_000_000 }]\n\
        gigabytes = [{ usd = 2.0 }]\n";
    let prices = Prices::parse(&format!("{text}{rows}")).unwrap();
    let managed = Usage { tariff: Some("amp"), every: Duration::from_secs(10), ..lean() };
    let bill = of(&[("m".to_owned(), "remote_write", managed)], &prices, &scale(10.0));
    // 13.14 million samples and 2.628 GB; neither metrics nor calls.
    assert_eq!((cents(bill.usd), bill.complete), (1314.0 + 526.0, true));
}

#[test]
fn a_region_without_prices_is_marked() {
    let far = Scale { region: "eu-west-1".to_owned(), ..scale(1.0) };
    let [far, near] = [far, scale(1.0)].map(|scale| bill(&[lean()], &scale));
    let region =
        |bill: &Bill| (bill.accounts[0].region.clone().unwrap(), bill.accounts[0].other_region);
    assert_eq!(region(&far), ("us-east-1".to_owned(), true));
    assert_eq!(region(&near), ("us-east-1".to_owned(), false));
}

/// The numbers that a page reckons by hand stand in lines of their own, `= $1.94`.
#[test]
fn the_lean_default_costs_what_the_docs_reckon_by_hand() {
    let page = include_str!("../../../../config/cost.md");
    let sum = |words: &str| {
        let line = page.lines().find(|line| line.trim_start().starts_with(words)).unwrap();
        line.rsplit_once('$').unwrap().1.trim().parse::<f64>().unwrap()
    };
    let lean_bill = bill(&[lean()], &scale(1.0));
    let amounts = &lean_bill.accounts[0].amounts;
    let text = |unit: Unit| super::super::render::number(amounts[&unit]);
    let line =
        |words: &str| page.lines().find(|line| line.trim_start().starts_with(words)).unwrap();
    assert!(line("metrics ").contains(&format!("{} × $0.30", text(Unit::Metrics))));
    assert!(line("requests ").contains(&format!("{} × $0.01", text(Unit::Requests))));
    assert_eq!(cents(sum("metrics ")) + cents(sum("requests ")), cents(lean_bill.usd));
    assert_eq!(cents(sum("together ")), cents(lean_bill.usd));
    let thrift = Usage { every: Duration::from_secs(300), ..lean() };
    assert_eq!(cents(sum("every five minutes ")), cents(bill(&[thrift], &scale(1.0)).usd));
    let group = Usage { shared: true, every: Duration::from_secs(300), ..lean() };
    assert_eq!(cents(sum("a group of 100 ")), cents(bill(&[group], &scale(100.0)).usd));
    let spot = Scale { churn: 30.0, ..scale(40.0) };
    assert_eq!(cents(sum("40 spot hosts ")), cents(bill(&[lean()], &spot).usd));
}
