//! The playbook of a boot: the directory that the settings name, or what was
//! fetched from elsewhere, with its place in the report.

use std::time::Instant;

use super::phases::{Boot, chained};
use crate::configure::playbook::fetch::{self, Keeping, Obtained};
use crate::configure::playbook::store::Work;
use crate::configure::playbook::{Playbook, PlaybookError};
use crate::configure::report::{Failure, PlaybookOutcome, PlaybookReport};
use crate::configure::settings::{ConfigurationSettings, Engine};
use crate::configure::step::INTERRUPTED;
use crate::identity::Identity;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::scope::Resolution;
use crate::scope::http::Web;

/// What begins the failure of a boot whose playbook cannot be used.
pub(super) const UNUSABLE: &str = "the playbook cannot be used";

/// The playbook that a step would run.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The one that was fetched; `None` where it is a directory of this host.
    pub(super) playbook: Option<Playbook>,
    /// What tells it from another one.
    pub(super) digest: Option<String>,
    /// Why it cannot be run.
    pub(super) unusable: Option<Failure>,
    /// Whether gild was told to stop meanwhile.
    pub(super) interrupted: bool,
    /// What must live as long as the playbook, where it is not kept.
    _scratch: Option<Work>,
}

impl Found {
    fn unusable(failure: Failure) -> Self {
        Self { unusable: Some(failure), ..Self::default() }
    }
}

impl Boot<'_> {
    /// Finds the playbook. One from elsewhere is fetched if it is `needed`.
    pub(super) async fn playbook(
        &mut self,
        resolution: &Resolution,
        identity: &Identity,
        settings: &ConfigurationSettings,
        needed: bool,
        cancel: impl Future<Output = ()>,
    ) -> Found {
        let paths = &self.context.paths;
        if let Err(error) = fetch::lawful(settings, &resolution.merged) {
            return Found::unusable(chained(UNUSABLE, &error));
        }
        if fetch::is_remote(&settings.playbook) && !needed {
            return Found::default();
        }
        let good = self.last_good(identity).and_then(|applied| applied.key.playbook_digest);
        let keeping = match self.options.plan {
            true => Keeping::Gone,
            false => Keeping::Kept { good: good.as_deref() },
        };
        let client = &self.context.client;
        let web = Web::new(client.clone(), resolution.settings.scope.local_targets);
        let start = Instant::now();
        let obtained = tokio::select! {
            obtained = fetch::obtain(paths, client, &web, identity, settings, keeping) => obtained,
            () = cancel => {
                self.timed("fetch", start, false);
                let found = Found::unusable(Failure::of(INTERRUPTED));
                return Found { interrupted: true, ..found };
            }
        };
        match obtained {
            Ok(None) => {
                let digest = local(paths, settings);
                self.timed("digest", start, digest.is_ok());
                match digest {
                    Ok(digest) => Found { digest, ..Found::default() },
                    Err(error) => Found::unusable(chained(UNUSABLE, &error)),
                }
            }
            Ok(Some(obtained)) => {
                self.timed("fetch", start, true);
                self.obtained(obtained)
            }
            Err(error) => {
                self.timed("fetch", start, false);
                self.report.playbook = Some(failed(settings, chain_text(&error)));
                Found::unusable(chained(UNUSABLE, &error))
            }
        }
    }

    fn obtained(&mut self, obtained: Obtained) -> Found {
        let report = &obtained.report;
        tracing::info!(
            source = report.source, state = ?report.state, version = report.version,
            sha256 = report.sha256, key = report.key, bytes = report.bytes,
            digest = obtained.digest, "the playbook is there"
        );
        if let Some(reason) = obtained.degraded {
            tracing::warn!("{reason}");
            self.degraded = true;
            self.report.problems.push(reason);
        }
        self.report.playbook = Some(obtained.report);
        Found {
            playbook: Some(obtained.playbook),
            digest: Some(obtained.digest),
            _scratch: obtained.scratch,
            ..Found::default()
        }
    }
}

/// The report of a playbook that did not come.
fn failed(settings: &ConfigurationSettings, error: String) -> PlaybookReport {
    PlaybookReport {
        source: settings.playbook.clone(),
        state: PlaybookOutcome::Failed,
        version: None,
        sha256: None,
        key: None,
        name: None,
        release: None,
        serial: None,
        bytes: 0,
        fetched_at: None,
        error: Some(error),
    }
}

/// The digest of what the settings name on this host, as it is now.
pub(super) fn digest_now(paths: &Paths, settings: &ConfigurationSettings) -> Option<String> {
    local(paths, settings).ok().flatten()
}

/// The digest of a directory of this host. A command needs no playbook; Ansible
/// does, and says so itself where there is none.
fn local(paths: &Paths, settings: &ConfigurationSettings) -> Result<Option<String>, PlaybookError> {
    let needed = match settings.engine {
        Engine::Exec => false,
        Engine::Auto | Engine::Either => settings.exec.is_empty(),
        Engine::Ansible => true,
    };
    match Playbook::open(paths, &settings.playbook) {
        Ok(playbook) => playbook.digest().map(Some),
        Err(_) if !needed => Ok(None),
        Err(error) => Err(error),
    }
}
