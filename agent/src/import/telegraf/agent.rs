//! telegraf's `[agent]` and `[global_tags]`: what holds for all of its plugins.

use std::time::Duration;

use serde_json::Value;

use super::super::draft::Draft;
use super::super::read;
use super::super::secret::{is_secret, is_suspect};
use super::super::tree::Item;
use crate::metrics::sink::cloudwatch::limits;

/// What is sent to CloudWatch at once at the least.
const MINUTE: Duration = Duration::from_secs(60);

/// The most tags; a metric has some of its own.
const MOST_TAGS: usize = 20;

/// What is said of a flush that is shorter.
pub(super) const QUICK: &str = "CloudWatch gets the values of a minute in one call, with the same \
    statistics; remote write gets them as often as before";

/// The dimension that telegraf calls a host's name.
const HOST: &str = "host";

/// Carries what all files say together; of what stands in several, the last counts.
pub(super) fn carry(roots: &[&Item], draft: &mut Draft) {
    draft.common.insert(HOST.to_owned(), Value::from("{kernel_hostname}"));
    for agent in roots.iter().filter_map(|root| root.get("agent")) {
        of_agent(agent, draft);
        agent.carried();
    }
    for tags in roots.iter().filter_map(|root| root.get("global_tags").or_else(|| root.get("tags")))
    {
        tags.carried();
        for tag in tags.items() {
            global_tag(tag, draft);
        }
    }
}

fn of_agent(agent: &Item, draft: &mut Draft) {
    if let Some(interval) = agent.get("interval") {
        draft.interval = read::period(interval).or(draft.interval);
    }
    if let Some(flush) = agent.get("flush_interval") {
        draft.flush = read::period(flush).or(draft.flush);
        if draft.flush.is_some_and(|flush| flush < MINUTE) {
            flush.needless(QUICK);
        }
    }
    if let Some(hostname) = agent.get("hostname") {
        // An empty one is what the kernel says.
        if hostname.text() == Some("") {
            hostname.carried();
        } else if let Some(value) = common_value(hostname) {
            draft.common.insert(HOST.to_owned(), value);
        }
    }
    if read::truth(agent, "omit_hostname", false) {
        draft.common.remove(HOST);
    }
    read::needless(
        agent,
        &["round_interval", "precision", "collection_jitter", "flush_jitter", "collection_offset"],
        "gild sends whole minutes, and each host at a moment of its own",
    );
    read::needless(
        agent,
        &["metric_batch_size", "metric_buffer_limit", "buffer_strategy", "buffer_directory"],
        "gild sends as much as fits into a call, and what cannot be sent waits on disk: \
         metrics.spool",
    );
    read::needless(
        agent,
        &[
            "debug",
            "quiet",
            "logtarget",
            "logformat",
            "logfile",
            "logfile_rotation_interval",
            "logfile_rotation_max_size",
            "logfile_rotation_max_archives",
            "log_with_timezone",
            "structured_log_message_key",
        ],
        "gild logs to the journal; GILD_LOG says how much",
    );
    read::needless(
        agent,
        &["skip_processors_after_aggregators", "statefile", "snmp_translator"],
        "gild has nothing that this is about",
    );
}

/// A tag on every metric: a dimension or label there.
fn global_tag(tag: &Item, draft: &mut Draft) {
    if is_secret(&tag.key) || tag.text().is_some_and(is_suspect) {
        tag.left("it looks like a secret, which a tag must not be");
    } else if draft.common.len() >= MOST_TAGS {
        tag.left("a sink has 20 dimensions at the most, and telegraf sent ten");
    } else if !limits::is_dimension_name(&tag.key) {
        tag.left("CloudWatch takes no dimension of this name");
    } else if let Some(value) = common_value(tag) {
        draft.common.insert(tag.key.clone(), value);
    }
}

/// The value of a tag, if a dimension may have it.
fn common_value(item: &Item) -> Option<Value> {
    let text = read::text(item)?;
    if !limits::is_dimension_value(text) {
        item.left("CloudWatch takes ASCII text of up to 1024 bytes that is not empty");
        return None;
    }
    if text.contains('{') && !read::has_variable(text) {
        item.left(
            "what stands in braces is filled in by gild, and a dimension with a word that \
                   it does not know is left out",
        );
    }
    Some(Value::from(text))
}
