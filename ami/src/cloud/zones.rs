//! Hosted zones with their records, and the addresses that something has.

use std::collections::BTreeSet;

use aws_sdk_route53::types::ResourceRecordSet;

use super::{Cloud, CloudError, PAGE};
use crate::fleet::dns::{Record, Zone, ZoneName};

impl Cloud {
    /// The zones of these names, each with its records.
    pub async fn zones(&self, names: &[ZoneName]) -> Result<Vec<Zone>, CloudError> {
        let mut zones = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("ListHostedZones", async || {
                self.dns.list_hosted_zones().set_marker(next.clone()).send().await
            });
            let page = page.await?;
            for found in page.hosted_zones {
                let name = found.name.trim_end_matches('.').to_ascii_lowercase();
                if names.iter().any(|ZoneName(wanted)| *wanted == name) {
                    zones.push(self.zone(&found.id, name).await?);
                }
            }
            next = page.next_marker.filter(|_| page.is_truncated);
            if next.is_none() {
                return Ok(zones);
            }
        }
    }

    async fn zone(&self, id: &str, name: String) -> Result<Zone, CloudError> {
        let answer =
            self.ask("GetHostedZone", async || self.dns.get_hosted_zone().id(id).send().await);
        let answer = answer.await?;
        let config = answer.hosted_zone.and_then(|zone| zone.config);
        let networks = answer.vpcs.unwrap_or_default().into_iter();
        let regions = networks.filter_map(|vpc| vpc.vpc_region.map(|it| it.as_str().to_owned()));
        let regions: BTreeSet<_> = regions.collect();
        Ok(Zone {
            id: id.rsplit('/').next().unwrap_or(id).to_owned(),
            name,
            is_private: config.is_some_and(|config| config.private_zone),
            regions: regions.into_iter().collect(),
            records: self.records(id).await?,
        })
    }

    async fn records(&self, zone: &str) -> Result<Vec<Record>, CloudError> {
        let mut records = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("ListResourceRecordSets", async || {
                let (name, kind, id) = next.clone().unwrap_or_default();
                let call = self.dns.list_resource_record_sets().hosted_zone_id(zone);
                let call = call.set_start_record_name(name).set_start_record_type(kind);
                call.set_start_record_identifier(id).send().await
            });
            let page = page.await?;
            records.extend(page.resource_record_sets.into_iter().map(record));
            let (name, kind) = (page.next_record_name, page.next_record_type);
            next = page.is_truncated.then_some((name, kind, page.next_record_identifier));
            if next.is_none() {
                return Ok(records);
            }
        }
    }

    /// The addresses of all network interfaces: of instances, load balancers, databases and all
    /// else that a network of this region has.
    pub async fn addresses(&self) -> Result<BTreeSet<String>, CloudError> {
        let mut addresses = BTreeSet::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeNetworkInterfaces", async || {
                let call = self.ec2.describe_network_interfaces().max_results(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for interface in page.network_interfaces.unwrap_or_default() {
                addresses.extend(interface.private_ip_address);
                for address in interface.private_ip_addresses.unwrap_or_default() {
                    addresses.extend(address.association.and_then(|it| it.public_ip));
                    addresses.extend(address.private_ip_address);
                }
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(addresses);
            }
        }
    }
}

fn record(set: ResourceRecordSet) -> Record {
    let values = set.resource_records.unwrap_or_default().into_iter();
    Record {
        name: set.name.trim_end_matches('.').to_ascii_lowercase(),
        kind: set.r#type.as_str().to_owned(),
        ttl: set.ttl.unwrap_or_default(),
        values: values.map(|value| value.value).collect(),
        is_alias: set.alias_target.is_some(),
        is_one_of_many: set.set_identifier.is_some(),
    }
}
