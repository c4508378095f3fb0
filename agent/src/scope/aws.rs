//! The way to AWS, made ready only when something is asked there: most of its
//! cost is the search for credentials.

use std::time::Duration;

use reqwest::Client;
use tokio::sync::OnceCell;

use crate::platform::aws::Aws;

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

    /// Ready now.
    pub async fn get(&self) -> &Aws {
        self.ready
            .get_or_init(|| Aws::load(&self.client, self.region.as_deref(), self.attempt))
            .await
    }
}
