//! Who this instance is: IMDSv2 on EC2, the host itself elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// The host name.
    pub hostname: String,
    /// The autoscaling group, where it is visible.
    pub autoscaling_group: Option<String>,
    /// The tags that were asked for.
    pub tags: BTreeMap<String, String>,
}
