//! TLS for the whole process: the roots that are baked in, and beside them
//! those of the file that `AWS_CA_BUNDLE` names, for networks in which a proxy
//! or a private endpoint has a certificate of the company's own.
//!
//! Made once and shared by every client, because the roots are most of what a
//! client weighs. A receiver with certificates of its own has a client of its own: see `own`.

mod own;
mod shown;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

pub use self::own::{Own, Trust};
pub use self::shown::Shown;
use super::fs::read_capped;

/// What names the bundle.
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// The largest bundle that is read: some ten times what a distribution ships.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// TLS that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library refused.
    #[error("failed to set up the protocol")]
    Protocol(#[source] rustls::Error),
    /// The bundle cannot be read.
    #[error("failed to read '{}', which {by} names", path.display())]
    Read {
        /// What names it.
        by: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The bundle is not PEM.
    #[error("failed to read the certificates of '{}', which {by} names", path.display())]
    Pem {
        /// What names it.
        by: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// There is nothing to trust in the bundle.
    #[error(
        "'{}', which {by} names, holds no certificate; it must hold some in PEM, each \
         after a line '-----BEGIN CERTIFICATE-----'",
        path.display()
    )]
    Empty {
        /// What names it.
        by: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate to show.
    #[error(
        "the client certificate must be one in PEM, after a line '-----BEGIN CERTIFICATE-----'"
    )]
    Certificate,
    /// There is no key. What is there instead is not told.
    #[error(
        "the client key must be a private key in PEM that is not encrypted, after a line \
         '-----BEGIN PRIVATE KEY-----' or one of its kind"
    )]
    Key,
    /// The two do not go together, or cannot be used.
    #[error("the client key must be that of the client certificate, RSA, ECDSA or Ed25519")]
    Pair(#[source] rustls::Error),
}

/// The configuration of every client in this process.
pub(crate) fn client() -> Result<ClientConfig, TlsError> {
    static SHARED: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = SHARED.get() {
        return Ok(config.clone());
    }
    let config = config(bundle().as_deref())?;
    Ok(SHARED.get_or_init(|| config).clone())
}

/// The bundle of the process.
fn bundle() -> Option<PathBuf> {
    // As the AWS tools do: a variable that is empty is one that is not set.
    std::env::var_os(BUNDLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn config(bundle: Option<&Path>) -> Result<ClientConfig, TlsError> {
    Ok(builder()?.with_root_certificates(roots(bundle)?).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Protocol)
}

fn roots(bundle: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    if let Some(path) = bundle {
        // What is odd about one of many does not speak against the others.
        let (added, _) = roots.add_parsable_certificates(certificates(path, BUNDLE)?);
        if added == 0 {
            return Err(TlsError::Empty { by: BUNDLE, path: path.to_owned() });
        }
    }
    Ok(roots)
}

fn certificates(path: &Path, by: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let absent = || Err(io::ErrorKind::NotFound.into());
    let text = read_capped(path, MAX_BYTES)
        .and_then(|text| text.map_or_else(absent, Ok))
        .map_err(|source| TlsError::Read { by, path: path.to_owned(), source })?;
    CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::Pem { by, path: path.to_owned(), source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let error = config(Some(file.path())).map(drop).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
        error
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named() {
        let absent = config(Some(Path::new("/nonexistent/ca.pem"))).unwrap_err().to_string();
        assert!(absent.contains("'/nonexistent/ca.pem'"), "{absent}");
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "-----END CERTIFICATE-----\n";
        for nothing in ["", "no PEM", &format!("{begin}AAAA\n{end}")] {
            assert!(error(nothing).contains("holds no certificate"), "{nothing}");
        }
        for broken in [begin.to_owned(), format!("{begin}&&&&\n{end}")] {
            assert!(error(&broken).contains("failed to read the certificates"), "{broken}");
        }
    }

    #[test]
    fn without_a_bundle_there_are_the_roots_that_are_baked_in() {
        assert!(config(None).is_ok());
        assert!(client().is_ok());
    }
}
