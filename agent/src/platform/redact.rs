//! Values that must not be seen, taken out of any text. Each secret that gild
//! resolves is registered here before it is used, and every text that leaves
//! the process (log, report, socket, notification) passes through.

use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::zeroize::Zeroizing;

/// What stands where a secret stood.
pub const MASK: &str = "‹secret›";

/// Shorter values are not searched for: they would match ordinary text.
const SHORTEST: usize = 4;

/// The secrets of this process, shared by everything that writes.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    needles: Arc<RwLock<Vec<Zeroizing<String>>>>,
}

impl Redactor {
    /// Registers a secret in its plain, base64, URL-encoded and JSON-escaped
    /// forms; of a secret of several lines, each line too.
    pub fn add(&self, secret: &str) {
        let mut forms = Vec::new();
        for part in std::iter::once(secret).chain(secret.lines()) {
            let part = part.trim_end_matches(['\r', '\n']);
            if part.len() < SHORTEST {
                continue;
            }
            forms.extend([
                part.to_owned(),
                STANDARD.encode(part),
                STANDARD_NO_PAD.encode(part),
                URL_SAFE.encode(part),
                utf8_percent_encode(part, NON_ALPHANUMERIC).to_string(),
                json_text(part),
            ]);
        }
        let Ok(mut needles) = self.needles.write() else { return };
        for form in forms {
            if needles.iter().all(|known| **known != form) {
                needles.push(Zeroizing::new(form));
            }
        }
        // The longest first, so that no part of a padded form is left over.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// The text without any registered secret.
    pub fn text(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let Ok(needles) = self.needles.read() else { return MASK.to_owned() };
        for needle in needles.iter() {
            if clean.contains(needle.as_str()) {
                clean = clean.replace(needle.as_str(), MASK);
            }
        }
        clean
    }
}

/// A text as it stands between the quotes of a JSON document.
fn json_text(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let redactor = Redactor::default();
        redactor.add("s3cr3t/with+odd \"chars\"\n");
        for form in [
            "s3cr3t/with+odd \"chars\"".to_owned(),
            STANDARD.encode("s3cr3t/with+odd \"chars\""),
            "s3cr3t%2Fwith%2Bodd%20%22chars%22".to_owned(),
            r#"s3cr3t/with+odd \"chars\""#.to_owned(),
        ] {
            let masked = redactor.text(&format!("before {form} after"));
            assert_eq!(masked, format!("before {MASK} after"));
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        let redactor = Redactor::default();
        redactor.add("no");
        assert_eq!(redactor.text("nothing to hide"), "nothing to hide");
    }
}
