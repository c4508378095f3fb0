//! How the settings say who requests are from.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use super::{BuildError, OtlpAuth, OtlpSettings, SinkContext};
use crate::config::SecretRef;
use crate::metrics::sink::authorization::Authorization;
use crate::platform::aws::sign::Signer;

/// What the settings ask for.
pub(super) fn of(
    settings: &OtlpSettings,
    region: Option<&str>,
    context: &SinkContext,
) -> Result<Authorization, BuildError> {
    let secret = |reference: &Option<SecretRef>| {
        reference.as_ref().map(|reference| context.secret(reference)).transpose()
    };
    let (basic, bearer) = (OtlpAuth::Basic, OtlpAuth::Bearer);
    let asked = |auth: OtlpAuth| settings.auth == auth;
    // What is configured for another way was meant to be used.
    for (key, given, wanted, expected) in [
        (
            "username",
            settings.username.is_some(),
            basic,
            "given where 'auth' is \"basic\", and nowhere else",
        ),
        (
            "bearer",
            settings.bearer.is_some(),
            bearer,
            "given where 'auth' is \"bearer\", and nowhere else",
        ),
    ] {
        if given != asked(wanted) {
            return Err(refused(key, expected));
        }
    }
    if settings.password.is_some() && !asked(basic) {
        return Err(refused("password", "left out where 'auth' is not \"basic\""));
    }
    Ok(match settings.auth {
        OtlpAuth::None => Authorization::None,
        OtlpAuth::Basic => Authorization::Basic {
            username: settings.username.clone().unwrap_or_default(),
            password: secret(&settings.password)?,
        },
        OtlpAuth::Bearer => Authorization::bearer(secret(&settings.bearer)?.unwrap_or_default())?,
        OtlpAuth::SigV4 => {
            let aws = context.aws.as_ref().ok_or(BuildError::NoAws)?;
            let region = settings.region.as_deref().or(region);
            let signer = Signer::new(aws, &settings.service, region);
            Authorization::Signed(Box::new(signer.ok_or(BuildError::NoAws)?))
        }
    })
}

/// The headers that users configure, each value a secret.
pub(super) fn headers(
    settings: &OtlpSettings,
    context: &SinkContext,
) -> Result<HeaderMap, BuildError> {
    let mut headers = HeaderMap::new();
    for (name, reference) in &settings.headers {
        let unfit = |expected| refused(&format!("headers.{name}"), expected);
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|_| unfit("named with letters, digits and '-'"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(unfit("left out: gild sets this header"));
        }
        let secret = context.secret(reference)?;
        let value = HeaderValue::from_str(secret.expose_secret());
        let mut value = value.map_err(|_| unfit("a text that fits into a header"))?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// The headers that belong to the protocol, and to the ways above.
const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "x-amz-date",
    "x-amz-security-token",
];

fn refused(key: &str, expected: &'static str) -> BuildError {
    BuildError::Refused { key: key.to_owned(), expected }
}
