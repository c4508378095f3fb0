//! Objects of S3.

use std::collections::BTreeMap;

use super::{Cloud, CloudError};

/// No object that is read whole is larger: they are manifests.
const LARGEST: i64 = 32 << 20;

impl Cloud {
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        // A bucket's name in the host needs a resolver that knows it; an endpoint of one's own has none.
        let is_own = self.config.endpoint_url().is_some()
            || ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(is_own);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// The keys that begin so, each with its size.
    pub async fn objects(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Result<BTreeMap<String, u64>, CloudError> {
        let client = self.s3();
        let mut found = BTreeMap::new();
        let mut next = None;
        loop {
            let page = self.ask("ListObjectsV2", async || {
                let call = client.list_objects_v2().bucket(bucket).prefix(prefix);
                call.set_continuation_token(next.clone()).send().await
            });
            let page = page.await?;
            found.extend(
                page.contents
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|object| Some((object.key?, super::images::positive(object.size)))),
            );
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// What an object holds, where there is such a one.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, CloudError> {
        let client = self.s3();
        let answer = self
            .ask("GetObject", async || client.get_object().bucket(bucket).key(key).send().await);
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(error),
        };
        if answer.content_length.is_none_or(|length| length > LARGEST) {
            return Err(self.incomplete("GetObject", "length that is read"));
        }
        let body = answer.body.collect().await;
        let body = body.map_err(|_| self.incomplete("GetObject", "end"))?;
        Ok(Some(body.to_vec()))
    }
}
