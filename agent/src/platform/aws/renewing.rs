//! Credentials that are fetched anew when AWS refuses them. An instance profile can be
//! replaced while gild runs: what was fetched before goes on for hours, and may be worth
//! nothing any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_config::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The least time from one time to the next: whoever is refused for good asks the metadata
/// service no oftener.
const PAUSE: Duration = Duration::from_secs(60);

/// What AWS says to whoever it does not know, knows no longer, or does not let. Not all of
/// it is about the credentials, but new ones are cheap.
const REFUSALS: &[&str] = &[
    "AccessDenied",
    "AuthorizationError",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "UnrecognizedClient",
];

/// The SDK's cache of credentials, which can be emptied. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Renewing(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    cache: SharedIdentityCache,
    renewed: Option<Instant>,
}

impl Default for Renewing {
    fn default() -> Self {
        let state = State { cache: IdentityCache::lazy().build(), renewed: None };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl Renewing {
    /// Whether an answer may be a refusal; what it says has to be read to know.
    pub(super) fn may_refuse(status: u16) -> bool {
        matches!(status, 400 | 401 | 403)
    }

    /// Takes note of an answer for which `may_refuse` holds.
    pub(super) fn heard(&self, said: &[u8]) {
        let says = |word: &&str| said.windows(word.len()).any(|part| part == word.as_bytes());
        if !REFUSALS.iter().any(says) {
            return;
        }
        let mut state = self.state();
        if state.renewed.is_none_or(|at| at.elapsed() >= PAUSE) {
            state.cache = IdentityCache::lazy().build();
            state.renewed = Some(Instant::now());
            tracing::debug!("AWS refuses a call; the next one asks for credentials anew");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolveCachedIdentity for Renewing {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        bag: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.state().cache.clone();
        IdentityFuture::new(async move {
            cache.resolve_cached_identity(resolver, components, bag).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_empties_the_cache_and_another_one_soon_after_does_not() {
        let renewing = Renewing::default();
        let renewed = || renewing.state().renewed;
        for said in [&b""[..], b"ParameterNotFound", b"ThrottlingException"] {
            renewing.heard(said);
            assert_eq!(renewed(), None);
        }
        renewing.heard(br#"{"__type":"com.amazon#ExpiredTokenException"}"#);
        let first = renewed();
        assert!(first.is_some());
        renewing.heard(b"<Code>AccessDenied</Code>");
        assert_eq!(renewed(), first);
        renewing.state().renewed = first.and_then(|at| at.checked_sub(PAUSE));
        renewing.heard(b"\x67message\x78UnrecognizedClientException");
        assert!(renewed() > first);
    }
}
