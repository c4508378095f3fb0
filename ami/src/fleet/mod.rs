//! What there is in an account's region, as far as a plan asks for it. Only data: `cloud` fills
//! it, plans read it, and tests make it up.

/// Hosted zones and their records.
pub mod dns;
/// Random fleets.
#[cfg(test)]
pub(crate) mod random;
/// Sizes of groups, and what changes them by the clock.
pub mod schedules;
/// Tags, and what they say may be done.
pub mod tags;
/// Whether something is in use, and by what.
pub mod usage;

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::version::Version;

pub use self::tags::Tags;

/// Tags that say what may be done with a thing.
pub mod tag {
    /// The service that an image is of.
    pub const APP: &str = "app";
    /// Its version.
    pub const VERSION: &str = "version";
    /// `true` keeps a thing from being removed.
    pub const SKIP_CLEAN: &str = "amm:SkipClean";
    /// `true` marks a thing as one that may be removed, `false` keeps it.
    pub const CLEAN: &str = "amm:Clean";
    /// On a copy: the image that it is of.
    pub const SOURCE_AMI: &str = "amm:source_ami";
    /// On a copy: the region of that image.
    pub const SOURCE_REGION: &str = "amm:source_region";
    /// On a copy: the account of that image.
    pub const SOURCE_ACCOUNT: &str = "amm:source_account";
    /// On a copy: the name of that image.
    pub const SOURCE_NAME: &str = "amm:source_name";
    /// On an image: that a template has it, and which version of which.
    pub const TEMPLATE_STATUS: &str = "amm:template_status";
    /// On a group: what it is for; a database comes up first and goes down last.
    pub const ROLE: &str = "role";
    /// `true` keeps a group from being scheduled.
    pub const SKIP_SCHEDULE: &str = "amm:SkipSchedule";
    /// On a group: its place in the order in which groups come up.
    pub const SCHEDULE_ORDER: &str = "amm:schedule_order";
    /// On a group: the fewest instances when it is up.
    pub const SCHEDULE_MIN: &str = "amm:schedule_min";
    /// On a group: the wanted instances when it is up.
    pub const SCHEDULE_DESIRED: &str = "amm:schedule_desired";
    /// On a group: the most instances when it is up.
    pub const SCHEDULE_MAX: &str = "amm:schedule_max";
}

/// What there is in one account's region.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// The account that looks.
    pub account: String,
    /// When it was looked.
    pub now: Option<SystemTime>,
    /// Images that the account owns.
    pub images: Vec<Image>,
    /// Snapshots that the account owns.
    pub snapshots: Vec<Snapshot>,
    /// Launch templates with all their versions.
    pub templates: Vec<Template>,
    /// Launch configurations.
    pub configurations: Vec<Configuration>,
    /// Auto Scaling groups.
    pub groups: Vec<Group>,
    /// Instances that are not gone.
    pub instances: Vec<Instance>,
    /// Volumes.
    pub volumes: Vec<Volume>,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// `ami-…`
    pub id: String,
    /// Its name: one of its kind for an account in a region.
    pub name: String,
    /// What its maker says of it.
    pub description: String,
    /// Whose it is.
    pub owner: String,
    /// `available`, `pending`, …
    pub state: String,
    /// `arm64`, `x86_64`.
    pub architecture: String,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// Whether everybody may use it.
    pub is_public: bool,
    /// Whether any of its volumes is encrypted.
    pub is_encrypted: bool,
    /// The snapshots of its volumes.
    pub snapshots: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Image {
    /// The service that it is of.
    pub fn app(&self) -> Option<&str> {
        self.tags.get(tag::APP).map(String::as_str).filter(|app| !app.is_empty())
    }

    /// Its version, by its tag.
    pub fn version(&self) -> Option<Version> {
        self.tags.get(tag::VERSION).and_then(|text| Version::parse(text))
    }
}

/// Who else may use an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Accounts.
    pub accounts: BTreeSet<String>,
    /// Organisations and their units, by ARN.
    pub organizations: BTreeSet<String>,
    /// Everybody.
    pub is_public: bool,
}

impl Grants {
    /// Who may use it beyond the accounts that are `known`.
    pub fn beyond(&self, known: &BTreeSet<String>) -> Option<String> {
        if self.is_public {
            return Some("everybody".to_owned());
        }
        let account = self.accounts.difference(known).next().map(|id| format!("account {id}"));
        self.organizations.first().cloned().or(account)
    }
}

/// A snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// `snap-…`
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// `completed`, `pending`, …
    pub state: String,
    /// What it was made for: EC2 names the image here.
    pub description: String,
    /// The size of its volume.
    pub size_gib: u64,
    /// `standard` or `archive`.
    pub tier: String,
    /// When it was begun.
    pub created: Option<SystemTime>,
    /// Its tags.
    pub tags: Tags,
}

/// A launch template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// `lt-…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version that `$Default` means.
    pub default_version: u64,
    /// The version that `$Latest` means.
    pub latest_version: u64,
    /// All its versions.
    pub versions: Vec<TemplateVersion>,
    /// Its tags.
    pub tags: Tags,
}

/// A version of a launch template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Its number.
    pub number: u64,
    /// What its maker says of it.
    pub description: String,
    /// The image it starts; `resolve:ssm:…` is a name for one.
    pub image: Option<String>,
    /// The snapshots it makes volumes of.
    pub snapshots: Vec<String>,
    /// The type of instance it starts.
    pub instance_type: Option<String>,
    /// When it was made.
    pub created: Option<SystemTime>,
}

/// A launch configuration, the older kind of template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// The image it starts.
    pub image: String,
    /// The snapshots it makes volumes of.
    pub snapshots: Vec<String>,
}

/// Which version of which template something starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateUse {
    /// The template's id, or its name where that is all that is known.
    pub template: String,
    /// A number, `$Latest` or `$Default`.
    pub version: String,
}

/// An Auto Scaling group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The fewest instances.
    pub min: u32,
    /// The most instances.
    pub max: u32,
    /// The wanted instances.
    pub desired: u32,
    /// What it starts, with the overrides of a mixed group.
    pub templates: Vec<TemplateUse>,
    /// Its instances, each with the template it was started from where it was.
    pub instances: Vec<(String, Option<TemplateUse>)>,
    /// Whether instances of it, or those to come, are protected from its scaling in.
    pub is_protected: bool,
    /// The processes of it that somebody has suspended.
    pub suspended: Vec<String>,
    /// What AWS says of a group that is going away.
    pub status: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// An instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instance {
    /// `i-…`
    pub id: String,
    /// Its image.
    pub image: String,
    /// `running`, `stopped`, …
    pub state: String,
    /// Its type.
    pub instance_type: String,
    /// Whether it is a spot instance.
    pub is_spot: bool,
    /// Processors: cores times threads.
    pub cpus: u32,
    /// The group it belongs to.
    pub group: Option<String>,
    /// Its addresses, private and public.
    pub addresses: Vec<String>,
    /// When it was started last.
    pub launched: Option<SystemTime>,
    /// Its volumes.
    pub volumes: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

/// A type of instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InstanceType {
    /// Processors.
    pub vcpus: u32,
    /// Memory, in MiB.
    pub memory_mib: u64,
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volume {
    /// `vol-…`
    pub id: String,
    /// `available`, `in-use`, …
    pub state: String,
    /// `gp3`, …
    pub kind: String,
    /// Its size.
    pub size_gib: u64,
    /// What is paid for beyond its size.
    pub iops: Option<u32>,
    /// MiB a second.
    pub throughput: Option<u32>,
    /// The instances that have it.
    pub instances: Vec<String>,
    /// The snapshot it was made from.
    pub snapshot: Option<String>,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// Its tags.
    pub tags: Tags,
}
