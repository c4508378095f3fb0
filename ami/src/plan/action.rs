//! Every change that gild-ami can make to an account, as data. To add one: a variant here, what
//! it is called below, and how it is done in `apply`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::fleet::dns::Record;
use crate::fleet::schedules::{Scheduled, Sizes};
use crate::fleet::{Grants, Tags};

/// What an object holds: in a plan its digest stands for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(pub Arc<[u8]>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// An image is taken away.
    DeregisterImage {
        /// Its id.
        image: String,
    },
    /// A snapshot is taken away.
    DeleteSnapshot {
        /// Its id.
        snapshot: String,
    },
    /// A launch template gets a version that starts another image.
    CreateTemplateVersion {
        /// The template's id.
        template: String,
        /// The version whose other settings it has.
        from: u64,
        /// The image it starts.
        image: String,
        /// What is said of it.
        description: String,
        /// By this EC2 makes one however often it is asked.
        token: String,
    },
    /// The newest version that starts an image is a template's default.
    SetDefaultVersion {
        /// The template's id.
        template: String,
        /// The image.
        image: String,
    },
    /// The instances of a group are replaced.
    RefreshInstances {
        /// The group.
        group: String,
        /// How many stay in service, in percent.
        min_healthy_percent: u8,
        /// How long a new one takes until it counts.
        warm_up_seconds: u64,
    },
    /// An object is put into a bucket.
    PutObject {
        /// The bucket.
        bucket: String,
        /// Its key.
        key: String,
        /// What it holds.
        sha256: String,
        /// How much that is.
        bytes: u64,
        /// Whether it must not be there yet.
        once: bool,
        /// It.
        #[serde(skip)]
        content: Content,
    },
    /// An instance is ended for good.
    TerminateInstance {
        /// Its id.
        instance: String,
    },
    /// A volume is taken away.
    DeleteVolume {
        /// Its id.
        volume: String,
    },
    /// A record of a zone is taken away, if it still says this.
    DeleteRecord {
        /// The zone's id.
        zone: String,
        /// What it says.
        record: Record,
    },
    /// Versions of a launch template are taken away.
    DeleteTemplateVersions {
        /// The template's id.
        template: String,
        /// Their numbers.
        versions: BTreeSet<u64>,
    },
    /// An image of another account becomes this one's.
    CopyImage {
        /// Its id.
        source: String,
        /// Its region.
        region: String,
        /// What the copy is called.
        name: String,
        /// What is said of it.
        description: String,
        /// The key it is encrypted with; the account's default one where there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        kms_key: Option<String>,
        /// By this EC2 makes one copy however often it is asked.
        token: String,
        /// What the copy is tagged with from its start.
        tags: Tags,
    },
    /// A copy that was begun before is waited for.
    AwaitImage {
        /// Its id.
        image: String,
    },
    /// A group is made as large as this.
    Resize {
        /// Its name.
        group: String,
        /// How large.
        sizes: Sizes,
    },
    /// A group changes its sizes by the clock.
    Schedule {
        /// Its name.
        group: String,
        /// When, and to what.
        actions: Vec<Scheduled>,
    },
    /// Others may use an image.
    ShareImage {
        /// Its id.
        image: String,
        /// Who may use it from now on.
        with: Grants,
    },
    /// Others may make volumes of a snapshot.
    ShareSnapshot {
        /// Its id.
        snapshot: String,
        /// Who may from now on.
        with: BTreeSet<String>,
    },
    /// Things get tags.
    Tag {
        /// Its id.
        resource: String,
        /// What is added, or changed.
        tags: Tags,
    },
    /// A group gets tags that its instances do not get.
    TagGroup {
        /// Its name.
        group: String,
        /// What is added, or changed.
        tags: Tags,
    },
    /// A group changes its sizes by the clock no more.
    Unschedule {
        /// Its name.
        group: String,
        /// The names of the scheduled actions that go.
        actions: BTreeSet<String>,
    },
    /// A group loses tags.
    UntagGroup {
        /// Its name.
        group: String,
        /// Their keys.
        keys: BTreeSet<String>,
    },
}

impl Action {
    /// What is done, in a word or two.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::DeregisterImage { .. } => "deregister",
            Self::CopyImage { .. } => "copy",
            Self::AwaitImage { .. } => "wait for",
            Self::CreateTemplateVersion { .. } => "assign",
            Self::SetDefaultVersion { .. } => "make default",
            Self::RefreshInstances { .. } => "refresh",
            Self::PutObject { .. } => "put",
            Self::TerminateInstance { .. } => "terminate",
            Self::DeleteSnapshot { .. } | Self::DeleteVolume { .. } | Self::DeleteRecord { .. } => {
                "delete"
            }
            Self::DeleteTemplateVersions { .. } => "delete versions",
            Self::ShareImage { .. } | Self::ShareSnapshot { .. } => "share",
            Self::Resize { .. } => "resize",
            Self::Schedule { .. } => "schedule",
            Self::Tag { .. } | Self::TagGroup { .. } => "tag",
            Self::Unschedule { .. } => "unschedule",
            Self::UntagGroup { .. } => "untag",
        }
    }

    /// What it is done to.
    pub fn object(&self) -> String {
        match self {
            Self::DeregisterImage { image }
            | Self::ShareImage { image, .. }
            | Self::AwaitImage { image } => image.clone(),
            Self::CopyImage { source, region, .. } => format!("{source} of {region}"),
            Self::DeleteSnapshot { snapshot } | Self::ShareSnapshot { snapshot, .. } => {
                snapshot.clone()
            }
            Self::CreateTemplateVersion { template, image, .. }
            | Self::SetDefaultVersion { template, image } => format!("{image} of {template}"),
            Self::RefreshInstances { group, .. } => group.clone(),
            Self::TerminateInstance { instance } => instance.clone(),
            Self::PutObject { bucket, key, .. } => {
                format!("s3://{bucket}/{key}")
            }
            Self::DeleteVolume { volume } => volume.clone(),
            Self::DeleteRecord { record, .. } => format!("{} {}", record.name, record.kind),
            Self::DeleteTemplateVersions { template, versions } => {
                let numbers: Vec<_> = versions.iter().map(u64::to_string).collect();
                format!("{template} {}", numbers.join(","))
            }
            Self::Resize { group, sizes } => format!("{group} to {sizes}"),
            Self::Schedule { group, .. }
            | Self::TagGroup { group, .. }
            | Self::Unschedule { group, .. }
            | Self::UntagGroup { group, .. } => group.clone(),
            Self::Tag { resource, .. } => resource.clone(),
        }
    }
}
