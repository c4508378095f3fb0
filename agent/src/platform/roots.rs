//! Whom TLS trusts: the roots that are baked in, so that an image without CA
//! certificates works too, and those of the file that `AWS_CA_BUNDLE` names, the
//! SDKs' own variable for networks whose proxies or servers have a CA of their own.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::fs::read_capped;

/// The largest bundle: several times that of a whole distribution.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// It cannot be read.
    #[error("failed to read the CA bundle '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not PEM.
    #[error("failed to understand the CA bundle '{}'", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// There is nothing in it to trust.
    #[error("the CA bundle '{}' holds no certificate that can be trusted", .0.display())]
    Empty(PathBuf),
}

/// The baked roots, and those of `bundle`.
pub(super) fn trusted(bundle: Option<&Path>) -> Result<RootCertStore, RootsError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let Some(path) = bundle else { return Ok(roots) };
    let read = |source| RootsError::Read { path: path.to_owned(), source };
    let bytes = read_capped(path, MAX_BYTES)
        .and_then(|bytes| bytes.ok_or_else(|| io::ErrorKind::NotFound.into()))
        .map_err(read)?;
    let certificates = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| RootsError::Parse { path: path.to_owned(), source })?;
    // Distributions carry some that are too old to be read; the others count.
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(RootsError::Empty(path.to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_trusted_beside_the_baked_roots() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let own = rcgen::generate_simple_self_signed(vec!["own.example".to_owned()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        let baked = trusted(None).unwrap().len();
        assert_eq!(trusted(Some(&path)).unwrap().len(), baked + 1);
    }

    #[test]
    fn a_bundle_that_is_none_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let error = || trusted(Some(&path)).unwrap_err();
        assert!(matches!(error(), RootsError::Read { .. }));
        std::fs::write(&path, "nothing").unwrap();
        assert!(matches!(error(), RootsError::Empty(_)));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\n%%%\n").unwrap();
        assert!(matches!(error(), RootsError::Parse { .. }));
        assert!(error().to_string().contains("ca.pem"));
    }
}
