//! What a plan of schedules has to know. Refreshes are one question for each group that is meant;
//! the rest is lists.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use futures_util::try_join;

use super::{Choice, Survey};
use crate::cloud::{Cloud, CloudError};

/// How many groups are asked about at once.
const AT_ONCE: usize = 4;

/// Looks at the account's region.
pub async fn survey(cloud: &Cloud, choice: &Choice) -> Result<Survey, CloudError> {
    let (groups, actions) = try_join!(cloud.groups(), cloud.scheduled_actions())?;
    let mut survey = Survey { groups, ..Survey::default() };
    for (group, action) in actions {
        survey.scheduled.entry(group).or_default().push(action);
    }
    let names = choice.of(&survey).into_iter().map(|group| group.name.clone());
    let refreshes = stream::iter(names.collect::<Vec<_>>())
        .map(async |name| {
            let state = cloud.refresh_under_way(&name).await?;
            Ok((name, state))
        })
        .buffered(AT_ONCE);
    survey.refreshes = refreshes.try_collect().await?;
    Ok(survey)
}
