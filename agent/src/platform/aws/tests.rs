//! What the answers of AWS mean.

use super::*;

fn verdict(code: Option<&str>, status: Option<u16>, malformed: bool) -> Verdict {
    let code = code.map(str::to_owned);
    let too_large = false;
    AwsError { code, message: None, status, malformed, too_large, source: None }.verdict()
}

#[test]
fn only_who_may_not_is_denied() {
    for (code, status, denied) in [
        (Some("AccessDenied"), 403, true),
        (Some("AccessDeniedException"), 400, true),
        (Some("ExpiredToken"), 400, false),
        (Some("InvalidClientTokenId"), 403, false),
        (Some("RequestTimeTooSkewed"), 403, false),
        (None, 403, true),
        (None, 503, false),
    ] {
        let (code, status) = (code.map(str::to_owned), Some(status));
        let (message, malformed, too_large, source) = (None, false, false, None);
        let error = AwsError { code, message, status, malformed, too_large, source };
        assert_eq!(error.is_denied(), denied, "{error}");
    }
}

#[test]
fn credentials_that_have_run_out_are_no_refusal() {
    for code in STALE.iter().copied().chain(["ThrottlingException", "SlowDown"]) {
        assert_eq!(verdict(Some(code), Some(400), false), Verdict::Transient, "{code}");
    }
    for code in ["AccessDenied", "AccessDeniedException", "InvalidSignatureException"] {
        assert_eq!(verdict(Some(code), Some(403), false), Verdict::Permanent, "{code}");
    }
    for (message, expected) in [
        ("Signature expired: 20261123T000000Z is now earlier than …", Verdict::Transient),
        ("Signature not yet current: 20261123T000000Z is still later than …", Verdict::Transient),
        ("The request signature we calculated does not match …", Verdict::Permanent),
    ] {
        let code = Some("InvalidSignatureException".to_owned());
        let message = Some(message.to_owned());
        let (malformed, too_large) = (false, false);
        let error =
            AwsError { code, message, status: Some(400), malformed, too_large, source: None };
        assert_eq!(error.verdict(), expected, "{error}");
    }
    assert_eq!(verdict(None, Some(503), false), Verdict::Transient);
    assert_eq!(verdict(None, None, false), Verdict::Transient);
    assert_eq!(verdict(None, None, true), Verdict::Permanent);
}

impl AwsError {
    /// What a service says that refuses.
    pub(crate) fn refusal(status: u16, code: &str) -> Self {
        let (code, status) = (Some(code.to_owned()), Some(status));
        let (malformed, too_large) = (false, false);
        Self { code, message: None, status, malformed, too_large, source: None }
    }
}
