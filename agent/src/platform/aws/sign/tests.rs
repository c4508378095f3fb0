//! Signatures against the test suite that AWS publishes for them (aws-sig-v4-test-suite).
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::provider::future::ProvideCredentials as Provided;
use reqwest::{Method, Url};

use super::*;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z, the moment of the suite.
const AT: Duration = Duration::from_secs(1_440_938_160);
const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

fn scope() -> Scope {
    Scope { service: "service".to_owned(), region: "us-east-1".to_owned() }
}

fn request(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Request {
    let url = Url::parse("https://example.amazonaws.com").unwrap().join(path).unwrap();
    let mut request = Request::new(method, url);
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    request
}

fn authorization(mut request: Request, body: &str, token: Option<&str>) -> String {
    let credentials = Credentials::new(KEY, SECRET, token.map(str::to_owned), None, "test");
    let at = SystemTime::UNIX_EPOCH + AT;
    sign(&mut request, body.as_bytes(), &scope(), &credentials, at).unwrap();
    assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
    assert_eq!(request.headers().get("x-amz-security-token").map(|t| t.to_str().unwrap()), token);
    assert!(!format!("{request:?}").contains("Signature="), "it is marked as sensitive");
    request.headers()["authorization"].to_str().unwrap().to_owned()
}

#[test]
fn signatures_are_those_that_aws_publishes() {
    let (get, post) = (Method::GET, Method::POST);
    let cases = [
        (
            "get-vanilla",
            authorization(request(get.clone(), "/", &[]), "", None),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "post-vanilla-query",
            authorization(request(post.clone(), "/?Param1=value1", &[]), "", None),
            "host;x-amz-date",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "post-sts-header-before",
            authorization(request(post, "/", &[]), "", Some(TOKEN)),
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        (
            "get-header-value-trim",
            authorization(
                request(get, "/", &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")]),
                "",
                None,
            ),
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
    ];
    for (name, authorization, signed, signature) in cases {
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential={KEY}/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={signed}, Signature={signature}"
        );
        assert_eq!(authorization, expected, "{name}");
    }
}

/// The suite's `post-x-www-form-urlencoded`, whose body is signed.
#[test]
fn the_body_is_signed() {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "13"),
        (
            "x-amz-content-sha256",
            "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        ),
    ];
    let authorization = |body| authorization(request(Method::POST, "/", &headers), body, None);
    let published = "Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b";
    assert!(authorization("Param1=value1").ends_with(published));
    assert!(!authorization("Param1=value2").ends_with(published));
}

#[test]
fn a_header_that_is_no_text_cannot_be_signed() {
    let mut request = request(Method::GET, "/", &[]);
    request.headers_mut().insert("x", HeaderValue::from_bytes(b"\xff").unwrap());
    let credentials = Credentials::new(KEY, SECRET, None, None, "test");
    let error = sign(&mut request, b"", &scope(), &credentials, SystemTime::UNIX_EPOCH + AT);
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "failed to sign a request for 'service' in 'us-east-1'");
    assert_eq!(error.verdict(), Verdict::Permanent);
}

/// Gives credentials for an hour at the first two calls, and none at later ones.
#[derive(Debug, Default)]
struct Role(Arc<AtomicUsize>);

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        let call = self.0.fetch_add(1, Ordering::Relaxed) as u32;
        Provided::ready(match call {
            0 | 1 => {
                let end = SystemTime::UNIX_EPOCH + AT + Duration::from_secs(3600) * (call + 1);
                Ok(Credentials::new(KEY, SECRET, None, Some(end), "test"))
            }
            _ => Err(CredentialsError::not_loaded("no role")),
        })
    }
}

#[tokio::test]
async fn credentials_are_kept_until_they_are_about_to_run_out() {
    let calls = Arc::new(AtomicUsize::new(0));
    let provider = SharedCredentialsProvider::new(Role(Arc::clone(&calls)));
    let mut signer = Signer { scope: scope(), provider, held: None };
    let mut seen = Vec::new();
    for minutes in [0, 54, 56, 113, 116, 121] {
        let mut request = request(Method::GET, "/", &[]);
        let now = SystemTime::UNIX_EPOCH + AT + Duration::from_secs(minutes * 60);
        let signed = signer.sign(&mut request, b"", now).await;
        seen.push((signed.is_ok(), calls.load(Ordering::Relaxed)));
        if let Err(error) = signed {
            assert_eq!(error.to_string(), "failed to get credentials for AWS");
            assert_eq!(error.verdict(), Verdict::Transient);
        }
    }
    let expected = [(true, 1), (true, 1), (true, 2), (true, 2), (true, 3), (false, 4)];
    assert_eq!(seen, expected);
}
