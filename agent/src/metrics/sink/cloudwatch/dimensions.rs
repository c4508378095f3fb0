//! The dimensions of a metric in full: those on every metric, and its own.

use std::collections::BTreeMap;

use super::datum::Metric;
use super::limits;
use super::schema::{Schema, VOLUME};
use crate::identity::Identity;
use crate::metrics::placeholder;
use crate::metrics::sink::BuildError;

/// What stands for the volume of each disk.
const OF_DISK: &str = "{volume_id}";

/// What differs from instance to instance of a group.
const OF_INSTANCE: [&str; 4] = ["{instance_id}", "{hostname}", "{kernel_hostname}", "{private_ip}"];

/// How many dimensions telegraf sends at most.
const MOST_OF_TELEGRAF: usize = 10;

/// The dimensions that a schema adds at most.
const MOST_OWN: usize = 5;

/// The dimensions on every metric.
#[derive(Debug, Default)]
pub struct Dimensions {
    /// Names and values.
    pub common: Vec<(String, String)>,
    /// Whether disks are told by their EBS volumes as well.
    pub volumes: bool,
    /// Whether `host` comes first and the others follow by name, ten at most.
    pub host_first: bool,
}

impl Dimensions {
    /// The configured dimensions, or those of the schema; for an instance, or for its group.
    pub fn new(
        configured: Option<&BTreeMap<String, String>>,
        schema: &Schema,
        group: bool,
        identity: &Identity,
    ) -> Result<Self, BuildError> {
        let of_schema = if group { GROUP } else { schema.dimensions };
        let of_schema = || of_schema.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        let mut wanted = configured.cloned().unwrap_or_else(|| of_schema().collect());
        let refused = |name: &str, expected| {
            let key = ["dimensions.", name].concat();
            Err(BuildError::Refused { key, expected })
        };
        let volumes = wanted.get(VOLUME).is_some_and(|text| text == OF_DISK);
        if volumes {
            wanted.remove(VOLUME);
        }
        for (name, text) in &wanted {
            if text.contains(OF_DISK) {
                return refused(name, "named VolumeId and be \"{volume_id}\" alone");
            }
            if group && OF_INSTANCE.iter().any(|word| text.contains(word)) {
                return refused(name, "the same on every instance, because per is \"group\"");
            }
            if group && placeholder::fill(text, identity).is_none_or(|value| value.is_empty()) {
                let key = ["dimensions.", name].concat();
                return Err(BuildError::NoGroup { key, text: text.clone() });
            }
        }
        let common = placeholder::fill_all(&wanted, identity);
        if common.len() + MOST_OWN > limits::DIMENSIONS {
            let key = "dimensions".to_owned();
            return Err(BuildError::Refused { key, expected: "at most 25 entries" });
        }
        for (name, value) in &common {
            if !limits::is_dimension_name(name) || !limits::is_dimension_value(value) {
                let expected =
                    "ASCII text, its name of up to 255 bytes and its value of up to 1024";
                return refused(name, expected);
            }
        }
        Ok(Self { common, volumes, host_first: schema.host_first })
    }

    /// The dimensions of a metric: those on every metric, then its own, which win. Those without a
    /// value are left out.
    pub fn of<'a>(&'a self, metric: &'a Metric) -> Vec<(&'a str, &'a str)> {
        let own = metric.about.iter().map(|(name, value)| (*name, &**value));
        let taken = |name: &str| metric.about.iter().any(|(own, _)| *own == name);
        let common = self.common.iter().filter(|(name, _)| !taken(name));
        let common = common.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut all: Vec<_> = common.chain(own.filter(|(_, value)| !value.is_empty())).collect();
        if self.host_first {
            all.sort_unstable_by_key(|(name, _)| (*name != "host", *name));
            all.truncate(MOST_OF_TELEGRAF);
        }
        all
    }
}

/// The dimensions of a group, where none are configured.
const GROUP: &[(&str, &str)] = &[("AutoScalingGroupName", "{autoscaling_group}")];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::super::schema::{CloudWatchSchema, Unit};
    use super::*;
    use crate::metrics::placeholder::tests::identity;

    fn metric(about: &[(&'static str, &str)]) -> Metric {
        let about = about.iter().map(|(name, value)| (*name, Arc::from(*value))).collect();
        Metric { place: 0, name: "x", about, unit: Unit::None, high: false }
    }

    fn of(
        configured: Option<&[(&str, &str)]>,
        schema: CloudWatchSchema,
        group: bool,
        identity: &Identity,
    ) -> Result<Dimensions, String> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let configured = configured.map(|entries| entries.iter().map(owned).collect());
        Dimensions::new(configured.as_ref(), schema.schema(), group, identity)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_metrics_own_dimension_wins_and_an_empty_one_is_none() {
        let common = [("path", "x"), ("InstanceId", "i-1")];
        let dimensions = of(Some(&common), CloudWatchSchema::CwAgent, false, &identity()).unwrap();
        let all = metric(&[("path", "/"), ("fstype", "")]);
        assert_eq!(dimensions.of(&all), [("InstanceId", "i-1"), ("path", "/")]);
    }

    #[test]
    fn telegraf_has_the_host_first_and_ten_in_all() {
        let dimensions = of(None, CloudWatchSchema::Telegraf, false, &identity()).unwrap();
        let kernel = placeholder::fill("{kernel_hostname}", &identity()).unwrap();
        assert_eq!(dimensions.common, [("host".to_owned(), kernel.clone())]);
        let disk = metric(&[("path", "/"), ("device", "sda"), ("mode", "rw")]);
        let expected = [("host", &*kernel), ("device", "sda"), ("mode", "rw"), ("path", "/")];
        assert_eq!(dimensions.of(&disk), expected);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "host", "i", "j", "k"];
        let many = names.map(|name| (name, "x"));
        let dimensions = of(Some(&many), CloudWatchSchema::Telegraf, false, &identity()).unwrap();
        let sent: Vec<_> = dimensions.of(&disk).iter().map(|(name, _)| *name).collect();
        assert_eq!(sent, ["host", "a", "b", "c", "d", "device", "e", "f", "g", "h"]);
    }

    #[test]
    fn a_group_has_its_name_instead_of_an_instances() {
        let mut identity = identity();
        let group = |configured, identity: &Identity| {
            of(configured, CloudWatchSchema::CwAgent, true, identity)
        };
        let error = group(None, &identity).unwrap_err();
        assert!(error.contains("{autoscaling_group}"), "{error}");
        identity.autoscaling_group = Some("web".to_owned());
        let own = group(None, &identity).unwrap();
        assert_eq!(own.common, [("AutoScalingGroupName".to_owned(), "web".to_owned())]);
        let error = group(Some(&[("Id", "x-{instance_id}")]), &identity).unwrap_err();
        assert_eq!(
            error,
            "'dimensions.Id' must be the same on every instance, because per is \"group\""
        );
        assert!(group(Some(&[("Service", "web")]), &identity).is_ok());
    }

    #[test]
    fn the_volume_of_a_disk_has_one_name() {
        let of = |entry| of(Some(&[entry]), CloudWatchSchema::CwAgent, false, &identity());
        let volumes = of((VOLUME, OF_DISK)).unwrap();
        assert!(volumes.volumes && volumes.common.is_empty());
        assert!(of(("Volume", "{volume_id}")).unwrap_err().contains("VolumeId"));
        assert!(!of(("InstanceId", "{instance_id}")).unwrap().volumes);
    }
}
