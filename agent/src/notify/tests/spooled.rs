//! What is told again, what is held back, and what lies on disk.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::notify::record::Record;
use crate::notify::spool::{Fate, Spool, Spooled};

/// A message of the boot `boot`.
fn of_boot(event: Event, boot: u32) -> Message {
    Message { id: format!("{boot:016x}"), boot_id: Some(boot.to_string()), ..message(event) }
}

/// Spools these messages one after the other, as if each had arrived.
fn spool(text: &str, messages: Vec<Message>) -> Vec<Option<Spooled>> {
    let notifiers = settings(text).notify;
    let mut earlier = Vec::new();
    let mut all = Vec::new();
    for message in messages {
        let mut spooled = Spooled::new(message, &notifiers, &earlier);
        if let Some(spooled) = &mut spooled {
            if spooled.waits_for("a") {
                spooled.settle("a", Fate::Delivered);
            }
            earlier.push(spooled.clone());
        }
        all.push(spooled);
    }
    all
}

fn events(all: &[Option<Spooled>]) -> Vec<Option<Event>> {
    all.iter().map(|spooled| spooled.as_ref().map(|spooled| spooled.message.event)).collect()
}

#[test]
fn what_is_told_of_an_end_is_no_news_of_a_boot() {
    let drained = |at: &str| Message { id: at.to_owned(), ..of_boot(Event::Drained, 1) };
    let all = spool(
        &format!("{SNS}on = ['failed', 'ready', 'drained']"),
        vec![
            of_boot(Event::Failed, 1),
            drained("2026-11-22T10:00:00.000Z"),
            drained("2026-11-22T10:00:00.000Z"),
            drained("2026-11-22T11:00:00.000Z"),
            of_boot(Event::Failed, 1),
            of_boot(Event::Ready, 2),
        ],
    );
    let expected = [
        Some(Event::Failed),
        Some(Event::Drained),
        None,
        Some(Event::Drained),
        None,
        Some(Event::Recovered),
    ];
    assert_eq!(events(&all), expected);
}

#[test]
fn the_same_news_is_told_once_and_a_change_each_time() {
    let other = Message { digest: Some("d".to_owned()), ..of_boot(Event::Failed, 1) };
    let unknown = Message { instance_id: None, ..other.clone() };
    let all = spool(
        SNS,
        vec![
            of_boot(Event::Failed, 1),
            of_boot(Event::Failed, 1),
            other,
            unknown,
            of_boot(Event::Ready, 1),
            of_boot(Event::Ready, 1),
            of_boot(Event::Ready, 2),
            of_boot(Event::Degraded, 2),
            of_boot(Event::Ready, 3),
        ],
    );
    let expected = [
        Some(Event::Failed),
        None,
        Some(Event::Failed),
        None,
        Some(Event::Recovered),
        None,
        Some(Event::Ready),
        Some(Event::Degraded),
        Some(Event::Recovered),
    ];
    assert_eq!(events(&all), expected);
}

#[test]
fn what_is_coming_is_told_once_whatever_was_told_since() {
    let spot = |id: &str| Message { id: id.to_owned(), ..of_boot(Event::Spot, 1) };
    let all = spool(
        SNS,
        vec![spot("a"), of_boot(Event::Failed, 1), spot("a"), spot("b"), of_boot(Event::Ready, 2)],
    );
    let expected =
        [Some(Event::Spot), Some(Event::Failed), None, Some(Event::Spot), Some(Event::Recovered)];
    assert_eq!(events(&all), expected);
}

#[test]
fn what_is_too_much_for_an_hour_is_held_back_and_counted() {
    let boots = (0..6).map(|boot| of_boot(Event::Failed, boot)).collect();
    let all = spool(&format!("{SNS}most_per_hour = 2\n"), boots);
    let fate = |spooled: &Option<Spooled>| spooled.as_ref().unwrap().to["a"].fate;
    let fates: Vec<_> = all.iter().map(fate).collect();
    assert_eq!(fates[..3], [Fate::Delivered, Fate::Delivered, Fate::Held]);
    assert!(fates[3..].iter().all(|fate| *fate == Fate::Held));

    // An hour later the next one says how many that were.
    let mut earlier: Vec<_> = all.into_iter().flatten().collect();
    for spooled in &mut earlier {
        spooled.queued_at = "2024-06-01T00:00:00.000Z".to_owned();
    }
    let notifiers = settings(&format!("{SNS}most_per_hour = 2\n")).notify;
    let next = Spooled::new(of_boot(Event::Failed, 9), &notifiers, &earlier).unwrap();
    assert_eq!((next.to["a"].fate, next.to["a"].held_back), (Fate::Waiting, 4));
    let body = body(DISCORD, &next.message, 4);
    let text = "4 earlier messages were held back: more than the limit of an hour";
    assert_eq!(body["embeds"][0]["description"], text);
}

#[test]
fn nobody_is_told_what_nobody_wants_but_it_is_remembered() {
    let failures = format!("{SNS}on = ['failed']\n");
    let all = spool(&failures, vec![of_boot(Event::Ready, 1), of_boot(Event::Failed, 2)]);
    let to = |at: usize| all[at].as_ref().unwrap().to.len();
    assert_eq!((to(0), to(1)), (0, 1));
}

#[test]
fn the_spool_is_the_roots_to_write_and_the_groups_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let spool = Spool::at(&path);
    assert!(spool.list().is_empty());
    let notifiers = settings(SNS).notify;
    let mut spooled = Spooled::new(message(Event::Failed), &notifiers, &[]).unwrap();
    let file = spool.add(&spooled).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&file)), (0o750, 0o640));
    spooled.settle("a", Fate::Delivered);
    spool.save(&file, &spooled).unwrap();
    assert_eq!(spool.list(), [spooled]);
}

#[test]
fn the_spool_keeps_the_newest_in_order_and_no_other_instances() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::at(directory.path());
    let notifiers = settings(SNS).notify;
    let baked = Message { instance_id: Some("i-builder".to_owned()), ..of_boot(Event::Ready, 0) };
    spool.add(&Spooled::new(baked, &notifiers, &[]).unwrap()).unwrap();
    std::fs::write(directory.path().join("0000000002-failed.json"), "{ torn").unwrap();
    std::fs::write(directory.path().join("unrelated"), "x").unwrap();
    let mut ids = Vec::new();
    for boot in 0..130 {
        let spooled = Spooled::new(of_boot(Event::Failed, boot), &notifiers, &[]).unwrap();
        ids.push(spooled.id.clone());
        spool.add(&spooled).unwrap();
    }
    let kept: Vec<_> = spool.list().into_iter().map(|spooled| spooled.id).collect();
    assert_eq!(kept, ids[10..]);
    let names = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(names, 121, "the unrelated file and the kept ones");
}

#[test]
fn the_record_survives_the_daemon_and_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool/notify/told.json");
    let mut record = Record::load(&path);
    record.settle("m", "a", Fate::Delivered).unwrap();
    record.settle("n", "a", Fate::Dropped).unwrap();
    let mut record = Record::load(&path);
    assert!(record.is_settled("m", "a") && record.is_settled("n", "a"));
    assert!(!record.is_settled("m", "b"));
    assert_eq!(record.recent("a").count(), 1);
    record.keep(&[]);
    assert!(record.is_settled("m", "a"), "what cannot be read now is not forgotten at once");
    let note = serde_json::json!({ "a": { "fate": "delivered", "at": "" } });
    let many: BTreeMap<_, _> = (0..501).map(|number| (number.to_string(), &note)).collect();
    std::fs::write(&path, serde_json::to_vec(&many).unwrap()).unwrap();
    let mut record = Record::load(&path);
    assert!(record.is_settled("7", "a"));
    record.keep(&[]);
    assert!(!record.is_settled("7", "a"));
    std::fs::write(&path, "{ torn").unwrap();
    assert!(!Record::load(&path).is_settled("m", "a"));
}
