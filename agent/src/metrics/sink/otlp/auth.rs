//! How a sink says who it is.

use std::time::SystemTime;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};

use super::{BuildError, OtlpAuth, OtlpSettings, SinkContext};
use crate::config::SecretRef;
use crate::platform::aws::sign::{SignError, Signer};

/// What goes with every request.
pub(super) enum Auth {
    None,
    Basic { username: String, password: Option<SecretString> },
    Bearer(SecretString),
    SigV4(Box<Signer>),
}

impl Auth {
    /// What the settings ask for.
    pub(super) fn build(
        settings: &OtlpSettings,
        region: Option<&str>,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
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
            OtlpAuth::None => Auth::None,
            OtlpAuth::Basic => Auth::Basic {
                username: settings.username.clone().unwrap_or_default(),
                password: secret(&settings.password)?,
            },
            OtlpAuth::Bearer => {
                let token = secret(&settings.bearer)?.unwrap_or_default();
                if HeaderValue::from_str(token.expose_secret()).is_err() {
                    return Err(refused("bearer", "a token that fits into a header"));
                }
                Auth::Bearer(token)
            }
            OtlpAuth::SigV4 => {
                let aws = context.aws.as_ref().ok_or(BuildError::NoAws)?;
                let region = settings.region.as_deref().or(region);
                let signer = Signer::new(aws, &settings.service, region);
                Auth::SigV4(Box::new(signer.ok_or(BuildError::NoAws)?))
            }
        })
    }

    /// What people see of it.
    pub(super) fn shown(&self) -> Option<String> {
        let word = match self {
            Auth::None => return None,
            Auth::Basic { .. } => "Basic",
            Auth::Bearer(_) => "Bearer",
            Auth::SigV4(_) => "AWS4-HMAC-SHA256",
        };
        Some(format!("{AUTHORIZATION}: {word} …"))
    }

    /// Puts what does not depend on the request on it.
    pub(super) fn put_on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Auth::None | Auth::SigV4(_) => request,
            Auth::Basic { username, password } => {
                request.basic_auth(username, password.as_ref().map(ExposeSecret::expose_secret))
            }
            Auth::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }

    /// Signs a request, where that is asked for: this body, at this moment.
    pub(super) async fn sign(
        &mut self,
        request: &mut Request,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), SignError> {
        match self {
            Auth::SigV4(signer) => signer.sign(request, body, now).await,
            _ => Ok(()),
        }
    }
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
