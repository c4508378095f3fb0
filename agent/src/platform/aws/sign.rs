//! Signatures (SigV4) on requests that no client of the SDK makes: metrics go to AWS's
//! receivers of Prometheus and OpenTelemetry as plain HTTP requests.
//!
//! Whoever signs keeps a [`Signer`] and has it sign each request as late as possible: a
//! signature is good for five minutes.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::Request;
use reqwest::header::{HeaderName, HeaderValue};

use super::Aws;
use crate::platform::retry::{Retryable, Verdict};

/// Credentials are fetched anew this long before they run out.
const MARGIN: Duration = Duration::from_secs(300);

/// A request that could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// There are no credentials to sign with.
    #[error("failed to get credentials for AWS")]
    Credentials(#[source] CredentialsError),
    /// This request cannot be signed.
    #[error("failed to sign a request for '{service}' in '{region}'")]
    Sign {
        /// The service.
        service: String,
        /// The region.
        region: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Retryable for SignError {
    fn verdict(&self) -> Verdict {
        match self {
            // An instance may be given its role later.
            SignError::Credentials(_) => Verdict::Transient,
            SignError::Sign { .. } => Verdict::Permanent,
        }
    }
}

/// What a signature is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The service's name for signatures, such as `aps`.
    pub service: String,
    /// The region.
    pub region: String,
}

/// Signs requests with the credentials of this process, which it keeps until they are about
/// to run out.
#[derive(Debug)]
pub struct Signer {
    scope: Scope,
    provider: SharedCredentialsProvider,
    held: Option<Credentials>,
}

impl Signer {
    /// Signs for a service in a region, or in the one of `aws`. `None` where there are no
    /// credentials or no region to be had.
    pub fn new(aws: &Aws, service: &str, region: Option<&str>) -> Option<Self> {
        let own = || aws.config.region().map(ToString::to_string);
        let region = region.map(str::to_owned).or_else(own)?;
        let scope = Scope { service: service.to_owned(), region };
        Some(Self { scope, provider: aws.config.credentials_provider()?, held: None })
    }

    /// What its signatures are good for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Signs a request that will be sent with this body.
    pub async fn sign(
        &mut self,
        request: &mut Request,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), SignError> {
        let credentials = self.credentials(now).await?;
        sign(request, body, &self.scope, &credentials, now)
    }

    async fn credentials(&mut self, now: SystemTime) -> Result<Credentials, SignError> {
        let lasts = |credentials: &Credentials, margin| {
            credentials.expiry().is_none_or(|end| end > now + margin)
        };
        if let Some(held) = self.held.as_ref().filter(|held| lasts(held, MARGIN)) {
            return Ok(held.clone());
        }
        match self.provider.provide_credentials().await {
            Ok(fresh) => Ok(self.held.insert(fresh).clone()),
            Err(error) => {
                let held = self.held.as_ref().filter(|held| lasts(held, Duration::ZERO));
                held.cloned().ok_or(SignError::Credentials(error))
            }
        }
    }
}

/// Signs one request, by what it is now: its headers, and the body that will go with it.
pub fn sign(
    request: &mut Request,
    body: &[u8],
    scope: &Scope,
    credentials: &Credentials,
    at: SystemTime,
) -> Result<(), SignError> {
    let failed = |source| {
        let Scope { service, region } = scope.clone();
        SignError::Sign { service, region, source }
    };
    let identity = credentials.clone().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(&scope.region)
        .name(&scope.service)
        .time(at)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(error.into()))?
        .into();
    let mut headers = Vec::with_capacity(request.headers().len());
    for (name, value) in request.headers() {
        headers.push((name.as_str(), value.to_str().map_err(|error| failed(error.into()))?));
    }
    let (method, url) = (request.method().as_str(), request.url().as_str());
    let body = SignableBody::Bytes(body);
    let signable = SignableRequest::new(method, url, headers.into_iter(), body)
        .map_err(|error| failed(error.into()))?;
    let signed = aws_sigv4::http_request::sign(signable, &params)
        .map_err(|error| failed(error.into()))?
        .into_parts();
    for header in signed.0.into_parts().0 {
        let name = HeaderName::from_static(header.name());
        let mut value =
            HeaderValue::from_str(header.value()).map_err(|error| failed(error.into()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
