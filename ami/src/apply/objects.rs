//! Putting and taking away objects of S3.

use aws_sdk_s3::primitives::ByteStream;

use super::StepError;
use crate::cloud::Cloud;
use crate::plan::Content;

impl Cloud {
    /// Puts an object. One that is put `once` is not put where there is one by now.
    pub(super) async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        content: &Content,
        once: bool,
    ) -> Result<(), StepError> {
        let client = self.s3();
        let result = self.ask("PutObject", async || {
            let body = ByteStream::from(content.0.to_vec());
            let call = client.put_object().bucket(bucket).key(key).body(body);
            call.set_if_none_match(once.then(|| "*".to_owned())).send().await
        });
        match result.await {
            Err(error) if error.code() == Some("PreconditionFailed") => {
                // The answer to the first try may have been lost.
                match self.object(bucket, key).await? {
                    Some(there) if there[..] == content.0[..] => Ok(()),
                    _ => Err(StepError::Part(format!("somebody has put '{key}' meanwhile"))),
                }
            }
            result => Ok(result.map(drop)?),
        }
    }
}
