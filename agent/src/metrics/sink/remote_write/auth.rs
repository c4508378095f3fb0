//! Who a request says that it is from.
//!
//! To add a kind: a variant, its settings and its arms here.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::settings::RemoteWriteSettings;
use crate::metrics::sink::{BuildError, SinkContext};
use crate::platform::aws::sign::{SignError, Signer};

/// The service that signatures are for: Amazon Managed Service for Prometheus.
const SERVICE: &str = "aps";

/// What is added to each request.
pub(super) enum Authorization {
    None,
    Basic { username: String, password: Option<SecretString> },
    Bearer(SecretString),
    Signed(Signer),
}

impl Authorization {
    /// The one that the settings ask for.
    pub(super) fn build(
        settings: &RemoteWriteSettings,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
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
                signer.map(Authorization::Signed).ok_or_else(|| refused("region", expected))
            }
            (true, ..) => Err(refused("sigv4", "left out where 'username' or 'bearer' is given")),
            (false, Some(_), Some(_)) => {
                Err(refused("bearer", "left out where 'username' is given"))
            }
            (false, None, Some(token)) => {
                let token = secret(token)?;
                if HeaderValue::from_str(token.expose_secret()).is_err() {
                    return Err(refused("bearer", "a token that fits into a header"));
                }
                Ok(Authorization::Bearer(token))
            }
            (false, Some(username), None) => Ok(Authorization::Basic {
                username: username.clone(),
                password: settings.password.as_ref().map(secret).transpose()?,
            }),
            (false, None, None) => Ok(Authorization::None),
        }
    }

    /// Whether there is something that a receiver may refuse.
    pub(super) fn is_some(&self) -> bool {
        !matches!(self, Authorization::None)
    }

    /// Adds it to a request, which will be sent with this body. It comes last, because a
    /// signature is over all headers.
    pub(super) async fn apply(
        &mut self,
        request: &mut Request,
        body: &[u8],
    ) -> Result<(), SignError> {
        let text = match self {
            Authorization::None => return Ok(()),
            Authorization::Signed(signer) => {
                return signer.sign(request, body, SystemTime::now()).await;
            }
            Authorization::Basic { username, password } => {
                let password = password.as_ref().map_or("", ExposeSecret::expose_secret);
                Zeroizing::new(format!(
                    "Basic {}",
                    BASE64.encode(Zeroizing::new(format!("{username}:{password}")).as_bytes())
                ))
            }
            Authorization::Bearer(token) => {
                Zeroizing::new(format!("Bearer {}", token.expose_secret()))
            }
        };
        // `build` has made sure that it fits.
        if let Ok(mut value) = HeaderValue::from_str(&text) {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(())
    }

    /// The header as people may see it.
    pub(super) fn shown(&self) -> Option<String> {
        let text = match self {
            Authorization::None => return None,
            Authorization::Basic { .. } => "Basic …".to_owned(),
            Authorization::Bearer(_) => "Bearer …".to_owned(),
            Authorization::Signed(signer) => {
                let scope = signer.scope();
                format!("AWS4-HMAC-SHA256 … ({} in {})", scope.service, scope.region)
            }
        };
        Some(format!("{AUTHORIZATION}: {text}"))
    }
}
