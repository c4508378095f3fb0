//! One message to one receiver: resolved, rendered, sent once, all of it within
//! the time that the caller has.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;

use super::NotifySettings;
use super::error::SendError;
use super::message::Message;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;
use crate::scope::aws::LazyAws;
use crate::scope::secrets::Secrets;

/// How long a call to AWS may take: less than the attempt that it is a part of.
const CALL: Duration = Duration::from_secs(5);

/// What all notifiers send with.
#[derive(Debug, Clone)]
pub struct Supplies {
    /// The one HTTP client.
    pub client: Client,
    /// The way to AWS.
    pub aws: Arc<LazyAws>,
    /// What resolves secrets.
    pub secrets: Arc<Secrets>,
    /// What masks them.
    pub redactor: Redactor,
}

impl Supplies {
    /// Supplies for an instance in this region.
    pub fn new(
        paths: &Paths,
        client: &Client,
        redactor: &Redactor,
        region: Option<String>,
    ) -> Self {
        let secrets = Secrets::new(paths, client, region.clone(), redactor, CALL).or_handed();
        Self {
            client: client.clone(),
            aws: Arc::new(LazyAws::new(client.clone(), region, CALL)),
            secrets: Arc::new(secrets),
            redactor: redactor.clone(),
        }
    }
}

/// Sends a message once, within `limit`.
pub async fn attempt(
    notifier: &NotifySettings,
    message: &Message,
    held_back: u32,
    supplies: &Supplies,
    limit: Duration,
) -> Result<(), SendError> {
    let telling = notifier.receiver.tell(message, &notifier.rules, held_back, supplies);
    tokio::time::timeout(limit, telling).await.unwrap_or(Err(SendError::Timeout(limit)))
}
