//! Trust in a certificate that no public authority has signed, as services within a
//! host or a company show it, and who the client says that it is.
//!
//! A certificate that signs itself is mostly made as an authority's, and no library
//! takes an authority's certificate for a server's. So one that is in the file itself
//! is taken as it is, whatever its names and dates; any other has to be signed by one
//! of them.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::shown::Shown;
use super::{TlsError, builder, bundle, certificates, roots};

/// What names the file.
const FILE: &str = "ca_file";

/// What to trust instead of the public authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The certificates of a file, in PEM.
    File(PathBuf),
    /// Any certificate.
    Any,
}

/// What one client trusts and shows instead of what all do.
#[derive(Debug, Default)]
pub struct Own<'a> {
    /// What it trusts, where that is not the public authorities.
    pub trust: Option<&'a Trust>,
    /// What it shows.
    pub shown: Option<Shown<'a>>,
}

impl Own<'_> {
    /// The configuration of that client.
    pub(crate) fn config(&self) -> Result<ClientConfig, TlsError> {
        let builder = match self.trust {
            None => builder()?.with_root_certificates(roots(bundle().as_deref())?),
            Some(trust) => {
                let verifier = Arc::new(Verifier::new(trust)?);
                builder()?.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        match &self.shown {
            None => Ok(builder.with_no_client_auth()),
            Some(shown) => shown.by(builder),
        }
    }
}

/// Takes what is known, and what an authority has signed, where there is any.
#[derive(Debug)]
struct Verifier {
    known: Vec<CertificateDer<'static>>,
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: &Trust) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (known, authority) = match trust {
            Trust::Any => (Vec::new(), None),
            Trust::File(path) => {
                let known = certificates(path, FILE)?;
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(known.iter().cloned());
                let roots = Arc::new(roots);
                let authority =
                    WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
                // It refuses only a store that is empty.
                let empty = |_| TlsError::Empty { by: FILE, path: path.clone() };
                (known, Some(authority.map_err(empty)?))
            }
        };
        Ok(Self { known, authority, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        status: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.authority {
            Some(authority) if !self.known.contains(shown) => {
                authority.verify_server_cert(shown, chain, name, status, now)
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, shown, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, shown, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
