//! SSM parameters.

use super::{Cloud, CloudError};

impl Cloud {
    /// The text of a parameter. A secret one is not decrypted: no document that is read here is.
    pub async fn parameter(&self, name: &str) -> Result<String, CloudError> {
        let client = aws_sdk_ssm::Client::new(&self.config);
        let answer =
            self.ask("GetParameter", async || client.get_parameter().name(name).send().await);
        let parameter = answer.await?.parameter;
        let lacking = || self.incomplete("GetParameter", "value");
        parameter.and_then(|parameter| parameter.value).ok_or_else(lacking)
    }
}
