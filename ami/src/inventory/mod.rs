//! An environment as its owners report it: servers, processors, memory, disk and what all of that
//! costs a month, by service and in total, against the last run.
//!
//! What is not known is said to be: a type without a price or without a size is named, and the sum
//! is then "at least". To add a format: a file with a function of an `Inventory`, and a line in
//! `Format`.

mod difference;
mod markdown;
mod picture;
mod survey;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::difference::{Difference, LastError, differences, last};
pub use self::markdown::markdown;
pub use self::picture::picture;
pub use self::survey::{Survey, survey};
pub use self::text::text;

use crate::cloud::Place;
use crate::fleet::{Tags, tag};
use crate::price::Prices;

/// What a thing without a service is counted under.
const NOBODY: &str = "(no service)";

/// What is counted, of one service or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    /// Instances that are not terminated.
    pub servers: u64,
    /// Of those, how many run.
    pub running: u64,
    /// Of those, how many are spot instances.
    pub spot: u64,
    /// Their processors.
    pub vcpus: u64,
    /// Their memory, in GiB.
    pub memory_gib: f64,
    /// Volumes, in GiB.
    pub disk_gib: u64,
    /// Images.
    pub images: u64,
    /// Snapshots, in GiB of their volumes.
    pub snapshot_gib: u64,
    /// Instances that run, a month.
    pub instances_usd: f64,
    /// Volumes, a month.
    pub volumes_usd: f64,
    /// Snapshots, a month: at most.
    pub snapshots_usd: f64,
    /// The agents' metrics, a month.
    pub metrics_usd: f64,
}

impl Sums {
    /// All of it, a month.
    pub fn usd(&self) -> f64 {
        self.instances_usd + self.volumes_usd + self.snapshots_usd + self.metrics_usd
    }

    fn add(&mut self, other: &Self) {
        self.servers += other.servers;
        self.running += other.running;
        self.spot += other.spot;
        self.vcpus += other.vcpus;
        self.memory_gib += other.memory_gib;
        self.disk_gib += other.disk_gib;
        self.images += other.images;
        self.snapshot_gib += other.snapshot_gib;
        self.instances_usd += other.instances_usd;
        self.volumes_usd += other.volumes_usd;
        self.snapshots_usd += other.snapshots_usd;
        self.metrics_usd += other.metrics_usd;
    }
}

/// An environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// Whose.
    pub account: String,
    /// Where.
    pub region: String,
    /// Which: the tags that were asked for.
    pub environment: Tags,
    /// By service.
    pub services: BTreeMap<String, Sums>,
    /// In total.
    pub total: Sums,
    /// What is not known, and so not in the sums.
    pub unknown: BTreeSet<String>,
    /// The day of the prices.
    pub prices_date: String,
    /// Where they are published.
    pub prices_sources: BTreeSet<String>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

/// The bill for the agents' metrics: of how many hosts, and what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricsBill {
    /// How many hosts it is for.
    pub hosts: f64,
    /// Dollars a month.
    pub usd: f64,
}

/// Counts what there is. `environment` are tags that an instance has.
pub fn count(
    place: &Place,
    survey: &Survey,
    environment: &Tags,
    prices: &Prices,
    bill: Option<MetricsBill>,
) -> Inventory {
    let region = place.region.as_str();
    let mut found = Inventory {
        account: place.account.clone(),
        region: region.to_owned(),
        environment: environment.clone(),
        prices_date: prices.date.clone(),
        prices_sources: prices.sources(),
        ..Inventory::default()
    };
    let mut volumes = BTreeMap::new();
    for instance in &survey.fleet.instances {
        if !environment.iter().all(|(key, value)| instance.tags.get(key) == Some(value)) {
            continue;
        }
        let service = service(&instance.tags, instance.group.as_deref());
        volumes.extend(instance.volumes.iter().map(|id| (id.as_str(), service.clone())));
        let sums = found.services.entry(service).or_default();
        let kind = instance.instance_type.as_str();
        sums.servers += 1;
        sums.spot += u64::from(instance.is_spot);
        let size = survey.types.get(kind);
        match (instance.cpus, size) {
            (0, None) => drop(found.unknown.insert(format!("the processors of {kind}"))),
            (0, Some(size)) => sums.vcpus += u64::from(size.vcpus),
            (cpus, _) => sums.vcpus += u64::from(cpus),
        }
        match size {
            Some(size) => sums.memory_gib += size.memory_mib as f64 / 1024.0,
            None => drop(found.unknown.insert(format!("the memory of {kind}"))),
        }
        if instance.state == "running" {
            sums.running += 1;
            match prices.instance(region, kind, instance.is_spot) {
                Some(usd) => sums.instances_usd += usd,
                None => drop(found.unknown.insert(format!("the price of {kind}"))),
            }
        }
    }
    for volume in &survey.fleet.volumes {
        let Some(service) = volumes.get(volume.id.as_str()) else { continue };
        let sums = found.services.entry(service.clone()).or_default();
        sums.disk_gib += volume.size_gib;
        match prices.volume(region, volume) {
            Some(usd) => sums.volumes_usd += usd,
            None => drop(found.unknown.insert(format!("the price of volumes of {}", volume.kind))),
        }
    }
    add_images(&mut found, survey, prices);
    if prices.stands_in(region) {
        let other = &prices.default_region;
        found.notes.push(format!("{region} has no prices here: they are those of {other}"));
    }
    let servers: u64 = found.services.values().map(|sums| sums.servers).sum();
    match bill {
        Some(bill) if bill.hosts == servers as f64 && servers > 0 => {
            for sums in found.services.values_mut() {
                sums.metrics_usd = bill.usd * sums.servers as f64 / servers as f64;
            }
        }
        Some(bill) => {
            let hosts = bill.hosts;
            found.unknown.insert(format!(
                "the price of metrics: the bill is for {hosts} hosts, not {servers}"
            ));
        }
        None => {
            found.notes.push("metrics are not reckoned: no bill was given (--metrics)".to_owned())
        }
    }
    for sums in found.services.values() {
        found.total.add(sums);
    }
    found
}

/// Images, and snapshots. They belong to an account's region, not to an environment: only those of
/// its services are counted.
fn add_images(found: &mut Inventory, survey: &Survey, prices: &Prices) {
    let is_whole = found.environment.is_empty();
    let region = found.region.clone();
    let by_snapshot: BTreeMap<&str, &Tags> = survey
        .fleet
        .images
        .iter()
        .flat_map(|image| image.snapshots.iter().map(move |id| (id.as_str(), &image.tags)))
        .collect();
    for image in &survey.fleet.images {
        let service = service(&image.tags, None);
        if is_whole || found.services.contains_key(&service) {
            found.services.entry(service).or_default().images += 1;
        }
    }
    for snapshot in &survey.fleet.snapshots {
        let tags = by_snapshot.get(snapshot.id.as_str()).copied().unwrap_or(&snapshot.tags);
        let service = service(tags, None);
        if !is_whole && !found.services.contains_key(&service) {
            continue;
        }
        let sums = found.services.entry(service).or_default();
        sums.snapshot_gib += snapshot.size_gib;
        match prices.snapshot(&region, snapshot) {
            Some(usd) => sums.snapshots_usd += usd,
            None => {
                let what = format!("the price of snapshots of tier {}", snapshot.tier);
                found.unknown.insert(what);
            }
        }
    }
}

fn service(tags: &Tags, group: Option<&str>) -> String {
    let app = tags.get(tag::APP).map(String::as_str).filter(|app| !app.is_empty());
    app.or(group).unwrap_or(NOBODY).to_owned()
}

#[cfg(test)]
mod tests;
