//! Why the instance is drained, and how long there is: what the caller says, what the
//! daemon asks for, what systemd and the metadata service know.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};

use super::limit;
use super::systemd;
use crate::identity::ImdsOptions;
use crate::identity::error::ImdsError;
use crate::lifecycle::request::{DrainRequest, RequestError};
use crate::lifecycle::settings::Occasion;
use crate::lifecycle::systemctl::SystemdError;
use crate::lifecycle::watch::state::Known;
use crate::lifecycle::watch::{Question, look};
use crate::platform::error::chain_text;
use crate::scope::Context;

/// How long the metadata service may take: it answers at once or not at all.
const METADATA: Duration = Duration::from_secs(1);

/// The time at a stop where systemd does not say how much there is.
const UNKNOWN: Duration = Duration::from_secs(45);

/// Who says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The caller, perhaps with the moment at which the instance goes.
    Told(Occasion, Option<SystemTime>),
    /// Nobody: it is to be found out.
    Open,
    /// Our unit is being stopped, mostly because the host goes down.
    AtStop,
}

/// Why the instance is drained, and how long that may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Why.
    pub occasion: Occasion,
    /// The time for all of it.
    pub limit: Duration,
}

/// It is not known why the instance should be drained.
#[derive(Debug, thiserror::Error)]
pub enum ReasonError {
    /// What the daemon asks for cannot be known.
    #[error("failed to learn what the daemon asks for")]
    Request(#[from] RequestError),
    /// Whether the host goes down cannot be known.
    #[error("failed to learn whether this host goes down")]
    Systemd(#[from] SystemdError),
    /// Nothing gives a reason.
    #[error("nothing says why this instance should be drained; say it with --on")]
    None,
}

/// Why the instance is drained; `None` where it is not to be: our unit was stopped and
/// the host stays.
pub async fn find(
    asked: Asked,
    context: &Context,
    on_ec2: bool,
) -> Result<Option<Reason>, ReasonError> {
    let now = SystemTime::now();
    let reason = |(occasion, end)| Reason { occasion, limit: limit::until(occasion, end, now) };
    match asked {
        Asked::Told(occasion, end) => Ok(Some(reason((occasion, end)))),
        Asked::Open => {
            if let Some(DrainRequest { occasion, until }) =
                DrainRequest::read(&context.paths.drain_wanted())?
            {
                return Ok(Some(reason((occasion, until))));
            }
            let known = metadata(&context.imds, on_ec2).await;
            known.map(reason).map(Some).ok_or(ReasonError::None)
        }
        Asked::AtStop => {
            let Some(occasion) = systemd::going_down(&context.paths).await? else {
                return Ok(None);
            };
            let unit = systemd::stop_timeout(&context.paths).await.unwrap_or_else(|error| {
                tracing::warn!("{}", chain_text(&error));
                UNKNOWN
            });
            let at_stop = Reason { occasion, limit: limit::of_unit(unit) };
            // One that is started anew stays what it is.
            let known = match occasion {
                Occasion::Stop => metadata(&context.imds, on_ec2).await.map(reason),
                _ => None,
            };
            Ok(Some(known.map_or(at_stop, |known| Reason {
                limit: known.limit.min(at_stop.limit),
                ..known
            })))
        }
    }
}

/// What the metadata service knows of the end of the instance.
async fn metadata(options: &ImdsOptions, on_ec2: bool) -> Option<(Occasion, Option<SystemTime>)> {
    if !on_ec2 {
        return None;
    }
    let found = timeout(METADATA, ask(options, Instant::now() + METADATA)).await;
    let found = found.unwrap_or(Err(ImdsError::Timeout(METADATA)));
    found.unwrap_or_else(|error| {
        tracing::warn!("{}", chain_text(&error));
        None
    })
}

async fn ask(
    options: &ImdsOptions,
    deadline: Instant,
) -> Result<Option<(Occasion, Option<SystemTime>)>, ImdsError> {
    let mut imds = options.open()?;
    imds.reach(deadline).await?;
    let found = look(&mut imds, &[Question::Spot, Question::TargetState]).await;
    for (_, why) in &found.failures {
        tracing::warn!("{why}");
    }
    let mut known = Known::default();
    known.take(found, Instant::now());
    let request = DrainRequest::of(&known.notices);
    Ok(request.map(|DrainRequest { occasion, until }| (occasion, until)))
}
