//! The way to AWS, made ready only when something is asked there: most of its
//! cost is the search for credentials.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use reqwest::Client;
use tokio::sync::OnceCell;

use crate::platform::aws::{self, Aws};

/// The way to AWS of one process.
#[derive(Debug)]
pub struct LazyAws {
    client: Client,
    region: Option<String>,
    attempt: Duration,
    ready: OnceCell<Aws>,
}

impl LazyAws {
    /// Not yet ready. One attempt at a call may take `attempt`.
    pub fn new(client: Client, region: Option<String>, attempt: Duration) -> Self {
        Self { client, region, attempt, ready: OnceCell::new() }
    }

    /// An HTTP stack for whoever reads answers piece by piece and counts for himself.
    pub fn streaming(&self) -> SharedHttpClient {
        aws::streaming(&self.client)
    }

    /// Ready now.
    pub async fn get(&self) -> Result<&Aws, NoRegion> {
        // Without a region nothing is kept: the default chain may find one later.
        let load = async || {
            let aws = Aws::load(&self.client, self.region.as_deref(), self.attempt).await;
            if aws.config.region().is_some() { Ok(aws) } else { Err(NoRegion) }
        };
        self.ready.get_or_try_init(load).await
    }
}

/// Nobody says which region to ask.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no region is known: this is not EC2, and AWS_REGION is not set")]
pub struct NoRegion;

/// Whether a call failed because nobody gave it credentials to sign with.
pub(crate) fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref() {
            Some(CredentialsError::ProviderTimedOut(_)) => return false,
            Some(_) => return true,
            None => {}
        }
        next = error.source();
    }
    false
}
