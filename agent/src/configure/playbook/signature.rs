//! Signatures as `minisign` makes them: over the whole archive, by one of the
//! keys that the image or the operator trusts.
//!
//! The trusted comment is signed too. One that begins with `gild ` says what the
//! archive is: `gild name=web version=1.4.2 serial=42`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};

use super::name::shown;

/// The word that a trusted comment about a playbook begins with.
const OURS: &str = "gild ";

/// A signature that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// It is no signature of minisign's.
    #[error("what should be the signature is none of minisign's")]
    NotOne(#[source] Error),
    /// It is of the kind that minisign no longer makes.
    #[error(
        "the signature is of minisign's legacy kind; sign again without -l (older ones: with -H)"
    )]
    Legacy,
    /// It is by another key.
    #[error("the signature is by the key {key}, which is not among configuration.trusted_keys")]
    Stranger {
        /// The key's id.
        key: String,
    },
    /// It is of something else.
    #[error("the signature by the key {key} is not of this archive, or its comment was changed")]
    Wrong {
        /// The key's id.
        key: String,
    },
    /// The comment cannot be read.
    #[error("the signature's comment '{comment}' is wrong: {reason}")]
    Comment {
        /// The comment.
        comment: String,
        /// Why.
        reason: &'static str,
    },
    /// The archive cannot be read.
    #[error("failed to read the archive")]
    Read(#[source] io::Error),
}

/// A public key of minisign's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    text: String,
    id: String,
}

impl TrustedKey {
    /// Reads the second line of minisign's `.pub` file.
    pub fn parse(text: &str) -> Option<Self> {
        PublicKey::from_base64(text).ok()?;
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self { text: text.to_owned(), id: id(bytes.get(2..10)?) })
    }

    /// The key's id, as minisign prints it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The id of a key: a number, least byte first.
fn id(bytes: &[u8]) -> String {
    bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect()
}

/// What a signature that holds says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    /// The id of the key.
    pub key: String,
    /// The playbook's name.
    pub name: Option<String>,
    /// Its version.
    pub release: Option<String>,
    /// A number that grows with each version.
    pub serial: Option<u64>,
}

/// Checks the signature `text` of an archive against the keys.
pub fn verify(archive: &Path, text: &str, keys: &[TrustedKey]) -> Result<Signed, SignatureError> {
    let signature = Signature::decode(text).map_err(SignatureError::NotOne)?;
    for key in keys {
        let Ok(public) = PublicKey::from_base64(&key.text) else { continue };
        let mut verifier = match public.verify_stream(&signature) {
            Ok(verifier) => verifier,
            Err(Error::UnsupportedLegacyMode) => return Err(SignatureError::Legacy),
            Err(_) => continue,
        };
        let mut file = File::open(archive).map_err(SignatureError::Read)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = file.read(&mut buffer).map_err(SignatureError::Read)?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            verifier.update(read);
        }
        verifier.finalize().map_err(|_| SignatureError::Wrong { key: key.id.clone() })?;
        return comment(signature.trusted_comment(), key.id());
    }
    let key = text.lines().nth(1).and_then(|line| STANDARD.decode(line).ok());
    let key = key.as_deref().and_then(|bytes| bytes.get(2..10)).map(id).unwrap_or_default();
    Err(SignatureError::Stranger { key })
}

/// What a trusted comment says. One that is not about a playbook says nothing.
fn comment(comment: &str, key: &str) -> Result<Signed, SignatureError> {
    let mut signed = Signed { key: key.to_owned(), ..Signed::default() };
    let wrong = |reason| SignatureError::Comment { comment: shown(comment.as_bytes()), reason };
    let twice = "a word stands there twice";
    for word in comment.strip_prefix(OURS).unwrap_or_default().split_whitespace() {
        let (word, value) = word.split_once('=').unwrap_or((word, ""));
        let before = match word {
            "name" => signed.name.replace(value.to_owned()).is_some(),
            "version" => signed.release.replace(value.to_owned()).is_some(),
            "serial" => {
                let serial = value.parse().map_err(|_| wrong("the serial must be a number"))?;
                signed.serial.replace(serial).is_some()
            }
            _ => false,
        };
        if before {
            return Err(wrong(twice));
        }
    }
    Ok(signed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use minisign::KeyPair;
    use proptest::prelude::*;

    use super::*;

    fn pair() -> (KeyPair, TrustedKey) {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = TrustedKey::parse(&pair.pk.to_base64()).unwrap();
        (pair, key)
    }

    fn sign(pair: &KeyPair, content: &[u8], comment: &str) -> String {
        minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(content), Some(comment), None)
            .unwrap()
            .into_string()
    }

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn a_signature_by_a_trusted_key_holds_and_says_what_it_is_of() {
        let ((pair, key), (_, other)) = (pair(), pair());
        let archive = file(b"archive");
        let text = sign(&pair, b"archive", "gild name=web version=1.4.2 serial=42");
        let signed = verify(archive.path(), &text, &[other, key.clone()]).unwrap();
        assert_eq!(signed.key, key.id());
        assert_eq!((signed.name.as_deref(), signed.serial), (Some("web"), Some(42)));
        let plain = sign(&pair, b"archive", "timestamp:1700000000\tfile:serial=1");
        assert_eq!(verify(archive.path(), &plain, &[key]).unwrap().serial, None);
    }

    #[test]
    fn what_does_not_hold_is_said() {
        let ((pair, key), (_, other)) = (pair(), pair());
        let text = sign(&pair, b"archive", "gild serial=42");
        let (archive, changed) = (file(b"archive"), file(b"archivE"));
        let error = |at: &tempfile::NamedTempFile, text: &str, key: &TrustedKey| {
            verify(at.path(), text, std::slice::from_ref(key)).unwrap_err()
        };
        assert!(matches!(error(&changed, &text, &key), SignatureError::Wrong { .. }));
        let newer = text.replace("serial=42", "serial=43");
        assert!(matches!(error(&archive, &newer, &key), SignatureError::Wrong { .. }));
        let stranger = error(&archive, &text, &other);
        assert!(stranger.to_string().contains(key.id()), "{stranger}");
        assert!(matches!(error(&archive, "<Error/>", &key), SignatureError::NotOne(_)));
        let odd = sign(&pair, b"archive", "gild serial=new");
        assert!(matches!(error(&archive, &odd, &key), SignatureError::Comment { .. }));
        let twice = sign(&pair, b"archive", "gild serial=1 serial=2");
        assert!(matches!(error(&archive, &twice, &key), SignatureError::Comment { .. }));
    }

    #[test]
    fn a_key_is_the_text_that_minisign_shows() {
        let (pair, key) = pair();
        assert_eq!(key.id().len(), 16);
        assert!(pair.pk.to_box().unwrap().to_string().contains(key.id()));
        for other in ["", "x", "untrusted comment: minisign public key"] {
            assert_eq!(TrustedKey::parse(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_change_of_a_signature_holds(changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<char>()), 8
        )) {
            let (pair, key) = pair();
            let archive = file(b"archive");
            let text = sign(&pair, b"archive", "gild serial=42");
            let signed = verify(archive.path(), &text, std::slice::from_ref(&key)).unwrap();
            for (at, with) in changes {
                let mut changed: Vec<char> = text.chars().collect();
                let at = at.index(changed.len());
                changed[at] = with;
                let changed: String = changed.into_iter().collect();
                // The first line is signed by nobody; nor is how lines end.
                if let Ok(other) = verify(archive.path(), &changed, std::slice::from_ref(&key)) {
                    prop_assert_eq!(&other, &signed);
                }
            }
        }
    }
}
