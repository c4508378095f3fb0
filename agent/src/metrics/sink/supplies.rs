//! What sinks are set up from: the HTTP client, the way to AWS, secrets, and room on disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::error::{BuildError, SetUpError};
use crate::config::SecretRef;
use crate::identity::Identity;
use crate::metrics::spool::Place;
use crate::platform::aws::Aws;
use crate::platform::hex;
use crate::scope::aws::LazyAws;
use crate::scope::secrets::Secrets;

/// What all sinks are set up from.
#[derive(Debug, Clone)]
pub struct Supplies {
    /// The one HTTP client.
    pub client: Client,
    /// The way to AWS.
    pub aws: Arc<LazyAws>,
    /// What resolves secrets.
    pub secrets: Arc<Secrets>,
    /// Where ticks may wait on disk, and how much of them.
    pub spool: SpoolSupply,
}

/// Where ticks may wait on disk.
#[derive(Debug, Clone)]
pub struct SpoolSupply {
    /// The directory of all spools.
    pub directory: PathBuf,
    /// The most bytes for one sink; none where nothing goes to disk.
    pub bytes: u64,
    /// How long a tick may wait there.
    pub age: Duration,
}

impl SpoolSupply {
    /// The place of one sink.
    pub(super) fn place(&self, name: &str, identity: &Identity) -> Option<Place> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        // Names are any text, and not every text is the name of a directory.
        let directory = match !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) {
            true => name.to_owned(),
            false => format!("+{}", hex::hex(&Sha256::digest(name)[..16])),
        };
        (self.bytes > 0).then(|| Place {
            directory: self.directory.join(directory),
            instance: identity.instance_id.clone(),
            bytes: self.bytes,
            age: self.age,
        })
    }
}

impl Supplies {
    /// What one sink needs of them.
    pub(super) async fn for_sink(
        &self,
        needs_aws: bool,
        references: &[SecretRef],
    ) -> Result<SinkContext, SetUpError> {
        let mut secrets = HashMap::new();
        for reference in references {
            let secret = self.secrets.resolve(reference).await.map_err(SetUpError::Secret)?;
            secrets.insert(reference.clone(), secret);
        }
        let aws = match needs_aws {
            true => Some(self.aws.get().await.map_err(SetUpError::Aws)?.clone()),
            false => None,
        };
        Ok(SinkContext { client: self.client.clone(), aws, secrets })
    }
}

/// What one sink is set up from.
#[derive(Clone)]
pub struct SinkContext {
    /// The one HTTP client.
    pub client: Client,
    /// How to reach AWS; only needed where a sink says so.
    pub aws: Option<Aws>,
    /// The secrets that sinks refer to.
    pub secrets: HashMap<SecretRef, SecretString>,
}

impl SinkContext {
    /// The secret behind a reference.
    pub fn secret(&self, reference: &SecretRef) -> Result<SecretString, BuildError> {
        let found = self.secrets.get(reference).cloned();
        found.ok_or_else(|| BuildError::Secret(reference.clone()))
    }
}
