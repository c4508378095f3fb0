//! Questions to the metadata service that are asked again and again: each is one
//! request, and who asks says when to ask again.

use tokio::time::Instant;

use super::error::ImdsError;
use super::imds::{Imds, before};

impl Imds {
    /// Reads one path once, for those who ask again soon anyway; `None` where
    /// there is none.
    pub async fn glance<T>(
        &mut self,
        path: &str,
        expected: &'static str,
        deadline: Instant,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ImdsError> {
        let parse = |page: String| parse(&page).ok_or(ImdsError::Malformed { expected });
        let mut page = before(deadline, self.get(path)).await;
        // The service may have closed a connection that was kept since last time.
        if matches!(page, Err(ImdsError::Answer(_) | ImdsError::Closed)) {
            page = before(deadline, self.get(path)).await;
        }
        page.and_then(|page| page.map(parse).transpose()).map_err(|source| ImdsError::Read {
            what: path.to_owned(),
            attempts: 1,
            source: Box::new(source),
        })
    }
}
