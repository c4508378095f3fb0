//! Values that must not be seen, taken out of any text. Each secret that gild
//! resolves is registered here before it is used, and every text that leaves
//! the process (log, report, socket, notification) passes through.

use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::zeroize::Zeroizing;

/// What stands where a secret stood.
pub const MASK: &str = "‹secret›";

/// What stands where a text was cut. One letter, so that a second cut cannot
/// leave half of it.
pub const CUT: char = '…';

/// Shorter values are not searched for: they would match ordinary text.
const SHORTEST: usize = 4;

/// What RFC 3986 (2.3) lets stand in a URL.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What JavaScript's `encodeURIComponent` lets stand besides.
const COMPONENT: &AsciiSet =
    &UNRESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

/// What Python's `quote` lets stand, which takes its text for a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// The secrets of this process, shared by everything that writes.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    needles: Arc<RwLock<Vec<Zeroizing<String>>>>,
}

impl Redactor {
    /// Registers a secret in its plain, base64, URL-encoded and JSON-escaped
    /// forms, and as Python shows texts; of a secret of several lines, each line
    /// too.
    pub fn add(&self, secret: &str) {
        let mut forms = Vec::new();
        for part in std::iter::once(secret).chain(secret.lines()) {
            let part = part.trim_end_matches(['\r', '\n']);
            if part.len() < SHORTEST {
                continue;
            }
            let json = json_escaped(part);
            forms.extend([
                part.to_owned(),
                STANDARD.encode(part),
                STANDARD_NO_PAD.encode(part),
                URL_SAFE.encode(part),
                URL_SAFE_NO_PAD.encode(part),
                ascii_escaped(&json),
                json,
            ]);
            for set in [NON_ALPHANUMERIC, UNRESERVED, COMPONENT, PATH] {
                let encoded = utf8_percent_encode(part, set).to_string();
                // In a form, a space is a plus.
                for encoded in [encoded.replace("%20", "+"), encoded] {
                    forms.extend([lower_escapes(&encoded), encoded]);
                }
            }
            let plain = json_escaped(part).replace("\\\"", "\"");
            forms.extend([plain.replace('\'', "\\'"), plain]);
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

    /// As `text`, for a text that was cut before it came here: `…` stands where
    /// something is missing, and what stands beside it may be the beginning or
    /// the end of a secret.
    pub fn cut_text(&self, text: &str) -> String {
        let clean = self.text(text);
        if !clean.contains(CUT) {
            return clean;
        }
        let Ok(needles) = self.needles.read() else { return MASK.to_owned() };
        let pieces: Vec<_> = clean.split(CUT).collect();
        let last = pieces.len() - 1;
        let masked = pieces.iter().enumerate();
        let masked = masked.map(|(at, piece)| mask_ends(piece, at > 0, at < last, &needles));
        masked.collect::<Vec<_>>().join(CUT.encode_utf8(&mut [0; 4]))
    }
}

/// A piece of a text that was cut before it, after it, or both, without what may
/// be left there of a secret.
fn mask_ends(piece: &str, before: bool, after: bool, needles: &[Zeroizing<String>]) -> String {
    // What is left of the mark itself says nothing.
    const MARK: [char; 3] = ['[', ']', ' '];
    let mut body = piece;
    if before {
        body = body.trim_start_matches(MARK);
    }
    let start = piece.len() - body.len();
    if after {
        body = body.trim_end_matches(MARK);
    }
    let end = start + body.len();
    let long = |part: &str| part.chars().nth(SHORTEST - 1).is_some();
    let mut masked = (start, end);
    if before && after && long(body) && needles.iter().any(|needle| needle.contains(body)) {
        masked = (end, start);
    } else {
        for needle in needles {
            for (at, _) in needle.char_indices() {
                let (head, tail) = needle.split_at(at);
                if after && long(head) && body.ends_with(head) {
                    masked.1 = masked.1.min(end - head.len());
                }
                if before && long(tail) && body.starts_with(tail) {
                    masked.0 = masked.0.max(start + tail.len());
                }
            }
        }
    }
    let (from, to) = masked;
    let kept = piece.get(from..to).unwrap_or_default();
    let head = if from > start { MASK } else { "" };
    // Where both ends meet in one secret, it is masked once.
    let tail = if to < end && !(kept.is_empty() && from > start) { MASK } else { "" };
    let (lead, trail) = (&piece[..start], &piece[end..]);
    format!("{lead}{head}{kept}{tail}{trail}")
}

/// The text with escapes such as `%2f`, as some write `%2F`.
fn lower_escapes(encoded: &str) -> String {
    let mut digits = 0;
    let lower = |letter: char| {
        digits = if letter == '%' { 2 } else { i32::max(digits - 1, -1) };
        if digits >= 0 { letter.to_ascii_lowercase() } else { letter }
    };
    encoded.chars().map(lower).collect()
}

/// The JSON text with escapes for all that is not ASCII, as Python writes it.
fn ascii_escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            escaped.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// The text as it stands between the quotes of a JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    // One quote on each side: the text may end in an escaped one of its own.
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(&quoted).to_owned()
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
            "s3cr3t%2fwith%2bodd%20%22chars%22".to_owned(),
            "s3cr3t/with%2Bodd%20%22chars%22".to_owned(),
            "s3cr3t%2Fwith%2Bodd+%22chars%22".to_owned(),
            r#"s3cr3t/with+odd \"chars\""#.to_owned(),
        ] {
            let masked = redactor.text(&format!("before {form} after"));
            assert_eq!(masked, format!("before {MASK} after"));
        }
    }

    #[test]
    fn a_secret_is_masked_as_python_and_urls_escape_it() {
        let redactor = Redactor::default();
        redactor.add("pä-ss/𝄞X");
        redactor.add("it's \\ \"so\"");
        redactor.add(">>>?");
        for form in [
            r#"it's \\ "so""#,
            r#"it\'s \\ "so""#,
            "it's%20%5C%20%22so%22",
            "Pj4-Pw",
            r"p\u00e4-ss/\ud834\udd1eX",
            "p%C3%A4-ss%2F%F0%9D%84%9EX",
            "p%c3%a4-ss%2f%f0%9d%84%9eX",
            "p%C3%A4%2Dss%2F%F0%9D%84%9EX",
        ] {
            assert_eq!(redactor.text(form), MASK, "{form}");
        }
    }

    #[test]
    fn what_a_cut_leaves_of_a_secret_is_masked() {
        let redactor = Redactor::default();
        redactor.add("correct horse battery");
        for (cut, masked) in [
            ("the word is correct hor […]", "the word is ‹secret› […]"),
            ("the word is correct […] se battery!", "the word is ‹secret› […] ‹secret›!"),
            ("the word is correct  […] battery!", "the word is ‹secret›  […] ‹secret›!"),
            ("a correct horse battery […] b", "a ‹secret› […] b"),
            // Cut twice: the mark too, or to a piece out of the middle.
            ("is corre [ […] ] ttery", "is ‹secret› [ […] ] ‹secret›"),
            ("x […] ect ho […] y", "x […] ‹secret› […] y"),
            ("x […] battery and corr […] y", "x […] ‹secret› and ‹secret› […] y"),
            // Too short to tell, or not at a cut.
            ("is cor […] ery", "is cor […] ery"),
            ("a battery […] ", "a battery […] "),
            ("correct […] horses", "‹secret› […] horses"),
            ("battery […] correct", "battery […] correct"),
            ("correct hor", "correct hor"),
            ("…", "…"),
        ] {
            assert_eq!(redactor.cut_text(cut), masked, "{cut}");
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        let redactor = Redactor::default();
        redactor.add("no");
        assert_eq!(redactor.text("nothing to hide"), "nothing to hide");
    }
}
