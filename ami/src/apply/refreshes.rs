//! Instance refreshes: begun, after one that is under way, and followed to their end.

use aws_sdk_autoscaling::types::{InstanceRefresh, InstanceRefreshStatus, RefreshPreferences};
use tokio::time::{Instant, sleep};

use super::{Pace, StepError};
use crate::cloud::{Cloud, CloudError};

/// What Auto Scaling says where one is under way already.
const UNDER_WAY: &str = "InstanceRefreshInProgress";

impl Cloud {
    /// Replaces a group's instances. One that is under way may be of what was there before: it is
    /// waited for, however it ends, and then another is begun, which leaves alone what is as it should be.
    pub(super) async fn refresh_instances(
        &self,
        group: &str,
        rails: (u8, u64),
        pace: &Pace,
    ) -> Result<(), StepError> {
        let id = match self.begin_refresh(group, rails).await {
            Err(error) if is_under_way(&error) => {
                match self.follow_refresh(group, None, pace).await {
                    Ok(()) | Err(StepError::Part(_)) => {}
                    Err(error) => return Err(error),
                }
                self.begin_refresh(group, rails).await?
            }
            id => id?,
        };
        self.follow_refresh(group, id.as_deref(), pace).await
    }

    async fn begin_refresh(
        &self,
        group: &str,
        (min_healthy_percent, warm_up_seconds): (u8, u64),
    ) -> Result<Option<String>, CloudError> {
        let wanted = RefreshPreferences::builder()
            .min_healthy_percentage(i32::from(min_healthy_percent))
            .instance_warmup(i32::try_from(warm_up_seconds).unwrap_or(i32::MAX))
            .skip_matching(true)
            .build();
        let begun = self.ask("StartInstanceRefresh", async || {
            let call = self.scaling.start_instance_refresh().auto_scaling_group_name(group);
            call.preferences(wanted.clone()).send().await
        });
        Ok(begun.await?.instance_refresh_id)
    }

    /// Waits until a refresh, or the newest one, has ended well.
    async fn follow_refresh(
        &self,
        group: &str,
        id: Option<&str>,
        pace: &Pace,
    ) -> Result<(), StepError> {
        let end = Instant::now() + pace.patience;
        loop {
            let answer = self.ask("DescribeInstanceRefreshes", async || {
                let call = self.scaling.describe_instance_refreshes();
                let call = call.auto_scaling_group_name(group);
                call.set_instance_refresh_ids(id.map(|id| vec![id.to_owned()])).send().await
            });
            let all = answer.await?.instance_refreshes.unwrap_or_default();
            // The newest is the first.
            let Some(found) = all.into_iter().next() else {
                return Err(self.incomplete("DescribeInstanceRefreshes", "refresh").into());
            };
            if is_done(group, &found)? {
                return Ok(());
            }
            let percent = found.percentage_complete.unwrap_or_default();
            tracing::info!(group, percent, "instances are replaced");
            if Instant::now() + pace.poll > end {
                return Err(StepError::Late(format!("the instance refresh of {group}")));
            }
            sleep(pace.poll).await;
        }
    }
}

fn is_under_way(error: &CloudError) -> bool {
    error.code().is_some_and(|code| code.starts_with(UNDER_WAY))
}

/// Whether it has ended well; one that has ended in any other way is an error.
fn is_done(group: &str, found: &InstanceRefresh) -> Result<bool, StepError> {
    let status = found.status.as_ref();
    match status {
        Some(InstanceRefreshStatus::Successful) => Ok(true),
        Some(
            InstanceRefreshStatus::Pending
            | InstanceRefreshStatus::InProgress
            | InstanceRefreshStatus::Baking,
        ) => Ok(false),
        status => {
            let status = status.map(InstanceRefreshStatus::as_str).unwrap_or("of no status");
            let why = found.status_reason.as_deref().unwrap_or_default();
            let why = format!("the instance refresh of {group} is {status}: {why}");
            Err(StepError::Part(why))
        }
    }
}
