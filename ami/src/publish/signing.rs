//! Signatures as `minisign` makes them, with the comment by which an instance knows what it has and
//! that it is not older than what it had.

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use gild::platform::fs::read_capped;
use minisign::{PError, SecretKey, SecretKeyBox};

use super::Destination;

/// No key, and no password, is larger.
const LARGEST: u64 = 8 << 10;

/// A signature that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A file cannot be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds no key, or the password is another.
    #[error("failed to open the secret key in '{}'; one with a password needs --sign-password-file", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PError,
    },
    /// It cannot be signed.
    #[error("failed to sign the archive")]
    Sign(#[source] PError),
}

/// Who signs.
pub struct Signer {
    key: SecretKey,
}

impl Signer {
    /// The secret key of a file, and its password from another: neither is ever an argument or in
    /// the environment.
    pub fn open(path: &Path, password: Option<&Path>) -> Result<Self, SigningError> {
        let password = password.map(text).transpose()?;
        let failed = |source| SigningError::Key { path: path.to_owned(), source };
        let sealed = SecretKeyBox::from_string(&text(path)?).map_err(failed)?;
        let key = match password {
            Some(password) => sealed.into_secret_key(Some(password.trim_end().to_owned())),
            None => sealed.into_unencrypted_secret_key(),
        };
        Ok(Self { key: key.map_err(failed)? })
    }

    /// Signs an archive. A second signature of the same holds too, and has other bytes.
    pub fn sign(
        &self,
        archive: &[u8],
        to: &Destination,
        serial: Option<u64>,
    ) -> Result<String, SigningError> {
        let mut comment = format!("gild name={} version={}", to.name, to.version);
        if let Some(serial) = serial {
            comment.push_str(&format!(" serial={serial}"));
        }
        let untrusted = Some("signature of a playbook");
        let signed =
            minisign::sign(None, &self.key, Cursor::new(archive), Some(&comment), untrusted);
        signed.map(|signed| signed.into_string()).map_err(SigningError::Sign)
    }
}

fn text(path: &Path) -> Result<String, SigningError> {
    let failed = |source| SigningError::Read { path: path.to_owned(), source };
    let bytes = read_capped(path, LARGEST).map_err(failed)?;
    let bytes = bytes.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    String::from_utf8(bytes).map_err(|_| failed(io::ErrorKind::InvalidData.into()))
}
