//! The secrets that gild is given, and where they may be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(crate) const BEARER: &str = "/etc/gild/secrets/bearer";
pub(crate) const PASSWORD: &str = "/etc/gild/secrets/password";
pub(crate) const WEBHOOK: &str = "/etc/gild/secrets/webhook";

/// A part of each that nothing else holds: of the three files, and of the credentials that the
/// metadata service gives.
const MARKS: [&str; 5] = [
    "bearer-4c1d07e9a2b85f63",
    "password-9e3f5a7c1b2d4860",
    "webhook-d8a6c4e2f0b19375",
    "fake/secret/access/key",
    "fake-session-token",
];

/// Who may hold secrets: those whose place they are, and what `configure` hands to the daemon.
pub(crate) const PLACES: [&str; 2] = ["etc/gild/secrets", "run/gild/secrets.json"];

/// Writes the files.
pub(crate) fn install(root: &Path, hook: &str) {
    let directory = root.join(PLACES[0]);
    fs::create_dir_all(&directory).unwrap();
    let url = format!("{hook}/hooks/{}", MARKS[2]);
    for (path, text) in [(BEARER, MARKS[0]), (PASSWORD, MARKS[1]), (WEBHOOK, &url)] {
        let path = root.join(path.trim_start_matches('/'));
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Every form in which a secret may be found.
pub(crate) fn forms() -> Vec<String> {
    let each = MARKS.iter().flat_map(|mark| {
        let coded = percent_encoding::utf8_percent_encode(mark, percent_encoding::NON_ALPHANUMERIC);
        // As the password of a header it has a user before it, so its place in groups of three
        // bytes may be any; the first group and the last are not its own.
        let shifted = (0..3).map(move |shift| {
            let text = STANDARD.encode(format!("{}{mark}", "x".repeat(shift)));
            text[4..text.len() - 4].to_owned()
        });
        [(*mark).to_owned(), coded.to_string()].into_iter().chain(shifted)
    });
    each.collect()
}

/// The secret that a text holds, if one is there.
pub(crate) fn found<'a>(text: &[u8], forms: &'a [String]) -> Option<&'a str> {
    let text = String::from_utf8_lossy(text);
    forms.iter().find(|form| text.contains(form.as_str())).map(String::as_str)
}
