//! What can be configured about a CloudWatch sink.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schema::CloudWatchSchema;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::config::types::Period;

crate::choices! {
    /// Whether each instance has metrics of its own.
    CloudWatchPer {
        /// Each instance has metrics of its own.
        "instance" => Instance,
        /// All instances of a group put their values to the same metrics.
        "group" => Group,
    }
}

crate::settings! {
    /// Metrics in Amazon CloudWatch. Each distinct metric costs money every month.
    CloudWatchSettings {
        /// The namespace.
        namespace: String = "CWAgent";
        /// Whose names, units and dimensions are used: "cwagent" (the CloudWatch agent's),
        /// "telegraf" (also cumulative counters, and no units) or "native" (short, few dimensions).
        schema: CloudWatchSchema = "cwagent";
        /// "group": all instances put their values to the same metrics, which are billed once for
        /// the group. There is no telling which instance is meant, but the maximum is the worst one's.
        per: CloudWatchPer = "instance";
        /// Dimensions on every metric. `{instance_id}`, `{instance_type}`, `{image_id}`,
        /// `{autoscaling_group}`, `{hostname}`, `{kernel_hostname}` stand for the instance's own;
        /// one that is not known is left out. `VolumeId = "{volume_id}"` tells disks by their EBS volumes.
        /// Without this it is InstanceId; host for "telegraf"; AutoScalingGroupName for a group.
        dimensions: Option<BTreeMap<String, String>>;
        /// The metrics to send, by the schema's names; `*` at the end stands for any rest, but with
        /// "cwagent" diskio, netstat and processes are sent only where a pattern begins with that word.
        /// `disk_*{path=/}` are only those with that dimension, `disk_*{path!=/boot,path!=/srv}` those
        /// with neither; `cpu_*{cpu=*}` also those of single
        /// processors, which "telegraf" sends anyway. Without this it is processor, memory, disks,
        /// swap and services_unhealthy, under the schema's names.
        include: Option<Vec<String>>;
        /// The metrics to send in high resolution, each value with its own second, written as in
        /// `include`. Alarms on them can look every ten seconds, and cost three times as much;
        /// `flush` has to be as short as they shall be quick.
        high_resolution: Vec<String> = [];
        /// How often metrics are sent, up to "300s". From "60s" on, whole minutes are sent.
        flush: Duration as Flush = "60s";
        /// The most distinct metrics this host may send; more are refused and counted.
        max_metrics: u32 = 10;
    }
}

impl CloudWatchSettings {
    /// The patterns of what is sent.
    pub fn patterns(&self) -> Vec<&str> {
        match &self.include {
            Some(include) => include.iter().map(String::as_str).collect(),
            None => self.schema.schema().include.to_vec(),
        }
    }
}

/// How often metrics are sent. Alarms would wait too long for what comes more seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flush(Duration);

impl Flush {
    const LONGEST: Duration = Duration::from_secs(300);
}

impl Setting for Flush {
    fn shape() -> Shape {
        Shape::Duration
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let flush = Duration::from(Period::read(node, path, reader)?);
        if flush > Self::LONGEST {
            let message = "must be at most \"300s\": it sends five whole minutes in one call, \
                and alarms wait for what comes later";
            reader.problem(node, path, message);
            return None;
        }
        Some(Self(flush))
    }
}

impl From<Flush> for Duration {
    fn from(flush: Flush) -> Self {
        flush.0
    }
}
