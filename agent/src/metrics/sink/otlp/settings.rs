//! What can be configured about an OTLP sink.

use std::collections::BTreeMap;
use std::time::Duration;

use super::resource::OtlpUrl;
use crate::config::SecretRef;
use crate::config::types::Period;

crate::choices! {
    /// How an OTLP sink says who it is.
    OtlpAuth {
        /// Not at all.
        "none" => None,
        /// With a user and a password.
        "basic" => Basic,
        /// With a token.
        "bearer" => Bearer,
        /// With a signature by the instance's role, as AWS asks for.
        "sigv4" => SigV4,
    }
}

crate::settings! {
    /// Metrics in anything that takes OpenTelemetry's protocol over HTTP, such as CloudWatch
    /// or a collector.
    OtlpSettings {
        /// Where to send, with the path, such as
        /// "https://monitoring.{region}.amazonaws.com/v1/metrics". `{region}` and its like
        /// stand for the instance's own.
        url: OtlpUrl;
        /// How gild says who it is: "none", "basic", "bearer" or "sigv4".
        auth: OtlpAuth = "none";
        /// The region that signatures are for; the instance's own where it is left out.
        region: Option<String>;
        /// The service that signatures are for.
        service: String = "monitoring";
        /// The user of basic authentication.
        username: Option<String>;
        /// The password of basic authentication, as a reference.
        password: Option<SecretRef>;
        /// A bearer token, as a reference.
        bearer: Option<SecretRef>;
        /// Headers, each value a reference.
        headers: BTreeMap<String, SecretRef> = {};
        /// Attributes of the resource, besides those that gild knows of the instance, or in
        /// their place. An empty text leaves one out.
        resource: BTreeMap<String, String> = {};
        /// The metrics to send; `*` at the end stands for any rest.
        include: Vec<String> = ["*"];
        /// The metrics that are not sent, though `include` stands for them.
        exclude: Vec<String> = [];
        /// The most series this host may send; more are refused and counted.
        max_series: u32 = 2000;
        /// The time between two points of a series. Ticks between them are not sent.
        resolution: Duration as Period = "60s";
        /// How often points are sent.
        flush: Duration as Period = "60s";
        /// How long one request may take.
        timeout: Duration = "10s";
    }
}
