//! All that starts instances from images, and the instances: what uses an image here.

use futures_util::try_join;

use super::{Cloud, CloudError};
use crate::fleet::Fleet;

impl Cloud {
    /// What starts instances, and the instances.
    pub async fn launches(&self) -> Result<Fleet, CloudError> {
        let (templates, configurations, groups, instances) =
            try_join!(self.templates(), self.configurations(), self.groups(), self.instances())?;
        let account = self.place.account.clone();
        Ok(Fleet { account, templates, configurations, groups, instances, ..Fleet::default() })
    }
}
