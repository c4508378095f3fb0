//! Connections that trust a certificate of the company's own, and show one to the receiver.

use std::path::Path;

use reqwest::Client;
use secrecy::ExposeSecret;

use super::settings::RemoteWriteSettings;
use crate::metrics::sink::{BuildError, SinkContext};
use crate::platform::http;
use crate::platform::tls::Own;

/// Looks at what can be told without the secrets.
pub(super) fn check(settings: &RemoteWriteSettings) -> Result<(), BuildError> {
    let refused = |key: &str, expected| Err(BuildError::Refused { key: key.to_owned(), expected });
    let RemoteWriteSettings { url, ca, client_certificate, client_key, .. } = settings;
    match (client_certificate, client_key) {
        (Some(_), None) => return refused("client_key", "given with 'client_certificate'"),
        (None, Some(_)) => return refused("client_certificate", "given with 'client_key'"),
        _ => {}
    }
    if url.url().scheme() != "https" && (ca.is_some() || client_key.is_some()) {
        return refused("url", "one of https:// where there are certificates");
    }
    if ca.as_deref().is_some_and(|path| !Path::new(path).is_absolute()) {
        return refused("ca", "a file's whole path, from / on");
    }
    Ok(())
}

/// A client of its own, where the settings ask for one.
pub(super) fn client(
    settings: &RemoteWriteSettings,
    context: &SinkContext,
) -> Result<Option<Client>, BuildError> {
    let identity = match (&settings.client_certificate, &settings.client_key) {
        (Some(certificate), Some(key)) => {
            Some((context.secret(certificate)?, context.secret(key)?))
        }
        _ => None,
    };
    let ca = settings.ca.as_deref().map(Path::new);
    if ca.is_none() && identity.is_none() {
        return Ok(None);
    }
    let identity = identity
        .as_ref()
        .map(|(certificate, key)| (certificate.expose_secret(), key.expose_secret()));
    http::own_client(&Own { ca, identity }).map(Some).map_err(BuildError::Connections)
}
