//! Amazon CloudWatch: PutMetricData with Values and Counts.

use std::collections::BTreeMap;
use std::time::Duration;

crate::choices! {
    /// Whose names, units and dimensions a CloudWatch sink uses.
    CloudWatchSchema {
        /// Those of the CloudWatch agent, so that its alarms keep working.
        "cwagent" => CwAgent,
    }
}

crate::settings! {
    /// Metrics in Amazon CloudWatch. Each distinct metric costs money every month.
    CloudWatchSettings {
        /// The namespace.
        namespace: String = "CWAgent";
        /// Whose names, units and dimensions are used: "cwagent".
        schema: CloudWatchSchema = "cwagent";
        /// Dimensions on every metric. `{instance_id}`, `{instance_type}`, `{image_id}`,
        /// `{autoscaling_group}`, `{hostname}` stand for the instance's own; one
        /// that is not known is left out.
        dimensions: BTreeMap<String, String> = { "InstanceId": "{instance_id}" };
        /// The metrics to send, by the schema's names; `*` at the end stands for any rest.
        include: Vec<String> = [
            "cpu_usage_active", "mem_used_percent", "disk_used_percent", "swap_used_percent",
            "services_unhealthy"
        ];
        /// How often metrics are sent.
        flush: Duration = "60s";
        /// The most distinct metrics this host may send; more are refused and counted.
        max_metrics: u32 = 10;
    }
}
