//! Changes to groups: their scheduled actions, their sizes and their tags.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::{
    FailedScheduledUpdateGroupActionRequest, ScheduledUpdateGroupActionRequest, Tag,
};

use super::StepError;
use crate::cloud::{Cloud, CloudError};
use crate::fleet::Tags;
use crate::fleet::schedules::{Scheduled, Sizes};

/// What kind of thing a tag of a group is of.
const KIND: &str = "auto-scaling-group";

impl Cloud {
    /// AWS answers with success where it has refused some of them, and names those.
    pub(super) async fn schedule(
        &self,
        group: &str,
        actions: &[Scheduled],
    ) -> Result<(), StepError> {
        let requests: Vec<_> = actions.iter().map(request).collect();
        let answer = self.ask("BatchPutScheduledUpdateGroupAction", async || {
            let call = self.scaling.batch_put_scheduled_update_group_action();
            let call = call.auto_scaling_group_name(group);
            call.set_scheduled_update_group_actions(Some(requests.clone())).send().await
        });
        let refused = answer.await?.failed_scheduled_update_group_actions;
        refused.unwrap_or_default().first().map_or(Ok(()), |refused| Err(part(refused)))
    }

    /// Actions that are not there are done with.
    pub(super) async fn unschedule(
        &self,
        group: &str,
        actions: &BTreeSet<String>,
    ) -> Result<(), StepError> {
        let names: Vec<_> = actions.iter().cloned().collect();
        let answer = self.ask("BatchDeleteScheduledAction", async || {
            let call = self.scaling.batch_delete_scheduled_action();
            let call = call.auto_scaling_group_name(group);
            call.set_scheduled_action_names(Some(names.clone())).send().await
        });
        let refused = answer.await?.failed_scheduled_actions.unwrap_or_default();
        let is_there = |refused: &&FailedScheduledUpdateGroupActionRequest| {
            !refused.error_message.as_deref().unwrap_or_default().contains("not found")
        };
        refused.iter().find(is_there).map_or(Ok(()), |refused| Err(part(refused)))
    }

    pub(super) async fn resize(&self, group: &str, sizes: Sizes) -> Result<(), StepError> {
        let call = self.ask("UpdateAutoScalingGroup", async || {
            let call = self.scaling.update_auto_scaling_group().auto_scaling_group_name(group);
            let call = call.min_size(number(sizes.min)).max_size(number(sizes.max));
            call.desired_capacity(number(sizes.desired)).send().await
        });
        Ok(call.await.map(drop)?)
    }

    pub(super) async fn tag_group(&self, group: &str, tags: &Tags) -> Result<(), CloudError> {
        let tags: Vec<_> = tags
            .iter()
            .map(|(key, value)| tag(group, key).value(value).propagate_at_launch(false).build())
            .collect();
        let call = self.ask("CreateOrUpdateTags", async || {
            self.scaling.create_or_update_tags().set_tags(Some(tags.clone())).send().await
        });
        call.await.map(drop)
    }

    pub(super) async fn untag_group(
        &self,
        group: &str,
        keys: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        let tags: Vec<_> = keys.iter().map(|key| tag(group, key).build()).collect();
        let call = self.ask("DeleteTags", async || {
            self.scaling.delete_tags().set_tags(Some(tags.clone())).send().await
        });
        call.await.map(drop)
    }
}

fn tag(group: &str, key: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    Tag::builder().resource_id(group).resource_type(KIND).key(key)
}

fn request(action: &Scheduled) -> ScheduledUpdateGroupActionRequest {
    let made = ScheduledUpdateGroupActionRequest::builder()
        .scheduled_action_name(&action.name)
        .set_recurrence(action.recurrence.clone())
        .set_time_zone(action.time_zone.clone());
    let sizes = action.sizes;
    made.set_min_size(sizes.map(|sizes| number(sizes.min)))
        .set_desired_capacity(sizes.map(|sizes| number(sizes.desired)))
        .set_max_size(sizes.map(|sizes| number(sizes.max)))
        .build()
}

/// AWS counts with signs.
fn number(size: u32) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

fn part(refused: &FailedScheduledUpdateGroupActionRequest) -> StepError {
    let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "no reason".to_owned());
    let name = refused.scheduled_action_name.as_deref().unwrap_or("an action");
    let (code, message) = (of(&refused.error_code), of(&refused.error_message));
    StepError::Part(format!("{name}: {code}: {message}"))
}
