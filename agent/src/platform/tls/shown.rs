//! The certificate by which a client says who it is.

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};

use super::TlsError;

/// A certificate and its key, both in PEM.
pub struct Shown<'a> {
    /// The certificate, and after it those between it and its root.
    pub certificate: &'a str,
    /// Its private key, not encrypted.
    pub key: &'a str,
}

impl Shown<'_> {
    /// The configuration of a client that shows it.
    pub(super) fn by(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|_| TlsError::Key)?;
        builder.with_client_auth_cert(chain, key).map_err(TlsError::Pair)
    }
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}
