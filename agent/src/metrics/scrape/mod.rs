//! Pages of metrics that other programs on this host serve: one task a page,
//! and what each page last said. The tasks fetch on their own schedules, so that
//! nothing that asks for the results waits for a page.
//!
//! Each page has series about itself, as in Prometheus. A page that cannot be
//! taken has no others: its series end there and then.
//!
//! To tell more about each page: one line in `add_to`, and one in `help`.

/// What can be configured.
pub mod settings;
mod target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use self::settings::ScrapeSettings;
use self::target::{ScrapeError, Target};
use super::page::Page;
use super::runner::CollectorStats;
use super::sample::{Label, Sample};
use crate::platform::clock;
use crate::platform::error::chain_text;

/// The first fetches are spread over this long, and so are all later ones.
const SPREAD: Duration = Duration::from_secs(1);

/// What came of fetching a page.
#[derive(Debug)]
struct Found {
    page: Page,
    labels: Vec<Label>,
    stats: CollectorStats,
}

type Shared = Arc<Mutex<BTreeMap<Arc<str>, Option<Found>>>>;

fn lock(shared: &Shared) -> MutexGuard<'_, BTreeMap<Arc<str>, Option<Found>>> {
    // What is guarded is valid after every single step.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pages that are fetched. Their tasks end when this is dropped.
#[derive(Debug)]
pub struct Scrapes {
    client: Client,
    found: Shared,
    fetched: watch::Sender<()>,
    tasks: BTreeMap<Arc<str>, Task>,
}

#[derive(Debug)]
struct Task {
    settings: ScrapeSettings,
    handle: JoinHandle<()>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Scrapes {
    /// Starts to fetch. Must be called within a runtime.
    pub fn start(pages: &BTreeMap<String, ScrapeSettings>, client: Client) -> Self {
        let (found, fetched) = (Shared::default(), watch::Sender::new(()));
        let mut scrapes = Self { client, found, fetched, tasks: BTreeMap::new() };
        scrapes.update(pages);
        scrapes
    }

    /// Fetches these pages from now on. One whose settings are the same as before
    /// keeps what it said.
    pub fn update(&mut self, pages: &BTreeMap<String, ScrapeSettings>) {
        self.tasks.retain(|name, task| pages.get(&**name) == Some(&task.settings));
        let kept = &self.tasks;
        lock(&self.found).retain(|name, _| kept.contains_key(name));
        let count = pages.len().max(1) as u32;
        for (position, (name, settings)) in (0u32..).zip(pages) {
            if self.tasks.contains_key(name.as_str()) {
                continue;
            }
            let name: Arc<str> = name.as_str().into();
            lock(&self.found).insert(name.clone(), None);
            let target = Target::new(&name, settings, self.client.clone());
            let board = Board {
                name: name.clone(),
                found: self.found.clone(),
                fetched: self.fetched.clone(),
            };
            let phase = settings.interval.min(SPREAD) / count * position;
            let handle = tokio::spawn(fetch_again(target, board, phase, settings.interval));
            self.tasks.insert(name, Task { settings: settings.clone(), handle });
        }
    }

    /// The measurements of all pages, and those about them. A page that was not
    /// fetched yet has none.
    pub fn add_to(&self, samples: &mut Vec<Sample>) {
        for found in lock(&self.found).values().flatten() {
            let up = f64::from(u8::from(found.stats.ok));
            let kept = found.page.samples.len();
            for (name, value) in [
                ("up", up),
                ("scrape_duration_seconds", found.stats.duration_ms / 1e3),
                ("scrape_samples_scraped", found.page.found as f64),
                ("scrape_samples_post_metric_relabeling", kept as f64),
                ("gild_scrape_samples_refused", found.page.refused as f64),
            ] {
                samples.push(Sample::gauge(name, found.labels.clone(), value));
            }
            samples.extend_from_slice(&found.page.samples);
        }
    }

    /// How each page did, by its key in the configuration.
    pub fn stats(&self) -> Vec<(String, CollectorStats)> {
        let of = |(name, found): (&Arc<str>, &Option<Found>)| {
            Some((format!("scrape.{name}"), found.as_ref()?.stats.clone()))
        };
        lock(&self.found).iter().filter_map(of).collect()
    }

    /// Waits until every page was fetched once, or failed.
    pub async fn first_fetches(&self) {
        let mut fetched = self.fetched.subscribe();
        while !lock(&self.found).values().all(Option::is_some) {
            // The sender is ours, so this ends by a fetch alone.
            if fetched.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Where the task of a page puts what came of it.
struct Board {
    name: Arc<str>,
    found: Shared,
    fetched: watch::Sender<()>,
}

async fn fetch_again(mut target: Target, board: Board, phase: Duration, every: Duration) {
    let mut ticks = interval_at(Instant::now() + phase, every);
    // After a pause (a stopped virtual machine) one fetch is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let start = ticks.tick().await;
        let result = target.scrape().await;
        board.note(result, target.labels(), start.elapsed());
    }
}

impl Board {
    /// Keeps what was found, and logs what changed.
    fn note(&self, result: Result<Page, ScrapeError>, labels: Vec<Label>, took: Duration) {
        let page = &*self.name;
        let (taken, error) = match result {
            Ok(taken) => (taken, None),
            Err(error) => (Page::default(), Some(chain_text(&error))),
        };
        if let Some(known) = lock(&self.found).get_mut(&self.name) {
            let before = known.as_ref().and_then(|found| found.stats.error.as_ref());
            match (before, &error) {
                (Some(_), None) => tracing::info!(page, "the page can be scraped again"),
                (before, Some(now)) if before != Some(now) => {
                    tracing::warn!(page, error = %now, "the page cannot be scraped");
                }
                _ => {}
            }
            let duration_ms = clock::ms(took);
            let stats = CollectorStats { ok: error.is_none(), duration_ms, error };
            *known = Some(Found { page: taken, labels, stats });
        }
        self.fetched.send_replace(());
    }
}

#[cfg(test)]
mod tests;
