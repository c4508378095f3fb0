//! What can be configured about remote write.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;

use crate::config::SecretRef;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::config::types::Period;
use crate::platform::http;

crate::choices! {
    /// Which version of the protocol a remote-write sink speaks first.
    WriteVersion {
        /// What every receiver knows.
        "1.0" => One,
        /// With the type and help of each metric. A receiver that does not know it is sent
        /// 1.0.
        "2.0" => Two,
    }
}

crate::settings! {
    /// Metrics in Mimir, Prometheus or anything that speaks remote write.
    RemoteWriteSettings {
        /// Where to push, such as "https://mimir.example/api/v1/push".
        url: PushUrl;
        /// The protocol: "1.0", or "2.0" where the receiver knows it.
        version: WriteVersion = "1.0";
        /// The tenant, sent as X-Scope-OrgID.
        tenant: Option<String>;
        /// The user of basic authentication.
        username: Option<String>;
        /// The password of basic authentication, as a reference.
        password: Option<SecretRef>;
        /// A bearer token, as a reference.
        bearer: Option<SecretRef>;
        /// Whether requests are signed for Amazon Managed Service for Prometheus, with the
        /// credentials of the instance's role.
        sigv4: bool = false;
        /// The region that signatures are for; the instance's own where it is left out.
        region: Option<String>;
        /// A file of certificates in PEM that are trusted in place of the public ones.
        ca_file: Option<String>;
        /// The certificate that is shown to the receiver, in PEM, as a reference. Those
        /// between it and the receiver's root may follow it.
        client_certificate: Option<SecretRef>;
        /// The private key of that certificate, in PEM, as a reference.
        client_key: Option<SecretRef>;
        /// Labels on every series. `{instance_id}` and its like stand for the
        /// instance's own, as in a CloudWatch sink's dimensions.
        labels: BTreeMap<String, String> = { "instance": "{instance_id}" };
        /// How often samples are sent.
        flush: Duration as Period = "10s";
        /// How long one request may take.
        timeout: Duration = "10s";
    }
}

/// A URL to push to. It holds no user and no password: those are configured
/// apart, the password as a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushUrl(Url);

impl PushUrl {
    /// The URL that a text spells, if it is one to push to.
    pub fn parse(text: &str) -> Option<Self> {
        http::plain_url(text).map(Self)
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl Setting for PushUrl {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        // It may hold a password, so it is not shown.
        reader.spelled(node, path, Self::parse, Reader::hidden_problem, http::MUST_BE_PLAIN)
    }
}
