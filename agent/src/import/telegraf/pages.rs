//! telegraf's `inputs.prometheus`: pages of metrics, which gild takes from this host only.

use serde_json::{Map, Value};

use super::super::draft::{Draft, Section};
use super::super::read;
use super::super::secret::{is_secret, is_suspect};
use super::super::tree::Item;
use super::super::write::length;
use crate::metrics::scrape::settings::page_url;
use crate::metrics::sink::remote_write::encode::is_label_name;

/// The most labels that a page may add.
const MOST_LABELS: usize = 10;

pub(super) fn prometheus(table: &Item, draft: &mut Draft) {
    let interval = table.get("interval").and_then(read::period);
    let timeout = ["timeout", "response_timeout"].iter().find_map(|key| table.get(key));
    let timeout = timeout.and_then(read::timeout);
    let include = table.get("namepass").map(names).unwrap_or_default();
    let exclude = table.get("namedrop").map(names).unwrap_or_default();
    let labels = table.get("tags").map(labels).unwrap_or_default();
    if let Some(urls) = table.get("urls") {
        let mut wrong = false;
        for text in urls.texts().unwrap_or_default() {
            let plain = !text.contains('?') && !read::has_variable(text);
            // Without a path, telegraf asks for this one.
            let text = match text.split_once("://").is_some_and(|(_, rest)| !rest.contains('/')) {
                true => [text, "/metrics"].concat(),
                false => text.to_owned(),
            };
            let Some(url) = page_url(&text).filter(|_| plain && !draft.is_full()) else {
                wrong = true;
                continue;
            };
            let wish = url.port().map_or_else(|| "page".to_owned(), |port| format!("port-{port}"));
            let comment = "Its metrics keep their names, and go to remote write only.";
            let mut section = Section::new(draft.header("scrape", &wish), comment);
            section.set("url", text);
            for (key, value) in [("interval", interval), ("timeout", timeout)] {
                if let Some(value) = value {
                    section.set(key, length(value));
                }
            }
            for (key, names) in [("include", &include), ("exclude", &exclude)] {
                if !names.is_empty() {
                    section.set(key, names.clone());
                }
            }
            if !labels.is_empty() {
                section.set("labels", labels.clone());
            }
            draft.sections.push(section);
        }
        match wrong {
            false => urls.carried(),
            true => urls.left(
                "gild takes pages of this host: a plain URL at 127.0.0.1, [::1] or localhost, into \
                 [scrape.NAME] url; others are for Prometheus itself",
            ),
        }
        table.left("CloudWatch sends none of it: a [sink.NAME] with type = \"remote_write\" does");
    } else {
        table.left("gild finds no pages by itself; name each as [scrape.NAME] url");
    }
    read::needless(
        table,
        &["metric_version", "url_tag", "enable_http2", "content_length_limit"],
        "gild keeps the names of the page, and labels with job and instance",
    );
    read::left(
        table,
        &["fieldpass", "fielddrop", "fieldinclude", "fieldexclude", "tagpass", "tagdrop"],
        "gild chooses by names: include and exclude of the page",
    );
}

/// Patterns of names; nothing, with a note, where gild cannot have them.
fn names(item: &Item) -> Vec<Value> {
    let fits = |text: &&str| {
        let plain = text.strip_suffix('*').unwrap_or(text);
        plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte))
    };
    match item.texts().filter(|texts| texts.iter().all(fits)) {
        Some(texts) => {
            item.carried();
            texts.into_iter().map(Value::from).collect()
        }
        None => {
            item.left("gild's patterns have one * at their end: write include or exclude anew");
            Vec::new()
        }
    }
}

/// Labels for all metrics of the page.
fn labels(table: &Item) -> Map<String, Value> {
    let mut labels = Map::new();
    for item in table.items() {
        let secret = is_secret(&item.key) || item.text().is_some_and(is_suspect);
        if secret || labels.len() == MOST_LABELS || !is_label_name(&item.key) {
            item.left("a page has up to ten labels, of letters, digits and _, and no secrets");
        } else if let Some(text) = read::text(item) {
            labels.insert(item.key.clone(), Value::from(text));
        }
    }
    labels
}
