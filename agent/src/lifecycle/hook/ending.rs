//! The end of an instance: the hook that waits while it is drained is kept
//! waiting, then told to go on.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::api::{Api, HookError};
use super::find::{Seat, Subject};
use super::signal::advice;
use super::{HookReport, Side, Word};
use crate::configure::handoff::Handoff;
use crate::identity::discover;
use crate::lifecycle::settings::LifecycleSettings;
use crate::platform::error::chain_text;
use crate::scope::Context;

/// How long the group may take to hear that the instance can go. The machine may be
/// going down meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the metadata service may take where nothing says which instance this is.
const IDENTITY: Duration = Duration::from_secs(2);

/// Tells the group of an instance that it ends that it need not wait any longer. Gives
/// what came of it; `None` where nobody waits.
pub async fn complete_terminating(
    context: &Context,
    settings: &LifecycleSettings,
) -> Option<HookReport> {
    let subject = subject(context, settings).await?;
    let mut api = Api::new(&context.client, &subject.identity);
    let deadline = Instant::now() + PATIENCE;
    let mut report = HookReport::default();
    let told = async {
        let Some(seat) = subject.seat(&mut api, deadline).await? else { return Ok(false) };
        report.hook = seat.names();
        report.group = seat.place.group.clone();
        report.state = seat.place.state.clone();
        seat.complete(&mut api, Word::Continue, deadline).await.map(|()| true)
    };
    let told: Result<bool, HookError> = told.await;
    match told {
        Ok(false) => return None,
        Ok(true) => {
            let word = Word::Continue.text();
            tracing::info!(word, group = report.group, "the autoscaling group was told");
            report.result = Some(Word::Continue);
        }
        Err(error) => {
            tracing::warn!("{}", advice(&error));
            report.error = Some(chain_text(&error));
        }
    }
    Some(report)
}

/// Keeps the group of an instance that it ends waiting, for as long as this is polled.
/// It comes to an end only where there is nobody to keep waiting.
pub async fn keep_terminating(context: &Context, settings: &LifecycleSettings) {
    let Some(subject) = subject(context, settings).await else { return };
    let mut api = Api::new(&context.client, &subject.identity);
    let kept: Result<(), HookError> = async {
        let Some(seat) = subject.seat(&mut api, Instant::now() + PATIENCE).await? else {
            return Ok(());
        };
        keep(&seat, &mut api).await
    }
    .await;
    if let Err(error) = kept {
        tracing::warn!("{}", advice(&error));
    }
}

/// Sends heartbeats until that is refused.
async fn keep(seat: &Seat, api: &mut Api) -> Result<(), HookError> {
    loop {
        let next = Instant::now() + seat.rhythm();
        match seat.beat(api, next).await {
            Err(error) if error.is_refused() => return Err(error),
            Err(error) => tracing::warn!("{}", chain_text(&error)),
            Ok(_) => {}
        }
        sleep_until(next).await;
    }
}

/// The instance, as `configure` left it, else as the metadata service says.
async fn subject(context: &Context, settings: &LifecycleSettings) -> Option<Subject> {
    let handoff = Handoff::read(&context.paths.config()).ok().flatten();
    let identity = match handoff {
        Some(handoff) => handoff.identity,
        None => {
            let mut imds = context.imds.clone();
            imds.budget = IDENTITY;
            discover(&imds, &context.paths).await.ok()?.identity
        }
    };
    Subject::new(&context.client, &context.imds, &identity, settings, Side::Terminate)
}
