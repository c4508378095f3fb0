//! Changes to launch templates.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::RequestLaunchTemplateData;

use super::StepError;
use crate::cloud::Cloud;

/// The most versions that one call takes.
const AT_ONCE: usize = 200;

/// What AWS says of a version that is not there.
const MISSING: &[&str] = &["launchTemplateIdDoesNotExist", "launchTemplateVersionDoesNotExist"];

impl Cloud {
    /// AWS answers with success where it has refused some of them, and names those.
    pub(super) async fn delete_template_versions(
        &self,
        template: &str,
        versions: &BTreeSet<u64>,
    ) -> Result<(), StepError> {
        let versions: Vec<_> = versions.iter().map(u64::to_string).collect();
        for some in versions.chunks(AT_ONCE) {
            let answer = self.ask("DeleteLaunchTemplateVersions", async || {
                let call = self.ec2.delete_launch_template_versions();
                call.launch_template_id(template).set_versions(Some(some.to_vec())).send().await
            });
            let refused = answer.await?.unsuccessfully_deleted_launch_template_versions;
            for refused in refused.unwrap_or_default() {
                let error = refused.response_error;
                let code = error.as_ref().and_then(|error| error.code.as_ref());
                let code = code.map(|code| code.as_str()).unwrap_or("no reason");
                if !MISSING.contains(&code) {
                    let number = refused.version_number.unwrap_or_default();
                    return Err(StepError::Part(format!("version {number}: {code}")));
                }
            }
        }
        Ok(())
    }
}

/// A version that is to be made.
pub(super) struct NewVersion<'a> {
    /// The template's id.
    pub(super) template: &'a str,
    /// The version whose other settings it has.
    pub(super) from: u64,
    /// The image it starts.
    pub(super) image: &'a str,
    /// What is said of it.
    pub(super) description: &'a str,
    /// By this EC2 makes one however often it is asked.
    pub(super) token: &'a str,
}

impl Cloud {
    pub(super) async fn create_template_version(
        &self,
        new: &NewVersion<'_>,
    ) -> Result<(), StepError> {
        let data = RequestLaunchTemplateData::builder().image_id(new.image).build();
        let answer = self.ask("CreateLaunchTemplateVersion", async || {
            let call = self.ec2.create_launch_template_version().launch_template_id(new.template);
            let call = call.source_version(new.from.to_string()).client_token(new.token);
            let call = call.version_description(new.description);
            call.launch_template_data(data.clone()).send().await
        });
        // EC2 makes a version that cannot be started from too, and warns of it. It must not stay: it
        // would be taken for one that is right.
        let answer = answer.await?;
        let number = answer.launch_template_version.and_then(|version| version.version_number);
        let warning = answer.warning.and_then(|warning| warning.errors);
        let message = warning.and_then(|all| all.into_iter().find_map(|error| error.message));
        let Some(message) = message else { return Ok(()) };
        if let Some(number) = number.and_then(|number| u64::try_from(number).ok()) {
            self.delete_template_versions(new.template, &BTreeSet::from([number])).await?;
        }
        Err(StepError::Part(message))
    }

    /// Makes the newest version that starts an image the default one.
    pub(super) async fn set_default_version(
        &self,
        template: &str,
        image: &str,
    ) -> Result<(), StepError> {
        let versions = self.template_versions(template).await?;
        let found = versions.iter().rev().find(|version| version.image.as_deref() == Some(image));
        let Some(found) = found else {
            return Err(StepError::Part(format!("no version of {template} starts {image}")));
        };
        let call = self.ask("ModifyLaunchTemplate", async || {
            let call = self.ec2.modify_launch_template().launch_template_id(template);
            call.default_version(found.number.to_string()).send().await
        });
        Ok(call.await.map(drop)?)
    }
}
