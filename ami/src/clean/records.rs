//! Address records of private zones. Route 53 keeps no age of a record, so that the floor cannot
//! be held to them; instead nothing may have any of their addresses, in any region whose networks
//! see the zone.

use std::collections::BTreeSet;

use super::{Kind, Rules, Survey};
use crate::fleet::Tags;
use crate::fleet::dns::Zone;
use crate::plan::{Action, Plan};

/// Plans for the records of the zones that were asked for.
pub(super) fn plan(plan: &mut Plan, survey: &Survey, rules: &Rules, gone: &BTreeSet<&str>) {
    if !rules.has(Kind::Records) {
        return;
    }
    let instances = survey.fleet.instances.iter();
    let leaving: BTreeSet<&str> = instances
        .filter(|instance| gone.contains(instance.id.as_str()))
        .flat_map(|instance| instance.addresses.iter().map(String::as_str))
        .collect();
    for zone in &survey.zones {
        if let Some(why) = unfit(zone, survey) {
            plan.keep(&zone.id, &zone.name, why);
            continue;
        }
        for record in zone.records.iter().filter(|record| record.kind == "A" && !record.is_alias) {
            let Some(name) = record.name.strip_suffix(&format!(".{}", zone.name)) else { continue };
            // Records have no tags: they are meant by their names alone.
            let by_name = Rules { tags: Tags::new(), ..rules.clone() };
            if !by_name.mean(name, &Tags::new()) {
                continue;
            }
            let taken = zone.regions.iter().filter_map(|region| survey.addresses.get(region));
            let taken = |address: &String| taken.clone().any(|all| all.contains(address));
            let used = record
                .values
                .iter()
                .find(|address| taken(address) && !leaving.contains(address.as_str()));
            let object = format!("{} {}", record.name, record.kind);
            match used {
                _ if record.values.is_empty() => {
                    plan.keep(&object, &zone.name, "it has no address")
                }
                _ if record.is_one_of_many => {
                    plan.keep(&object, &zone.name, "it is one of several of that name");
                }
                Some(address) => {
                    plan.keep(&object, &zone.name, format!("in use: something has {address}"));
                }
                None => {
                    let action =
                        Action::DeleteRecord { zone: zone.id.clone(), record: record.clone() };
                    plan.step(action, &zone.name, "meant by its name, and nothing has its address");
                }
            }
        }
    }
}

/// Why nothing can be said of a zone's records.
fn unfit(zone: &Zone, survey: &Survey) -> Option<String> {
    if !zone.is_private {
        return Some("a public zone: its addresses may be anywhere".to_owned());
    }
    let unknown = zone.regions.iter().find(|region| !survey.addresses.contains_key(*region));
    match unknown {
        Some(region) => Some(format!("region {region} sees it, and was not looked at")),
        None => zone.regions.is_empty().then(|| "no network sees it".to_owned()),
    }
}
