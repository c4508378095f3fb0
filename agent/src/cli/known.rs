//! What is known without asking anybody again: for the verbs that systemd starts after
//! a boot, or at the end.

use super::Failure;
use crate::config::Settings;
use crate::configure::handoff::Handoff;
use crate::identity::{Identity, discover};
use crate::platform::error::chain_text;
use crate::scope::{Context, resolve};

/// What is configured and who this is: what the boot handed over, else what the
/// host itself says.
pub(super) async fn known(context: &Context) -> Result<(Settings, Option<Identity>), Failure> {
    let handoff = Handoff::read(&context.paths.config()).unwrap_or_else(|error| {
        tracing::warn!("{}", chain_text(&error));
        None
    });
    if let Some(handoff) = handoff
        && let Some(settings) = Settings::typed(&handoff.config).settings
    {
        return Ok((settings, Some(handoff.identity)));
    }
    let settings = resolve::host_alone(&context.paths)?.settings;
    let identity = match discover(&context.imds, &context.paths).await {
        Ok(found) => Some(found.identity),
        Err(error) => {
            tracing::warn!("{}", chain_text(&error));
            None
        }
    };
    Ok((settings, identity))
}
