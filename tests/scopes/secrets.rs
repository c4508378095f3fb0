//! References to secrets.

use std::path::Path;
use std::time::Duration;

use gild::config::SecretRef;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::platform::{error::chain_text, http};
use gild::scope::secrets::Secrets;
use secrecy::ExposeSecret;

use super::with_moto;
#[tokio::test]
async fn references_are_resolved_and_masked() {
    let inside = with_moto("secrets::references_are_resolved_and_masked", |moto| {
        moto.put_secret("eu-west-1", "vault_secret", "plain-password");
        moto.put_secret("eu-west-1", "object", r#"{"field":"one-of-many","other":1}"#);
        moto.put_parameter("eu-west-1", "/pw", "SecureString", "hunter22");
    });
    if !inside {
        return;
    }
    let redactor = Redactor::default();
    let paths = Paths::installed(Path::new("/nonexistent"));
    let client = http::client().unwrap();
    let budget = Duration::from_secs(10);
    let secrets = Secrets::new(&paths, &client, None, &redactor, budget);
    let manager = |id: &str, key: Option<&str>| SecretRef::SecretsManager {
        id: id.to_owned(),
        key: key.map(str::to_owned),
    };
    for (reference, expected) in [
        (manager("vault_secret", None), "plain-password"),
        (manager("object", Some("field")), "one-of-many"),
        (SecretRef::Ssm("/pw".to_owned()), "hunter22"),
    ] {
        let value = secrets.resolve(&reference).await.unwrap();
        assert_eq!(value.expose_secret(), expected);
        assert_eq!(redactor.text(&format!("a {expected} b")), "a ‹secret› b");
    }
    for (reference, why) in [
        (manager("object", Some("nope")), "no field 'nope'"),
        (manager("vault_secret", Some("x")), "not a JSON object"),
        (manager("nope", None), "no such secret"),
        (SecretRef::Ssm("/nope".to_owned()), "no such parameter"),
    ] {
        let text = chain_text(&secrets.resolve(&reference).await.unwrap_err());
        assert!(text.contains(why), "{text}");
    }
}
