//! Who a request says that it is from, for the sinks that speak HTTP.
//!
//! A sink's settings say which way is meant, and each sink judges its own. To add a way: a
//! variant, and its arms here.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::BuildError;
use crate::platform::aws::sign::{SignError, Signer};

/// What is added to each request.
pub(super) enum Authorization {
    None,
    Basic { username: String, password: Option<SecretString> },
    Bearer(SecretString),
    Signed(Box<Signer>),
}

impl Authorization {
    /// The one with a token, which must fit into a header.
    pub(super) fn bearer(token: SecretString) -> Result<Self, BuildError> {
        if HeaderValue::from_str(token.expose_secret()).is_err() {
            let expected = "a token that fits into a header";
            return Err(BuildError::Refused { key: "bearer".to_owned(), expected });
        }
        Ok(Authorization::Bearer(token))
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
                let plain = Zeroizing::new(format!("{username}:{password}"));
                Zeroizing::new(format!("Basic {}", BASE64.encode(plain.as_bytes())))
            }
            Authorization::Bearer(token) => {
                Zeroizing::new(format!("Bearer {}", token.expose_secret()))
            }
        };
        // A token was looked at, and base64 always fits.
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
