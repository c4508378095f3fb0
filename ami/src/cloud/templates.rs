//! Launch templates, each with all its versions.

use aws_sdk_ec2::types::ResponseLaunchTemplateData;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::images::{moment, positive, tags};
use super::{Cloud, CloudError};
use crate::fleet::{Template, TemplateVersion};

/// How many templates are asked about at once.
const AT_ONCE: usize = 4;

/// The most that DescribeLaunchTemplates and DescribeLaunchTemplateVersions name in a page.
const PAGE: i32 = 200;

impl Cloud {
    /// All launch templates, each with all its versions.
    pub async fn templates(&self) -> Result<Vec<Template>, CloudError> {
        let mut templates = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeLaunchTemplates", async || {
                let call = self.ec2.describe_launch_templates().max_results(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for template in page.launch_templates.unwrap_or_default() {
                let lacking = || self.incomplete("DescribeLaunchTemplates", "template id");
                templates.push(Template {
                    id: template.launch_template_id.ok_or_else(lacking)?,
                    name: template.launch_template_name.unwrap_or_default(),
                    default_version: positive(template.default_version_number),
                    latest_version: positive(template.latest_version_number),
                    versions: Vec::new(),
                    tags: tags(template.tags),
                });
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        let with_versions = stream::iter(templates).map(async |mut template| {
            template.versions = self.template_versions(&template.id).await?;
            Ok(template)
        });
        with_versions.buffered(AT_ONCE).try_collect().await
    }

    /// All versions of a launch template, the oldest first.
    pub async fn template_versions(&self, id: &str) -> Result<Vec<TemplateVersion>, CloudError> {
        let mut versions = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeLaunchTemplateVersions", async || {
                let call = self.ec2.describe_launch_template_versions().launch_template_id(id);
                let call = call.max_results(PAGE).resolve_alias(true);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for version in page.launch_template_versions.unwrap_or_default() {
                let data = version.launch_template_data;
                let lacking = || self.incomplete("DescribeLaunchTemplateVersions", "number");
                versions.push(TemplateVersion {
                    number: positive(Some(version.version_number.ok_or_else(lacking)?)),
                    description: version.version_description.unwrap_or_default(),
                    image: data.as_ref().and_then(|data| data.image_id.clone()),
                    snapshots: data.as_ref().map(snapshots).unwrap_or_default(),
                    instance_type: data
                        .and_then(|data| data.instance_type)
                        .map(|kind| kind.as_str().to_owned()),
                    created: moment(version.create_time),
                });
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                versions.sort_by_key(|version| version.number);
                return Ok(versions);
            }
        }
    }
}

/// The snapshots that a version makes volumes of.
fn snapshots(data: &ResponseLaunchTemplateData) -> Vec<String> {
    let disks = data.block_device_mappings().iter();
    disks.filter_map(|disk| disk.ebs()?.snapshot_id().map(str::to_owned)).collect()
}
