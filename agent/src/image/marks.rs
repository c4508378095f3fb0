//! What secrets look like: by the name of their file, or by what stands in it.
//!
//! Each mark is as narrow as it can be, for a false alarm stops an image. To add one: a line
//! in one of the two tables.

use std::path::Path;
use std::sync::OnceLock;

use regex_lite::Regex;

/// Files that are secrets by what they are for: the end of the path, and what it is. A file
/// without content is none.
const NAMES: &[(&str, &str)] = &[
    ("/.netrc", "logins of .netrc"),
    ("/.pgpass", "passwords of PostgreSQL"),
    ("/.my.cnf", "a login of MySQL"),
    ("/.git-credentials", "logins of git"),
    ("/.aws/credentials", "credentials of AWS"),
    ("/.aws/sso/cache", "credentials of AWS"),
    ("/.docker/config.json", "logins of Docker"),
    ("/.vault_pass", "a password of Ansible Vault"),
    ("/.vault_password", "a password of Ansible Vault"),
    ("/.vault-password", "a password of Ansible Vault"),
    ("/vault_pass", "a password of Ansible Vault"),
    ("/vault_pass.txt", "a password of Ansible Vault"),
    ("/vault_password", "a password of Ansible Vault"),
    ("/vault_password.txt", "a password of Ansible Vault"),
    ("/vault-password", "a password of Ansible Vault"),
];

/// What stands in a file that holds a secret, and what it is.
const TEXTS: &[(&str, &str)] = &[
    // Also indented, as in YAML, and as a text of JSON; but not where a program speaks of it.
    (
        r#"(?m)(^\s*|["'])-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----(\\n|\s*$)"#,
        "a private key",
    ),
    (r"\b(AKIA|ASIA)[A-Z2-7]{16}\b", "an access key of AWS"),
    (r#"(?i)aws_secret_access_key["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40}"#, "a secret key of AWS"),
    (r"\bdiscord(app)?\.com/api/webhooks/[0-9]{5,}/[A-Za-z0-9_-]{20,}", "a webhook of Discord"),
    (r"\bhooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}", "a webhook of Slack"),
    (r"\bxox[abprs]-[A-Za-z0-9-]{20,}", "a token of Slack"),
    (r"\bgh[pousr]_[A-Za-z0-9]{36}\b", "a token of GitHub"),
    (r"\bgithub_pat_[A-Za-z0-9_]{40,}", "a token of GitHub"),
    (r"\bglpat-[A-Za-z0-9_-]{20}", "a token of GitLab"),
    (r"(?m)^\s*//[^\s]+:_authToken=[^\s$]{8,}", "a token of npm"),
    (r"(?m)^\s*url\s*=\s*https?://[^\s/:@]+:[^\s/@]+@", "a login in a remote of git"),
];

/// What AWS's documentation has instead of a key.
const EXAMPLE: &str = "EXAMPLE";

/// How a file begins that Ansible Vault has encrypted.
const ENCRYPTED: &str = "$ANSIBLE_VAULT;";

/// What stands in a file for Ansible Vault that is not encrypted.
const PLAIN: &str = r#"(?im)^\s*[\w-]*(password|passwd|secret|token|api_?key)[\w-]*\s*:\s*["']?[^\s"'{!|>#&*\[]{4,}"#;

/// What a file holds that looks like a secret, if it does.
pub fn of(path: &Path, content: &[u8]) -> Option<&'static str> {
    if content.trim_ascii().is_empty() {
        return None;
    }
    if let Some(what) = named(path) {
        return Some(what);
    }
    // What is not text holds a key as text only by chance.
    if content.iter().take(8192).any(|byte| *byte == 0) {
        return None;
    }
    let content = String::from_utf8_lossy(content);
    if is_for_vault(path)
        && !content.starts_with(ENCRYPTED)
        && plain().is_some_and(|plain| plain.is_match(&content))
    {
        return Some("a file for Ansible Vault that is not encrypted");
    }
    let mut found = texts().iter().filter(|(mark, _)| {
        mark.find_iter(&content).any(|found| !found.as_str().ends_with(EXAMPLE))
    });
    found.next().map(|(_, what)| *what)
}

/// What a file is, if its name alone says that it is a secret.
pub fn named(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    let found = NAMES.iter().find(|(end, _)| text.ends_with(end) || within(&text, end));
    found.map(|(_, what)| *what)
}

/// Whether a path is below a directory that this is.
fn within(path: &str, directory: &str) -> bool {
    directory.ends_with("cache") && path.contains(&format!("{directory}/"))
}

/// Whether a file is, by its name, one that Ansible Vault should have encrypted.
fn is_for_vault(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else {
        return false;
    };
    ["vault", "secrets"].iter().any(|word| {
        stem == *word || stem.ends_with(&format!(".{word}")) || stem.ends_with(&format!("_{word}"))
    })
}

fn texts() -> &'static [(Regex, &'static str)] {
    static ALL: OnceLock<Vec<(Regex, &'static str)>> = OnceLock::new();
    let compile = |(mark, what): &(&str, &'static str)| Some((Regex::new(mark).ok()?, *what));
    ALL.get_or_init(|| TEXTS.iter().filter_map(compile).collect())
}

fn plain() -> Option<&'static Regex> {
    static ONE: OnceLock<Option<Regex>> = OnceLock::new();
    ONE.get_or_init(|| Regex::new(PLAIN).ok()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(path: &str, text: &str) -> Option<&'static str> {
        of(Path::new(path), text.as_bytes())
    }

    /// Put together here, so that no search takes this file for one with secrets.
    fn key(word: &str) -> String {
        format!("-----BEGIN {word}PRIVATE KEY-----\nAAAA\n")
    }

    #[test]
    fn every_mark_is_a_pattern_that_can_be_read() {
        assert_eq!(texts().len(), TEXTS.len());
        assert!(plain().is_some());
    }

    #[test]
    fn secrets_are_told_by_what_stands_in_the_file() {
        let discord =
            format!("https://discord.com/api/webhooks/{}/{}", "1".repeat(18), "x".repeat(68));
        for (text, what) in [
            (key(""), "a private key"),
            (key("RSA "), "a private key"),
            (format!("# kept here\n{}", key("OPENSSH ")), "a private key"),
            (format!("tls_key: |\n    {}", key("EC ").replace('\n', "\n    ")), "a private key"),
            (format!("{{\"key\": \"{}\"}}", key("").replace('\n', "\\n")), "a private key"),
            (key("").replace('\n', "\r\n"), "a private key"),
            (format!("id = \"AKIA{}\"", "J7Q2".repeat(4)), "an access key of AWS"),
            (format!("AWS_SECRET_ACCESS_KEY={}", "a/B+".repeat(10)), "a secret key of AWS"),
            (discord, "a webhook of Discord"),
            (format!("ghp_{}", "a".repeat(36)), "a token of GitHub"),
            ("//registry.npmjs.org/:_authToken=0123456789".to_owned(), "a token of npm"),
            ("  url = https://me:hush@git.example/x".to_owned(), "a login in a remote of git"),
        ] {
            assert_eq!(of_text("/opt/x", &text), Some(what), "{text}");
        }
    }

    #[test]
    fn secrets_are_told_by_the_name_of_the_file_unless_it_is_empty() {
        for path in ["/root/.netrc", "/home/a/.aws/credentials", "/etc/vault_pass"] {
            assert!(of_text(path, "x").is_some(), "{path}");
            assert_eq!(of_text(path, " \n"), None, "{path}");
        }
        assert_eq!(of_text("/opt/my_vault_password", "x"), None, "the name of another file");
    }

    #[test]
    fn a_file_for_the_vault_must_be_encrypted() {
        let vault = "/deployment/playbook/group_vars/all/vault.yml";
        assert!(of_text(vault, "db_password: hunter22\n").is_some());
        assert_eq!(of_text(vault, "$ANSIBLE_VAULT;1.1;AES256\n6162\n"), None);
        assert_eq!(of_text(vault, "db_password: \"{{ lookup('x') }}\"\n"), None, "a reference");
        assert_eq!(of_text("/opt/main.yml", "db_password: hunter22\n"), None, "no vault's");
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned(),
            format!("-----BEGIN {}KEY-----\n", "PUBLIC "),
            "print('-----BEGIN PRIVATE KEY-----')".to_owned(),
            format!("AKIAIOSFODNN7{EXAMPLE}"),
            "aws_secret_access_key = \"{{ key }}\"".to_owned(),
        ] {
            assert_eq!(of_text("/opt/x", &text), None, "{text}");
        }
        let mut binary = key("").into_bytes();
        binary.push(0);
        assert_eq!(of(Path::new("/opt/x"), &binary), None);
    }
}
