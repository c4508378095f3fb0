//! Changes to launch templates.

use std::collections::BTreeSet;

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
