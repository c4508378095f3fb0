//! Secrets for the step: the vault's password, and those in the data of the
//! playbook. Each reference becomes its secret, in memory, for as long as the
//! step takes. And those for the daemon, which are handed over before it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::Options;
use super::phases::Boot;
use crate::config::SecretRef;
use crate::configure::settings::ConfigurationSettings;
use crate::identity::Identity;
use crate::platform::error::chain_text;
use crate::scope::secrets::{SecretError, Secrets};
use crate::scope::{Context, Resolution};

/// How long each secret of a boot may take.
const SECRET_BUDGET: Duration = Duration::from_secs(30);

/// How long the secrets of the daemon may take: a boot waits for them.
const HANDING: Duration = Duration::from_secs(5);

/// Hands the secrets of sinks and notifiers to the daemon. Whatever goes wrong, the boot
/// goes on.
pub(super) async fn hand_secrets(context: &Context, options: &Options, resolution: &Resolution) {
    let Some(identity) = resolution.identity.as_ref().filter(|_| !options.is_apart()) else {
        return;
    };
    let settings = &resolution.settings;
    let sinks = settings.sink.values().flat_map(|sink| sink.secrets());
    let notifiers = settings.notify.values().flat_map(|notifier| notifier.receiver.secrets());
    let references: Vec<SecretRef> = sinks.chain(notifiers).collect();
    let Context { paths, client, redactor, .. } = context;
    let region = identity.region.clone();
    let secrets = Secrets::new(paths, client, region, redactor, HANDING).or_handed();
    if let Err(error) = secrets.hand_over(&references).await {
        tracing::warn!("the daemon is handed no secrets: {}", chain_text(&error));
    }
}

impl Boot<'_> {
    /// The secrets that the step needs.
    pub(super) async fn secrets(
        &mut self,
        vars: &Map<String, Value>,
        settings: &ConfigurationSettings,
        identity: &Identity,
    ) -> Result<Revealed, SecretError> {
        let Context { paths, client, redactor, .. } = self.context;
        let region = identity.region.clone();
        let secrets = Secrets::new(paths, client, region, redactor, SECRET_BUDGET);
        let password = settings.vault_password.as_ref();
        let started = Instant::now();
        let revealed = reveal(password, vars, &secrets).await;
        self.timed("secrets", started, revealed.is_ok());
        revealed
    }
}

/// The vault's password, and the free data without references.
pub(super) type Revealed = (Option<SecretString>, Map<String, Value>);

/// The vault's password, and the free data with each reference to a secret
/// replaced by the secret. Both live as long as the step.
async fn reveal(
    vault_password: Option<&SecretRef>,
    vars: &Map<String, Value>,
    secrets: &Secrets,
) -> Result<Revealed, SecretError> {
    let mut references: Vec<SecretRef> = vault_password.into_iter().cloned().collect();
    collect(vars, &mut references);
    let values = secrets.resolve_all(&references).await?;
    let vault_password = vault_password.and_then(|reference| values.get(reference).cloned());
    Ok((vault_password, replaced(vars, &values)))
}

/// Adds the references in some data.
fn collect(vars: &Map<String, Value>, references: &mut Vec<SecretRef>) {
    for value in vars.values() {
        if let Value::Object(table) = value {
            match SecretRef::from_table(table) {
                Some(reference) => references.push(reference),
                None => collect(table, references),
            }
        }
    }
}

/// The data with the values of its references.
fn replaced(
    vars: &Map<String, Value>,
    values: &HashMap<SecretRef, SecretString>,
) -> Map<String, Value> {
    let value = |value: &Value| match value {
        Value::Object(table) => match SecretRef::from_table(table) {
            // Every reference has a value by now.
            Some(reference) => {
                Value::from(values.get(&reference).map(|secret| secret.expose_secret()))
            }
            None => Value::Object(replaced(table, values)),
        },
        other => other.clone(),
    };
    vars.iter().map(|(key, it)| (key.clone(), value(it))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::http;
    use crate::platform::paths::Paths;
    use crate::platform::redact::Redactor;

    #[tokio::test]
    async fn references_at_any_depth_become_their_secrets() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        let client = http::client().unwrap();
        let budget = Duration::from_secs(1);
        let secrets = Secrets::new(&paths, &client, None, &Redactor::default(), budget);
        for (name, text) in [("a", "alpha"), ("b", "beta")] {
            std::fs::write(root.path().join(name), text).unwrap();
        }
        let Value::Object(vars) = json!({
            "x": {"file": "/a"},
            "y": {"z": {"file": "/b"}, "again": {"file": "/a"}},
            "list": [{"file": "/a"}],
        }) else {
            panic!()
        };
        let vault = SecretRef::File("/b".into());
        let (password, revealed) = reveal(Some(&vault), &vars, &secrets).await.unwrap();
        assert_eq!(password.unwrap().expose_secret(), "beta");
        let expected = json!({
            "x": "alpha", "y": {"z": "beta", "again": "alpha"}, "list": [{"file": "/a"}],
        });
        assert_eq!(Value::Object(revealed), expected);
        // The first in the order of the data is the one that is named.
        std::fs::remove_file(root.path().join("a")).unwrap();
        std::fs::remove_file(root.path().join("b")).unwrap();
        let error = chain_text(&reveal(None, &vars, &secrets).await.unwrap_err());
        assert!(error.contains("'file:/a'"), "{error}");
    }
}
