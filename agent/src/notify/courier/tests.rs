//! What is due, and what is not.
#![allow(clippy::unwrap_used)]

mod outage;

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::rounds::Next;
use super::*;
use crate::identity::ImdsOptions;
use crate::notify::message::Event;
use crate::notify::spool::{Fate, Spooled};
use crate::notify::tests::{SNS, message, settings};
use crate::platform::paths::Paths;
use crate::platform::process::ProcessKey;
use crate::platform::{clock, http};
use crate::scope::last_good::Copies;

fn context(directory: &Path) -> Context {
    Context {
        paths: Paths::private(Path::new("/"), directory),
        client: http::client().unwrap(),
        imds: ImdsOptions::new(None, Duration::ZERO),
        redactor: Redactor::default(),
        copies: Copies::Kept,
        local: None,
    }
}

fn rounds(directory: &Path) -> Rounds {
    Rounds::new(&context(directory), Arc::default())
}

/// A message that waits and nobody is sending.
fn waiting() -> Spooled {
    let notifiers = settings(SNS).notify;
    let spooled = Spooled::new(message(Event::Failed), &notifiers, &[]).unwrap();
    Spooled { by: None, id: format!("{:016x}", fastrand::u64(..)), ..spooled }
}

/// What is next for a notifier with one message to an hour.
fn next<'a>(rounds: &mut Rounds, spooled: &'a [Spooled]) -> Next<'a> {
    let one = settings(&format!("{SNS}most_per_hour = 1\n")).notify.remove("a").unwrap();
    rounds.next("a", &one, spooled)
}

fn is_in(next: &Next<'_>, least: u64, most: u64) -> bool {
    let limits = Duration::from_secs(least)..=Duration::from_secs(most);
    matches!(next, Next::In(wait) if limits.contains(wait))
}

#[test]
fn the_oldest_that_waits_is_due() {
    let directory = tempfile::tempdir().unwrap();
    let rounds = &mut rounds(directory.path());
    let spooled = [waiting(), waiting()];
    assert_eq!(next(rounds, &spooled), Next::Send(&spooled[0]));
    assert_eq!(next(rounds, &[]), Next::Nothing);
    let mut settled = spooled.clone();
    settled[0].settle("a", Fate::Dropped);
    assert_eq!(next(rounds, &settled), Next::Send(&settled[1]));
}

#[test]
fn a_message_that_somebody_sends_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let rounds = &mut rounds(directory.path());
    let own = ProcessKey::own();
    let mut spooled = [Spooled { by: Some(own), ..waiting() }];
    rounds.see(&spooled);
    assert!(is_in(&next(rounds, &spooled), 1, 1));
    let gone = ProcessKey { started: own.started.map(|ticks| ticks + 1), ..own };
    spooled[0].by = Some(gone);
    assert!(matches!(next(rounds, &spooled), Next::Send(_)));
}

#[test]
fn what_is_older_than_a_day_is_given_up_unless_the_clock_was_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let rounds = &mut rounds(directory.path());
    let queued = |at| [Spooled { queued_at: clock::text(at), ..waiting() }];
    let old = queued(SystemTime::now() - Duration::from_secs(25 * 3600));
    assert_eq!(next(rounds, &old), Next::Nothing);
    assert_eq!(next(rounds, &old), Next::Nothing, "it is noted");
    let unset = queued(SystemTime::UNIX_EPOCH);
    assert!(matches!(next(rounds, &unset), Next::Send(_)));
    let future = queued(SystemTime::now() + Duration::from_secs(25 * 3600));
    assert!(matches!(next(rounds, &future), Next::Send(_)));
}

#[test]
fn an_hour_has_room_for_so_many() {
    let directory = tempfile::tempdir().unwrap();
    let rounds = &mut rounds(directory.path());
    let mut spooled = [waiting(), waiting()];
    spooled[0].settle("a", Fate::Delivered);
    assert!(is_in(&next(rounds, &spooled), 3590, 3601));
    let Some(way) = spooled[0].to.get_mut("a") else { panic!() };
    way.at = clock::text(SystemTime::now() - Duration::from_secs(3601));
    assert!(matches!(next(rounds, &spooled), Next::Send(_)));
}

#[test]
fn a_wish_that_configure_was_told_is_honoured() {
    let directory = tempfile::tempdir().unwrap();
    let rounds = &mut rounds(directory.path());
    let mut spooled = [waiting()];
    rounds.see(&spooled);
    let mut wish = |seconds| {
        let at = clock::text(SystemTime::now() + Duration::from_secs(seconds));
        spooled[0].to.get_mut("a").unwrap().not_before = Some(at);
        let next = next(rounds, &spooled);
        match next {
            Next::In(wait) => wait.as_secs_f64(),
            _ => 0.0,
        }
    };
    assert!((55.0..=60.0).contains(&wish(60)));
    // A clock that was put back does not make it longer.
    assert!((290.0..=300.0).contains(&wish(1_000_000)));
    assert_eq!(wish(0), 0.0);
}
