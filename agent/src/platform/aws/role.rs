//! The name of the instance's role, as the metadata service tells it. The SDK makes it a part of a
//! URL unseen, and ends the process where it fits into none; so what is no name gets no further.

/// Where the name is asked for.
const PATH: &str = "/latest/meta-data/iam/security-credentials/";

/// The longest name of a role.
const LONGEST: usize = 64;

/// The metadata service told something else.
#[derive(Debug, thiserror::Error)]
#[error("the metadata service gave {0} bytes that are not the name of a role")]
pub(super) struct NotAName(pub(super) usize);

/// Whether a request is for the name.
pub(super) fn is_asked(url: &reqwest::Url) -> bool {
    url.path() == PATH
}

/// Whether an answer is a name, as IAM has them.
pub(super) fn is_name(answer: &[u8]) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(byte);
    (1..=LONGEST).contains(&answer.len()) && answer.iter().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_iam_takes_for_a_role_is_a_name_and_nothing_else() {
        for name in ["web", "gild-instance_2", "a+b=c,d.e@f", &"x".repeat(LONGEST)] {
            assert!(is_name(name.as_bytes()), "{name}");
        }
        for other in ["", "\u{0}\u{1}this", "web\n", "a b", "../x", "a?b", "é", "<html>"] {
            assert!(!is_name(other.as_bytes()), "{other}");
        }
        assert!(!is_name("x".repeat(LONGEST + 1).as_bytes()));
    }
}
