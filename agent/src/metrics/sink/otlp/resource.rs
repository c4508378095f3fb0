//! What the points are about, by OpenTelemetry's names for it, and where they go.
//!
//! To add an attribute: one line below.

use std::collections::BTreeMap;

use reqwest::Url;

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::identity::{Identity, Provenance};
use crate::metrics::placeholder;
use crate::platform::http;

/// What is told of every instance. Receivers that follow Prometheus make `job` and
/// `instance` of the first two.
const OF_HOST: &[(&str, &str)] = &[
    ("service.name", "gild"),
    ("service.instance.id", "{instance_id}"),
    ("host.id", "{instance_id}"),
    ("host.name", "{hostname}"),
    ("host.type", "{instance_type}"),
    ("host.image.id", "{image_id}"),
    ("cloud.account.id", "{account}"),
    ("cloud.region", "{region}"),
];

/// What is told on EC2 besides.
const OF_EC2: &[(&str, &str)] = &[("cloud.provider", "aws")];

/// The attributes of the resource, sorted by name: gild's own, changed by the configured
/// ones. What is not known of this instance is left out, and so is what is empty.
pub(super) fn attributes(
    configured: &BTreeMap<String, String>,
    identity: &Identity,
) -> Vec<(String, String)> {
    let of_ec2 = if identity.provenance == Provenance::Imds { OF_EC2 } else { &[] };
    let own = OF_HOST.iter().chain(of_ec2).map(|(name, text)| ((*name).into(), (*text).into()));
    let mut texts: BTreeMap<String, String> = own.collect();
    texts.extend(configured.clone());
    texts.remove("");
    placeholder::fill_all(&texts, identity)
}

/// A URL to send to, which may name the instance's region and its like. It holds no user and
/// no password: those are configured apart, the password as a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpUrl(String);

impl OtlpUrl {
    /// The URL that a text spells, if it is one to send to.
    pub fn parse(text: &str) -> Option<Self> {
        http::plain_url(&text.replace(['{', '}'], ""))?;
        Some(Self(text.to_owned()))
    }

    /// The URL of this instance; `None` where it names what is not known.
    pub(super) fn fill(&self, identity: &Identity) -> Option<Url> {
        http::plain_url(&placeholder::fill(&self.0, identity)?)
    }
}

impl Setting for OtlpUrl {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        // It may hold a password, so it is not shown.
        reader.spelled(node, path, Self::parse, Reader::hidden_problem, http::MUST_BE_PLAIN)
    }
}
