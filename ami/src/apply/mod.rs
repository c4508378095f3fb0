//! Doing what a plan says, in its order. The first failure ends it: what comes later may rest on
//! what failed, and the verb is simply run again. What is already so, or is not there any more,
//! counts as done, so that a run that died can be repeated.

mod copies;
mod images;
mod leftovers;
mod objects;
mod refreshes;
mod schedules;
mod templates;

use std::time::Duration;

use self::copies::Copies;
use self::templates::NewVersion;
use crate::cloud::images::is_missing;
use crate::cloud::{Cloud, CloudError};
use crate::fleet::Fleet;
use crate::fleet::usage::Versions;
use crate::plan::{Action, Plan, Step};

/// A plan that was not done to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no plan.
    #[error("nothing was done: {0}")]
    Refused(String),
    /// A step failed.
    #[error("failed to {verb} {object}; {done} steps were done before it, {left} are left")]
    Step {
        /// What it was.
        verb: &'static str,
        /// And to what.
        object: String,
        /// How many had been done.
        done: usize,
        /// How many were not tried.
        left: usize,
        /// Why.
        #[source]
        source: StepError,
    },
    /// What was begun did not end well.
    #[error("failed to wait for copies; they were all begun")]
    Wait(#[source] StepError),
}

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// AWS did not do it.
    #[error("AWS did not do it")]
    Cloud(#[from] CloudError),
    /// It was not done in time.
    #[error("{0} took too long")]
    Late(String),
    /// AWS did not take a part of it.
    #[error("AWS refused a part: {0}")]
    Part(String),
}

/// How what takes long is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often is looked whether it is done.
    pub poll: Duration,
    /// How long it may take.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { poll: Duration::from_secs(15), patience: Duration::from_secs(2 * 60 * 60) }
    }
}

/// Does all of it. `tell` hears of each step before it is done.
pub async fn apply(
    cloud: &Cloud,
    plan: &Plan,
    pace: &Pace,
    tell: &mut dyn FnMut(&Step),
) -> Result<usize, ApplyError> {
    if let Some(why) = &plan.refused {
        return Err(ApplyError::Refused(why.clone()));
    }
    let mut run = Run { cloud, pace, copies: Copies::default(), launches: None };
    for (done, step) in plan.steps.iter().enumerate() {
        tell(step);
        run.perform(&step.action).await.map_err(|source| ApplyError::Step {
            verb: step.action.verb(),
            object: step.action.object(),
            done,
            left: plan.steps.len() - done - 1,
            source,
        })?;
    }
    run.copies.wait(cloud, pace, 0).await.map_err(ApplyError::Wait)?;
    Ok(plan.steps.len())
}

/// One run of a plan.
struct Run<'a> {
    cloud: &'a Cloud,
    pace: &'a Pace,
    copies: Copies,
    /// What was seen after the copies.
    launches: Option<Fleet>,
}

impl Run<'_> {
    async fn perform(&mut self, action: &Action) -> Result<(), StepError> {
        let cloud = self.cloud;
        match action {
            Action::CopyImage { .. } => return self.copies.begin(cloud, action, self.pace).await,
            Action::AwaitImage { image } => {
                self.copies.follow(image);
                return Ok(());
            }
            // What comes after copies rests on them.
            _ => self.copies.wait(cloud, self.pace, 0).await?,
        }
        match action {
            Action::DeregisterImage { image } => {
                self.unused(image).await?;
                gone(cloud.deregister_image(image).await)
            }
            Action::DeleteSnapshot { snapshot } => gone(cloud.delete_snapshot(snapshot).await),
            Action::TerminateInstance { instance } => {
                gone(cloud.terminate_instance(instance).await)
            }
            Action::DeleteVolume { volume } => gone(cloud.delete_volume(volume).await),
            Action::DeleteRecord { zone, record } => gone(cloud.delete_record(zone, record).await),
            Action::DeleteTemplateVersions { template, versions } => {
                cloud.delete_template_versions(template, versions).await
            }
            Action::CreateTemplateVersion { template, from, image, description, token } => {
                let new = NewVersion { template, from: *from, image, description, token };
                cloud.create_template_version(&new).await
            }
            Action::SetDefaultVersion { template, image } => {
                cloud.set_default_version(template, image).await
            }
            Action::RefreshInstances { group, min_healthy_percent, warm_up_seconds } => {
                let rails = (*min_healthy_percent, *warm_up_seconds);
                cloud.refresh_instances(group, rails, self.pace).await
            }
            Action::PutObject { bucket, key, content, once, .. } => {
                cloud.put_object(bucket, key, content, *once).await
            }
            Action::Resize { group, sizes } => cloud.resize(group, *sizes).await,
            Action::Schedule { group, actions } => cloud.schedule(group, actions).await,
            Action::ShareImage { image, with } => Ok(cloud.share_image(image, with).await?),
            Action::ShareSnapshot { snapshot, with } => {
                Ok(cloud.share_snapshot(snapshot, with).await?)
            }
            Action::Tag { resource, tags } => Ok(cloud.tag(resource, tags).await?),
            Action::TagGroup { group, tags } => Ok(cloud.tag_group(group, tags).await?),
            Action::Unschedule { group, actions } => cloud.unschedule(group, actions).await,
            Action::UntagGroup { group, keys } => Ok(cloud.untag_group(group, keys).await?),
            Action::CopyImage { .. } | Action::AwaitImage { .. } => Ok(()),
        }
    }
}

impl Run<'_> {
    /// Copies take hours, and a plan that was made before them knows nothing of what was started
    /// since: whether an image is in use is asked again, once.
    async fn unused(&mut self, image: &str) -> Result<(), StepError> {
        if !self.copies.were_waited_for() {
            return Ok(());
        }
        let launches = match self.launches.take() {
            Some(launches) => launches,
            None => self.cloud.launches().await?,
        };
        let launches = self.launches.insert(launches);
        match launches.used_images(&Versions::new()).get(image) {
            Some(who) => Err(StepError::Part(format!("{image} is in use by now: {who}"))),
            None => Ok(()),
        }
    }
}

/// What was to go and is not there is done.
fn gone(result: Result<(), CloudError>) -> Result<(), StepError> {
    match result {
        Err(error) if is_missing(&error) => Ok(()),
        result => Ok(result?),
    }
}
