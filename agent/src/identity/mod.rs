//! Who this instance is: IMDSv2 on EC2, the host itself elsewhere.
//!
//! `hardware` tells cheaply whether this can be EC2, `imds` asks the metadata
//! service over the one `connection`, `host` answers where there is none, and
//! `autoscaling` knows the group's tags where the metadata holds none. A new
//! field is one line in `Identity`, one in `imds::IdentityDocument`.

/// The tags of the instance's group.
pub mod autoscaling;
mod connection;
/// Why the metadata service did not answer.
pub mod error;
/// Questions that are asked again and again.
mod glance;
mod hardware;
/// The identity of a host off EC2.
pub mod host;
/// The client of the metadata service.
pub mod imds;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::platform::paths::Paths;
use error::ImdsError;
use imds::{GROUP_TAG, Imds, WantedTags};

/// Where the metadata service is on every instance.
const DEFAULT_ENDPOINT: &str = "http://169.254.169.254";

/// How long a host that does not look like EC2 is given to prove that it is.
const QUICK_PROBE: Duration = Duration::from_secs(1);

/// How long the host name is worth waiting for; the kernel has one too. The
/// public address and the name of the role are worth no more.
const HOSTNAME_PATIENCE: Duration = Duration::from_secs(2);

/// Where an identity came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// The instance metadata service.
    Imds,
    /// The host itself, off EC2.
    Host,
}

/// Who this instance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Where this came from.
    pub provenance: Provenance,
    /// `i-…` on EC2, the machine id elsewhere.
    pub instance_id: String,
    /// Such as `t4g.small`.
    pub instance_type: Option<String>,
    /// Such as `eu-west-1`.
    pub region: Option<String>,
    /// Such as `eu-west-1a`.
    pub availability_zone: Option<String>,
    /// The account's twelve digits.
    pub account: Option<String>,
    /// `ami-…`.
    pub image_id: Option<String>,
    /// The primary private address.
    pub private_ip: Option<String>,
    /// The address that the world sees, where the instance has one.
    #[serde(default)]
    pub public_ip: Option<String>,
    /// The host name.
    pub hostname: String,
    /// The autoscaling group, where it is visible.
    pub autoscaling_group: Option<String>,
    /// The tags that were asked for.
    pub tags: BTreeMap<String, String>,
}

/// How to ask who this instance is.
#[derive(Debug, Clone)]
pub struct ImdsOptions {
    /// The endpoint, where the environment names one
    /// (`AWS_EC2_METADATA_SERVICE_ENDPOINT`); it is then always asked.
    pub endpoint: Option<String>,
    /// How long all of it may take.
    pub budget: Duration,
    /// The tags to read, besides those that the configuration names.
    pub wanted_tags: WantedTags,
}

impl ImdsOptions {
    /// Asks for gild's own tags, and for what the configuration names.
    pub fn new(endpoint: Option<String>, budget: Duration) -> Self {
        let prefixes = ["gild:".to_owned()].into();
        Self { endpoint, budget, wanted_tags: WantedTags { prefixes, keys: Default::default() } }
    }

    /// The metadata service, for what is asked apart from the identity.
    pub fn open(&self) -> Result<Imds, ImdsError> {
        Imds::new(self.endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT))
    }
}

/// What was found out.
#[derive(Debug)]
pub struct Discovered {
    /// Who this instance is.
    pub identity: Identity,
    /// The metadata service, for what is asked later; `None` off EC2.
    pub imds: Option<Imds>,
    /// Whether the tags could be read, and whether the metadata has them.
    pub tags: TagsState,
    /// The role that the instance has, where it has one and that is known. It may be another
    /// one tomorrow, and is no part of who the instance is.
    pub role: Option<String>,
}

/// What is known about the instance's tags.
#[derive(Debug)]
pub enum TagsState {
    /// They were read.
    Read,
    /// The metadata does not hold them, or there is no metadata.
    Unavailable,
    /// They may be there and could not be read.
    Failed(ImdsError),
}

/// This is EC2, and the metadata service did not say who we are.
#[derive(Debug, thiserror::Error)]
#[error("failed to learn from the metadata service which instance this is")]
pub struct IdentityError(#[source] ImdsError);

/// Finds out who this instance is.
pub async fn discover(options: &ImdsOptions, paths: &Paths) -> Result<Discovered, IdentityError> {
    let start = Instant::now();
    let deadline = start + options.budget;
    let mut imds = options.open().map_err(IdentityError)?;
    if options.endpoint.is_some() || hardware::says_ec2(paths) {
        imds.reach(deadline).await.map_err(IdentityError)?;
    } else {
        let limit = options.budget.min(QUICK_PROBE);
        let probe = tokio::time::timeout(limit, imds.reach(start + limit)).await;
        if !matches!(probe, Ok(Ok(()))) {
            let identity = host::identity(paths);
            let tags = TagsState::Unavailable;
            return Ok(Discovered { identity, imds: None, tags, role: None });
        }
    }
    let document = imds.document(deadline).await.map_err(IdentityError)?;
    // Neither a tag nor a host name is worth an instance without a name.
    let (tags, state) = match imds.tags(&options.wanted_tags, deadline).await {
        Ok(Some(tags)) => (tags, TagsState::Read),
        Ok(None) => (BTreeMap::new(), TagsState::Unavailable),
        Err(error) => (BTreeMap::new(), TagsState::Failed(error)),
    };
    let hostname = imds.hostname(deadline.min(Instant::now() + HOSTNAME_PATIENCE)).await;
    let public_ip = imds.public_ip(deadline.min(Instant::now() + HOSTNAME_PATIENCE)).await;
    let role = imds.role(deadline.min(Instant::now() + HOSTNAME_PATIENCE)).await;
    let identity = Identity {
        provenance: Provenance::Imds,
        instance_id: document.instance_id,
        instance_type: document.instance_type,
        region: document.region,
        availability_zone: document.availability_zone,
        account: document.account_id,
        image_id: document.image_id,
        private_ip: document.private_ip,
        public_ip: public_ip.ok().flatten(),
        hostname: hostname.ok().flatten().unwrap_or_else(|| host::hostname(paths)),
        autoscaling_group: tags.get(GROUP_TAG).cloned(),
        tags,
    };
    Ok(Discovered { identity, imds: Some(imds), tags: state, role: role.ok().flatten() })
}
