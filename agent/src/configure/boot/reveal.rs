//! Secrets in the data of the playbook: each reference becomes its secret, in
//! memory, for as long as the step takes.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::config::SecretRef;
use crate::scope::secrets::{SecretError, Secrets};

/// The free data with each reference to a secret replaced by the secret. The
/// result lives as long as the step.
pub(super) async fn reveal(
    vars: &Map<String, Value>,
    secrets: &Secrets,
) -> Result<Map<String, Value>, SecretError> {
    let mut revealed = Map::new();
    for (key, value) in vars {
        let value = match value {
            Value::Object(table) => match SecretRef::from_table(table) {
                Some(reference) => {
                    let secret: SecretString = secrets.resolve(&reference).await?;
                    Value::from(secret.expose_secret())
                }
                None => Value::Object(Box::pin(reveal(table, secrets)).await?),
            },
            other => other.clone(),
        };
        revealed.insert(key.clone(), value);
    }
    Ok(revealed)
}
