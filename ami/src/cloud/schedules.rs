//! What changes groups by the clock, and what is changing them now.

use aws_sdk_autoscaling::types::{self, InstanceRefreshStatus};

use super::{Cloud, CloudError};
use crate::fleet::schedules::{Scheduled, Sizes};

/// The most that one page of Auto Scaling's answers names.
const PAGE: i32 = 100;

impl Cloud {
    /// All scheduled actions, each with the name of its group.
    pub async fn scheduled_actions(&self) -> Result<Vec<(String, Scheduled)>, CloudError> {
        let mut actions = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeScheduledActions", async || {
                let call = self.scaling.describe_scheduled_actions().max_records(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for action in page.scheduled_update_group_actions.unwrap_or_default() {
                actions.push(self.scheduled(action)?);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(actions);
            }
        }
    }

    fn scheduled(
        &self,
        action: types::ScheduledUpdateGroupAction,
    ) -> Result<(String, Scheduled), CloudError> {
        let lacking = |what| self.incomplete("DescribeScheduledActions", what);
        let group = action.auto_scaling_group_name.ok_or_else(|| lacking("group"))?;
        let size = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
        let sizes = size(action.min_size).zip(size(action.desired_capacity));
        let sizes = sizes.zip(size(action.max_size));
        // AWS takes UTC where it is told no other.
        let zone =
            action.time_zone.or_else(|| action.recurrence.as_ref().map(|_| "UTC".to_owned()));
        let action = Scheduled {
            name: action.scheduled_action_name.ok_or_else(|| lacking("name"))?,
            recurrence: action.recurrence,
            time_zone: zone,
            sizes: sizes.map(|((min, desired), max)| Sizes { min, desired, max }),
            is_ending: action.end_time.is_some(),
        };
        Ok((group, action))
    }

    /// The refresh of a group's instances that is under way, by what AWS calls its state. There
    /// is one at most, and it is the newest: AWS names those first.
    pub async fn refresh_under_way(&self, group: &str) -> Result<Option<String>, CloudError> {
        let answer = self.ask("DescribeInstanceRefreshes", async || {
            let call = self.scaling.describe_instance_refreshes();
            call.auto_scaling_group_name(group).max_records(PAGE).send().await
        });
        let refreshes = answer.await?.instance_refreshes.unwrap_or_default();
        Ok(refreshes.into_iter().find_map(|refresh| match refresh.status {
            Some(
                InstanceRefreshStatus::Successful
                | InstanceRefreshStatus::Failed
                | InstanceRefreshStatus::Cancelled
                | InstanceRefreshStatus::RollbackFailed
                | InstanceRefreshStatus::RollbackSuccessful,
            ) => None,
            Some(state) => Some(state.as_str().to_owned()),
            None => Some("in a state that is not told".to_owned()),
        }))
    }
}
