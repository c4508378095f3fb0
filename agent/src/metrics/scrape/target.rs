//! One page, fetched once: within its time, and never more of it than is allowed.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_ENCODING};
use reqwest::{Client, StatusCode};

use super::settings::ScrapeSettings;
use crate::metrics::collector::labels::Labels;
use crate::metrics::page::{Page, PageError, Reader, Rules};
use crate::metrics::sample::{Label, LabelName};

/// The only format that is read.
const FORMAT: &str = "text/plain;version=0.0.4";

/// The label that says which page a metric is from.
const JOB: &str = "job";

/// Why a page was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    /// There was no answer, or it broke off.
    #[error("failed to fetch the page")]
    Fetch(#[source] reqwest::Error),
    /// The answer was no page. Redirects are not followed.
    #[error("the answer was {0}")]
    Status(StatusCode),
    /// The page is packed, which was not asked for.
    #[error("the page is compressed")]
    Packed,
    /// There is more than is allowed.
    #[error("the page has more than {0} bytes")]
    Bytes(u32),
    /// It is not in the format.
    #[error("failed to read the page")]
    Page(#[source] PageError),
    /// It took too long.
    #[error("no whole page within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

/// One page that is fetched again and again.
#[derive(Debug)]
pub(super) struct Target {
    client: Client,
    settings: ScrapeSettings,
    rules: Rules,
    words: Labels,
}

impl Target {
    pub(super) fn new(name: &str, settings: &ScrapeSettings, client: Client) -> Self {
        let own = std::iter::once((JOB, name)).filter(|_| !settings.labels.contains_key(JOB));
        let set = settings.labels.iter().map(|(name, value)| (&**name, &**value));
        let label = |(name, value): (&str, &str)| (LabelName::Foreign(name.into()), value.into());
        let rules = Rules {
            include: settings.include.clone(),
            exclude: settings.exclude.clone(),
            labels: own.chain(set).map(label).collect(),
            // Whose measurement it is the sinks say, and to them it is the host's.
            kept_free: &["instance"],
            most_samples: settings.max_samples as usize,
            untimed: false,
            own: false,
        };
        Self { client, settings: settings.clone(), rules, words: Labels::default() }
    }

    /// What stands on all of its metrics.
    pub(super) fn labels(&self) -> Vec<Label> {
        self.rules.labels.clone()
    }

    /// Fetches the page.
    pub(super) async fn scrape(&mut self) -> Result<Page, ScrapeError> {
        let limit = self.settings.timeout;
        let page = tokio::time::timeout(limit, self.fetch()).await;
        page.unwrap_or(Err(ScrapeError::Timeout(limit)))
    }

    async fn fetch(&mut self) -> Result<Page, ScrapeError> {
        let failed = |error: reqwest::Error| ScrapeError::Fetch(error.without_url());
        let asked = self.client.get(self.settings.url.clone()).header(ACCEPT, FORMAT);
        let mut answer = asked.send().await.map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(ScrapeError::Status(answer.status()));
        }
        if answer.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(ScrapeError::Packed);
        }
        let most = self.settings.max_bytes;
        if answer.content_length().is_some_and(|length| length > u64::from(most)) {
            return Err(ScrapeError::Bytes(most));
        }
        let mut reader = Reader::new(&self.rules, &mut self.words);
        let mut bytes = 0;
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            bytes += piece.len() as u64;
            if bytes > u64::from(most) {
                return Err(ScrapeError::Bytes(most));
            }
            reader.read(&piece).map_err(ScrapeError::Page)?;
        }
        let mut page = reader.finish().map_err(ScrapeError::Page)?;
        // It is kept until the next one.
        page.series = HashSet::new();
        page.samples.shrink_to_fit();
        Ok(page)
    }
}
