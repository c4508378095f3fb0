//! What can be configured about pages of others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::config::types::Period;
use crate::metrics::sink::remote_write::encode::is_label_name;
use crate::platform::http::plain_url;

crate::settings! {
    /// A page of metrics in Prometheus' text format, which another program on this
    /// host serves. Its metrics have the label `job` with the name of this table.
    ScrapeSettings {
        /// The page, such as "http://127.0.0.1:9121/metrics".
        url: Url as PageUrl;
        /// How often the page is fetched. In between, ticks have what it last said.
        interval: Duration as Period = "10s";
        /// How long fetching the page may take.
        timeout: Duration = "5s";
        /// The metrics to take; `*` at the end stands for any rest.
        include: Vec<String> = ["*"];
        /// The metrics to leave out of those.
        exclude: Vec<String> = [];
        /// Labels for all of its metrics. One named `job` replaces the name of this table.
        labels: BTreeMap<String, String> as PageLabels = {};
        /// A page of more bytes than this is not taken.
        max_bytes: u32 as AtMost<16000000> = 1000000;
        /// A page from which more samples than this would be taken is not taken.
        max_samples: u32 as AtMost<20000> = 2000;
    }
}

/// A number with a ceiling, for what it allows takes memory.
#[derive(Debug)]
pub struct AtMost<const MOST: u32>(u32);

impl<const MOST: u32> Setting for AtMost<MOST> {
    fn shape() -> Shape {
        u32::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let number = u32::read(node, path, reader)?;
        if number > MOST {
            reader.problem(node, path, &format!("must be at most {MOST}"));
            return None;
        }
        Some(Self(number))
    }
}

impl<const MOST: u32> From<AtMost<MOST>> for u32 {
    fn from(number: AtMost<MOST>) -> Self {
        number.0
    }
}

/// A page on this host. What others can reach, Prometheus fetches by itself, and
/// a tag must not make an instance ask for what only that instance may see.
#[derive(Debug)]
pub struct PageUrl(Url);

impl Setting for PageUrl {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let message = "must be a URL on this host, such as \"http://127.0.0.1:9121/metrics\", \
                       without user or password";
        // It may hold a password, so it is not shown.
        reader.spelled(node, path, page_url, Reader::hidden_problem, message).map(Self)
    }
}

impl From<PageUrl> for Url {
    fn from(url: PageUrl) -> Self {
        url.0
    }
}

/// The URL of a page on this host that a text spells, if it is one.
pub fn page_url(text: &str) -> Option<Url> {
    plain_url(text).filter(is_here)
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Labels that a receiver takes.
#[derive(Debug)]
pub struct PageLabels(BTreeMap<String, String>);

impl Setting for PageLabels {
    fn shape() -> Shape {
        <BTreeMap<String, String>>::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let labels = <BTreeMap<String, String>>::read(node, path, reader)?;
        if labels.len() <= 10 && labels.keys().all(|name| is_label_name(name)) {
            return Some(Self(labels));
        }
        let message = "must be at most 10 labels, named with letters, digits and underscores, two \
                       of which do not come first";
        reader.problem(node, path, message);
        None
    }
}

impl From<PageLabels> for BTreeMap<String, String> {
    fn from(labels: PageLabels) -> Self {
        labels.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LayerName, Origin};

    #[test]
    fn only_pages_of_this_host_are_fetched() {
        let here = |text| plain_url(text).is_some_and(|url| is_here(&url));
        for text in [
            "http://127.0.0.1:9121/metrics",
            "https://localhost/",
            "http://[::1]:9/",
            "http://127.1/",
        ] {
            assert!(here(text), "{text}");
        }
        for text in [
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/",
            "http://0.0.0.0:9121/",
            "http://localhost.example/",
            "http://me:hush@127.0.0.1/",
            "http://[fd00:ec2::254]/",
            "unix:///run/x",
        ] {
            assert!(!here(text), "{text}");
        }
    }

    #[test]
    fn what_takes_memory_has_a_ceiling_and_labels_have_names_that_receivers_take() {
        let origin = Origin {
            layer: LayerName::Local,
            source: "x".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let problems = |key: &str, value: serde_json::Value| {
            let table = serde_json::json!({ "url": "http://127.0.0.1:9/", key: value });
            let mut reader = Reader::default();
            let node = Node::from_value(&table, &origin);
            let settings = ScrapeSettings::read(&node, &KeyPath::root(), &mut reader);
            assert_eq!(settings.is_some(), reader.problems.is_empty());
            reader.problems.len()
        };
        assert_eq!(problems("max_bytes", 16_000_000.into()), 0);
        assert_eq!(problems("max_bytes", 16_000_001.into()), 1);
        assert_eq!(problems("max_samples", 20_001.into()), 1);
        assert_eq!(problems("labels", serde_json::json!({ "team": "core" })), 0);
        assert_eq!(problems("labels", serde_json::json!({ "__team": "core" })), 1);
        assert_eq!(problems("labels", serde_json::json!({ "a b": "core" })), 1);
    }
}
