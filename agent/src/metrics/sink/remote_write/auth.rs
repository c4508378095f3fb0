//! Who the settings say that requests are from.

use super::settings::RemoteWriteSettings;
use crate::metrics::sink::authorization::Authorization;
use crate::metrics::sink::{BuildError, SinkContext};
use crate::platform::aws::sign::Signer;

/// The service that signatures are for: Amazon Managed Service for Prometheus.
const SERVICE: &str = "aps";

/// The one that the settings ask for.
pub(super) fn of(
    settings: &RemoteWriteSettings,
    context: &SinkContext,
) -> Result<Authorization, BuildError> {
    let refused = |key: &str, expected| BuildError::Refused { key: key.to_owned(), expected };
    let secret = |reference| context.secret(reference);
    if settings.region.is_some() && !settings.sigv4 {
        return Err(refused("region", "left out where 'sigv4' is not on"));
    }
    match (settings.sigv4, &settings.username, &settings.bearer) {
        (true, None, None) => {
            let aws = context.aws.as_ref().ok_or(BuildError::NoAws)?;
            let signer = Signer::new(aws, SERVICE, settings.region.as_deref());
            let expected = "given, because the instance's is not known";
            signer
                .map(|signer| Authorization::Signed(Box::new(signer)))
                .ok_or_else(|| refused("region", expected))
        }
        (true, ..) => Err(refused("sigv4", "left out where 'username' or 'bearer' is given")),
        (false, Some(_), Some(_)) => Err(refused("bearer", "left out where 'username' is given")),
        (false, None, Some(token)) => Authorization::bearer(secret(token)?),
        (false, Some(username), None) => Ok(Authorization::Basic {
            username: username.clone(),
            password: settings.password.as_ref().map(secret).transpose()?,
        }),
        (false, None, None) => Ok(Authorization::None),
    }
}
