//! One account in one region, and what it is asked: one kind of thing a file.
//!
//! Every question is asked again while it is worth it (throttled, no answer), all pages of its
//! answer are read, and one that stays without an answer is an error: nothing here takes silence
//! for an empty list. To add a question: a method in the file of its kind; its calls go through
//! `ask`.

mod groups;
pub(crate) mod images;
mod instances;
mod launches;
mod objects;
mod parameters;
mod schedules;
mod templates;
mod types;
mod volumes;
mod zones;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_ec2::config::{Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use gild::platform::aws::{Aws, AwsError};
use gild::platform::http::{self, HttpError};
use gild::platform::retry::{self, Backoff};
use serde::Serialize;
use tokio::time::Instant;

/// How long one try may take.
const ATTEMPT: Duration = Duration::from_secs(60);

/// The steps between two tries.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(250), most: Duration::from_secs(10) };

/// What a role's sessions are called, in CloudTrail among others.
const SESSION: &str = "gild-ami";

/// How many things one page of an answer names: an answer of EC2 is below 4 MiB then.
const PAGE: i32 = 500;

/// A question that AWS has not answered.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// There is no HTTP client.
    #[error("failed to set up HTTP")]
    Http(#[source] HttpError),
    /// No region is known.
    #[error("no region is known: give --region, or set AWS_REGION")]
    NoRegion,
    /// A call brought no usable answer.
    #[error("failed to call {operation} in {region}")]
    Call {
        /// The operation, by AWS's name.
        operation: &'static str,
        /// Where.
        region: String,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// An answer lacks what every such answer has.
    #[error("the answer of {operation} in {region} has no {lacking}")]
    Incomplete {
        /// The operation, by AWS's name.
        operation: &'static str,
        /// Where.
        region: String,
        /// What it lacks.
        lacking: &'static str,
    },
}

impl CloudError {
    /// AWS's own word for the failure.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call { source, .. } => source.code(),
            Self::Http(_) | Self::NoRegion | Self::Incomplete { .. } => None,
        }
    }
}

/// Whose region it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The account's id.
    pub account: String,
    /// The region.
    pub region: String,
}

/// One account in one region.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// Whose, and where.
    pub place: Place,
    /// What further clients are made of.
    pub config: SdkConfig,
    /// Images, instances and all that belongs to them.
    pub ec2: aws_sdk_ec2::Client,
    /// Auto Scaling.
    pub scaling: aws_sdk_autoscaling::Client,
    /// Route 53.
    pub dns: aws_sdk_route53::Client,
    calls: Arc<AtomicU64>,
    patience: Duration,
}

impl Cloud {
    /// The account of this process's credentials, or of `role` where one is given. What is not
    /// answered is asked again for as long as `patience`.
    pub async fn open(
        region: Option<&str>,
        role: Option<&str>,
        patience: Duration,
    ) -> Result<Self, CloudError> {
        let client = http::client().map_err(CloudError::Http)?;
        let mut config = Aws::load(&client, region, ATTEMPT).await.config;
        if let Some(region) = region {
            config = config.into_builder().region(Region::new(region.to_owned())).build();
        }
        let region = config.region().ok_or(CloudError::NoRegion)?.to_string();
        let calls = Arc::default();
        let place = Place { account: String::new(), region };
        if let Some(role) = role {
            Self::of(place.clone(), config.clone(), Arc::clone(&calls), patience)
                .assume(role)
                .await?;
            let assumed = AssumeRoleProvider::builder(role)
                .session_name(SESSION)
                .configure(&config)
                .build()
                .await;
            let assumed = SharedCredentialsProvider::new(assumed);
            config = config.into_builder().credentials_provider(assumed).build();
        }
        let mut cloud = Self::of(place, config, calls, patience);
        cloud.place.account = cloud.account().await?;
        Ok(cloud)
    }

    /// The same account in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.clone().into_builder();
        let config = config.region(Region::new(region.to_owned())).build();
        let place = Place { region: region.to_owned(), ..self.place.clone() };
        Self::of(place, config, self.calls.clone(), self.patience)
    }

    fn of(place: Place, config: SdkConfig, calls: Arc<AtomicU64>, patience: Duration) -> Self {
        let ec2 = aws_sdk_ec2::Client::new(&config);
        let scaling = aws_sdk_autoscaling::Client::new(&config);
        let dns = aws_sdk_route53::Client::new(&config);
        Self { place, config, ec2, scaling, dns, calls, patience }
    }

    /// How many calls were made, tries that failed among them.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Whether the role may be assumed: the SDK's own provider, which does it from then on, would
    /// take a refusal for a failure to connect.
    async fn assume(&self, role: &str) -> Result<(), CloudError> {
        let client = aws_sdk_sts::Client::new(&self.config);
        let call = self.ask("AssumeRole", async || {
            client.assume_role().role_arn(role).role_session_name(SESSION).send().await
        });
        call.await.map(drop)
    }

    /// Whose credentials these are.
    async fn account(&self) -> Result<String, CloudError> {
        let client = aws_sdk_sts::Client::new(&self.config);
        let answer =
            self.ask("GetCallerIdentity", async || client.get_caller_identity().send().await);
        answer.await?.account.ok_or_else(|| self.incomplete("GetCallerIdentity", "account"))
    }

    /// Calls until there is an answer, the failure is for good, or patience has an end.
    pub async fn ask<T, E>(
        &self,
        operation: &'static str,
        mut call: impl AsyncFnMut() -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, CloudError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let deadline = Instant::now() + self.patience;
        let attempts = retry::until(deadline, BACKOFF, async || {
            self.calls.fetch_add(1, Ordering::Relaxed);
            call().await.map_err(AwsError::from)
        });
        let region = self.place.region.clone();
        attempts.await.result.map_err(|source| CloudError::Call { operation, region, source })
    }

    /// An answer without what every such answer has.
    pub fn incomplete(&self, operation: &'static str, lacking: &'static str) -> CloudError {
        CloudError::Incomplete { operation, region: self.place.region.clone(), lacking }
    }
}
