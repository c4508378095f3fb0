//! Prometheus remote write 1.0.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::SecretRef;

crate::settings! {
    /// Metrics in Mimir, Prometheus or anything that speaks remote write.
    RemoteWriteSettings {
        /// Where to push, such as "https://mimir.example/api/v1/push".
        url: String;
        /// The tenant, sent as X-Scope-OrgID.
        tenant: Option<String>;
        /// The user of basic authentication.
        username: Option<String>;
        /// The password of basic authentication, as a reference.
        password: Option<SecretRef>;
        /// A bearer token, as a reference.
        bearer: Option<SecretRef>;
        /// Labels on every series. `{instance_id}` and its like stand for the
        /// instance's own, as in a CloudWatch sink's dimensions.
        labels: BTreeMap<String, String> = { "instance": "{instance_id}" };
        /// How often samples are sent.
        flush: Duration = "10s";
        /// How long one request may take.
        timeout: Duration = "10s";
    }
}
