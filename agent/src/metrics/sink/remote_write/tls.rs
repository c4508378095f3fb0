//! Connections that trust a certificate of the company's own, and show one to the receiver.

use std::path::Path;

use reqwest::Client;
use secrecy::ExposeSecret;

use super::settings::RemoteWriteSettings;
use crate::metrics::sink::{BuildError, SinkContext};
use crate::platform::http;
use crate::platform::tls::{Own, Shown, Trust};

/// Looks at what can be told without the secrets.
pub(super) fn check(settings: &RemoteWriteSettings) -> Result<(), BuildError> {
    let refused = |key: &str, expected| Err(BuildError::Refused { key: key.to_owned(), expected });
    let RemoteWriteSettings { url, ca_file, client_certificate, client_key, .. } = settings;
    match (client_certificate, client_key) {
        (Some(_), None) => return refused("client_key", "given with 'client_certificate'"),
        (None, Some(_)) => return refused("client_certificate", "given with 'client_key'"),
        _ => {}
    }
    if url.url().scheme() != "https" && (ca_file.is_some() || client_key.is_some()) {
        return refused("url", "one of https:// where there are certificates");
    }
    if ca_file.as_deref().is_some_and(|path| !Path::new(path).is_absolute()) {
        return refused("ca_file", "a file's whole path, from / on");
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
    let trust = settings.ca_file.as_ref().map(|path| Trust::File(path.into()));
    if trust.is_none() && identity.is_none() {
        return Ok(None);
    }
    let shown = identity.as_ref().map(|(certificate, key)| Shown {
        certificate: certificate.expose_secret(),
        key: key.expose_secret(),
    });
    http::own_client(&Own { trust: trust.as_ref(), shown })
        .map(Some)
        .map_err(BuildError::Connections)
}
