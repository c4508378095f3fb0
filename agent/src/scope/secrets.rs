//! References to secrets, resolved: as late as possible, into memory that is
//! wiped, and never without telling the redactor first.
//!
//! After a boot the instance may have a weaker role. What the daemon needs is `handed`
//! over before that; a fresh value always wins.
//!
//! What cannot be wiped are the buffers of the HTTP and AWS libraries, which a
//! value passes through on its way.

mod error;
mod handed;
mod many;

use std::time::Duration;

use aws_sdk_secretsmanager::Client as SecretsManager;
use aws_sdk_ssm::Client as Ssm;
use reqwest::Client;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

pub use self::error::{Fault, SecretError};
pub use self::handed::HandOverError;
use super::aws::LazyAws;
use crate::config::SecretRef;
use crate::platform::aws::AwsError;
use crate::platform::error::chain_text;
use crate::platform::fs::read_capped;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;
use crate::platform::retry::{Backoff, Tries};

/// The largest secret: as much as Secrets Manager takes.
const MAX_BYTES: u64 = 64 * 1024;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), most: Duration::from_secs(5) };

/// What resolves references.
#[derive(Debug)]
pub struct Secrets {
    paths: Paths,
    aws: LazyAws,
    redactor: Redactor,
    budget: Duration,
    handed: bool,
}

impl Secrets {
    /// Resolves in `region`, each reference within `budget`.
    pub fn new(
        paths: &Paths,
        client: &Client,
        region: Option<String>,
        redactor: &Redactor,
        budget: Duration,
    ) -> Self {
        Self {
            paths: paths.clone(),
            aws: LazyAws::new(client.clone(), region, ATTEMPT),
            redactor: redactor.clone(),
            budget,
            handed: false,
        }
    }

    /// The same, and what `configure` has handed over stands in for what is out of reach.
    /// Not for what root runs: the daemon's user may write to that file.
    pub fn or_handed(self) -> Self {
        Self { handed: true, ..self }
    }

    /// The value that a reference stands for. From here on it is masked in
    /// every text that leaves the process.
    pub async fn resolve(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        self.before(Instant::now() + self.budget, reference).await
    }

    /// The value, before the deadline.
    async fn before(
        &self,
        deadline: Instant,
        reference: &SecretRef,
    ) -> Result<SecretString, SecretError> {
        let mut tries = Tries::new(deadline, BACKOFF);
        let result = loop {
            let limit = deadline.min(Instant::now() + ATTEMPT);
            let attempt = timeout_at(limit, self.once(reference)).await;
            match attempt.unwrap_or(Err(Fault::Timeout(ATTEMPT))) {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        match result {
            Ok(value) => Ok(self.masked(&value)),
            Err(source) => match self.stand_in(reference, &source) {
                Some(value) => Ok(value),
                None => {
                    let reference = reference.clone();
                    Err(SecretError { reference, attempts: tries.count, source })
                }
            },
        }
    }

    /// What was handed over, where that is for such cases.
    fn stand_in(&self, reference: &SecretRef, fault: &Fault) -> Option<SecretString> {
        if !self.handed || !fault.is_out_of_reach() {
            return None;
        }
        let value = handed::read(&self.paths, reference)?;
        let why = chain_text(fault);
        tracing::debug!(%reference, "a secret that was handed over stands in: {why}");
        Some(self.masked(&value))
    }

    /// A value, from here on masked.
    fn masked(&self, value: &str) -> SecretString {
        self.redactor.add(value);
        SecretString::from(value)
    }

    async fn once(&self, reference: &SecretRef) -> Result<Zeroizing<String>, Fault> {
        match reference {
            SecretRef::Ssm(name) => self.parameter(name).await,
            SecretRef::SecretsManager { id, key } => {
                let whole = self.secret(id).await?;
                // The whole may show up in a library's error before its field does.
                self.redactor.add(&whole);
                match key {
                    Some(key) => field(&whole, key),
                    None => Ok(whole),
                }
            }
            SecretRef::File(path) => self.file(path),
        }
    }

    async fn parameter(&self, name: &str) -> Result<Zeroizing<String>, Fault> {
        let client = Ssm::new(&self.aws.get().await?.config);
        let call = client.get_parameter().name(name).with_decryption(true).send().await;
        let fault = |error: AwsError| match error.code() {
            Some("ParameterNotFound") => Fault::Absent("parameter"),
            _ => Fault::Aws { operation: "GetParameter", source: error },
        };
        let value = call.map_err(|error| fault(error.into()))?.parameter.and_then(|p| p.value);
        value.map(Zeroizing::new).ok_or(Fault::Absent("parameter"))
    }

    async fn secret(&self, id: &str) -> Result<Zeroizing<String>, Fault> {
        let client = SecretsManager::new(&self.aws.get().await?.config);
        let call = client.get_secret_value().secret_id(id).send().await;
        let fault = |error: AwsError| match error.code() {
            Some("ResourceNotFoundException") => Fault::Absent("secret"),
            _ => Fault::Aws { operation: "GetSecretValue", source: error },
        };
        let answer = call.map_err(|error| fault(error.into()))?;
        answer.secret_string.map(Zeroizing::new).ok_or(Fault::NotText)
    }

    /// A file ends in a line break because editors write one.
    fn file(&self, path: &str) -> Result<Zeroizing<String>, Fault> {
        let bytes = read_capped(&self.paths.host(path), MAX_BYTES).map_err(Fault::File)?;
        let bytes = Zeroizing::new(bytes.ok_or(Fault::Absent("file"))?);
        let text = std::str::from_utf8(&bytes).map_err(|_| Fault::NotText)?;
        Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

fn field(whole: &str, key: &str) -> Result<Zeroizing<String>, Fault> {
    // The parser's own error is left out: it may quote what it read.
    let Ok(Value::Object(mut object)) = serde_json::from_str(whole) else {
        return Err(Fault::NotAnObject(key.to_owned()));
    };
    let found = match object.remove(key) {
        Some(Value::String(text)) => Ok(Zeroizing::new(text)),
        _ => Err(Fault::NoField(key.to_owned())),
    };
    for value in object.values_mut() {
        if let Value::String(text) = value {
            drop(Zeroizing::new(std::mem::take(text)));
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::platform::http;

    fn secrets(root: &std::path::Path) -> Secrets {
        let paths = Paths::installed(root);
        let budget = Duration::from_secs(1);
        Secrets::new(&paths, &http::client().unwrap(), None, &Redactor::default(), budget)
    }

    #[tokio::test]
    async fn a_file_is_read_below_the_root_and_masked() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("pw"), "hunter22\n").unwrap();
        let secrets = secrets(root.path());
        let value = secrets.resolve(&SecretRef::File("/pw".into())).await.unwrap();
        assert_eq!(value.expose_secret(), "hunter22");
        assert_eq!(secrets.redactor.text("<hunter22>"), "<‹secret›>");
    }

    #[tokio::test]
    async fn what_is_not_there_fails_at_once_and_says_so() {
        let root = tempfile::tempdir().unwrap();
        let error = secrets(root.path()).resolve(&SecretRef::File("/pw".into())).await.unwrap_err();
        let text = chain_text(&error);
        assert_eq!(
            text,
            "failed to resolve the secret 'file:/pw' (1 attempts): there is no such file"
        );
    }

    #[test]
    fn a_field_is_a_text_of_an_object_and_errors_hold_no_value() {
        assert_eq!(*field(r#"{"a":"x","b":1}"#, "a").unwrap(), "x");
        for (whole, key) in [("hunter22", "a"), (r#"{"a":{"x":"hunter22"}}"#, "a"), ("{}", "a")] {
            assert!(!format!("{:?}", field(whole, key).unwrap_err()).contains("hunter22"));
        }
    }
}
