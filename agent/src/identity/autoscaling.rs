//! The tags of the instance's group, from the Auto Scaling API: for instances
//! whose metadata does not hold tags, which is how they are launched unless
//! somebody says otherwise.
//!
//! One attempt; who asks says when to try again.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::Filter;

use super::imds::WantedTags;
use crate::platform::aws::AwsError;
use crate::platform::retry::{Retryable, Verdict};

/// The group that an instance belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its tags, as far as they are wanted.
    pub tags: BTreeMap<String, String>,
}

/// The API gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("failed to call {operation}")]
pub struct GroupError {
    operation: &'static str,
    #[source]
    source: AwsError,
}

impl GroupError {
    /// Whether this instance may not ask.
    pub fn is_denied(&self) -> bool {
        self.source.is_denied()
    }
}

impl Retryable for GroupError {
    fn verdict(&self) -> Verdict {
        self.source.verdict()
    }
}

/// The group of an instance; `None` where it belongs to none.
pub async fn group(
    config: &SdkConfig,
    instance: &str,
    wanted: &WantedTags,
) -> Result<Option<Group>, GroupError> {
    let client = Client::new(config);
    let answer = client.describe_auto_scaling_instances().instance_ids(instance).send().await;
    let answer = answer.map_err(|error| GroupError {
        operation: "DescribeAutoScalingInstances",
        source: error.into(),
    })?;
    let of_instance = answer
        .auto_scaling_instances()
        .iter()
        .find(|found| found.instance_id() == Some(instance))
        .and_then(|found| found.auto_scaling_group_name());
    let Some(name) = of_instance else { return Ok(None) };
    let filter = Filter::builder().name("auto-scaling-group").values(name).build();
    let mut tags = BTreeMap::new();
    let mut next = None;
    loop {
        let request = client.describe_tags().filters(filter.clone()).set_next_token(next);
        let page = request
            .send()
            .await
            .map_err(|error| GroupError { operation: "DescribeTags", source: error.into() })?;
        for tag in page.tags() {
            let (Some(key), Some(value)) = (tag.key(), tag.value()) else { continue };
            if tag.resource_id() == Some(name) && wanted.wants(key) {
                tags.insert(key.to_owned(), value.to_owned());
            }
        }
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(Some(Group { name: name.to_owned(), tags }));
        }
    }
}
