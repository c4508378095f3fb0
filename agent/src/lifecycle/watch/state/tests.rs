//! Sequences of looks, on a clock of the test's own.
#![allow(clippy::unwrap_used)]

use super::super::Rota;
use super::*;
use crate::lifecycle::notice;

const NOTICE: &str = r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#;

fn answers(answers: Vec<Learnt>) -> Look {
    Look { answers, failures: Vec::new() }
}

fn failure(question: Question) -> Look {
    Look { answers: Vec::new(), failures: vec![(question, "no answer".to_owned())] }
}

fn state(word: &str) -> Option<TargetState> {
    Some(notice::target_state(word).unwrap())
}

fn event(id: &str, not_before: &str) -> ScheduledEvent {
    ScheduledEvent {
        id: id.to_owned(),
        code: "system-reboot".to_owned(),
        state: "active".to_owned(),
        not_before: Some(not_before.to_owned()),
        not_after: None,
        description: String::new(),
    }
}

#[test]
fn a_spot_notice_is_news_once_and_shown_until_it_is_gone() {
    let mut known = Known::default();
    let now = Instant::now();
    let spot = notice::spot(NOTICE);
    assert_eq!(known.take(answers(vec![Learnt::Spot(None)]), now), []);
    let news = known.take(answers(vec![Learnt::Spot(spot.clone())]), now);
    assert_eq!(news, [News::Spot(spot.clone().unwrap())]);
    assert_eq!(known.take(answers(vec![Learnt::Spot(spot.clone())]), now), []);
    // What was not answered leaves it as it is.
    assert_eq!(known.take(failure(Question::Spot), now), []);
    assert_eq!(known.notices.spot, spot);
    let later = notice::spot(&NOTICE.replace("08:22", "09:22"));
    assert_eq!(known.take(answers(vec![Learnt::Spot(later)]), now).len(), 1);
    assert_eq!(known.take(answers(vec![Learnt::Spot(None)]), now), []);
    assert!(known.notices.is_empty());
}

#[test]
fn only_the_end_of_the_instance_is_news_of_its_group() {
    let mut known = Known::default();
    let now = Instant::now();
    for (word, is_news) in [
        ("Warmed:Stopped", false),
        ("InService", false),
        ("Standby", false),
        ("InService", false),
        ("Terminated", true),
        ("Terminated", false),
    ] {
        let news = known.take(answers(vec![Learnt::TargetState(state(word))]), now);
        let expected = state(word).filter(|_| is_news).map(News::Terminating);
        assert_eq!(news, Vec::from_iter(expected), "{word}");
        assert_eq!(known.notices.target_state, state(word));
    }
    // Whoever looks for the first time finds it out too.
    let mut known = Known::default();
    let warm = answers(vec![Learnt::TargetState(state("Warmed:Terminated"))]);
    assert_eq!(known.take(warm, now).len(), 1);
}

#[test]
fn a_recommendation_is_news_once() {
    let mut known = Known::default();
    let found = notice::rebalance(r#"{"noticeTime": "2020-10-26T13:08:37Z"}"#);
    let look = || answers(vec![Learnt::Rebalance(found.clone())]);
    let news = known.take(look(), Instant::now());
    assert_eq!(news, [News::Rebalance("2020-10-26T13:08:37Z".to_owned())]);
    assert_eq!(known.take(look(), Instant::now()), []);
}

#[test]
fn each_event_is_news_once_and_again_when_it_is_moved() {
    let mut known = Known::default();
    let now = Instant::now();
    let (first, second) = (event("a", "2019-01-21T09:00:43Z"), event("b", "2019-01-22T09:00:43Z"));
    let look = |events: &[&ScheduledEvent]| {
        answers(vec![Learnt::Events(events.iter().copied().cloned().collect())])
    };
    assert_eq!(known.take(look(&[&first]), now), [News::Maintenance(first.clone())]);
    assert_eq!(known.take(look(&[&first, &second]), now), [News::Maintenance(second.clone())]);
    let reworded = ScheduledEvent { description: "soon".to_owned(), ..first.clone() };
    assert_eq!(known.take(look(&[&reworded, &second]), now), []);
    assert_eq!(known.notices.events[0].description, "soon");
    let moved = event("a", "2019-01-23T09:00:43Z");
    assert_eq!(known.take(look(&[&moved]), now), [News::Maintenance(moved.clone())]);
    // One that was canceled is over.
    assert_eq!(known.take(look(&[]), now), []);
    assert!(known.notices.is_empty());
}

#[test]
fn a_silence_is_told_once_after_a_while_and_its_end_once() {
    let mut known = Known::default();
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    for seconds in [0, 5, 55] {
        assert_eq!(known.take(failure(Question::Spot), at(seconds)), []);
    }
    let told = News::Silent("no answer".to_owned());
    assert_eq!(known.take(failure(Question::Spot), at(60)), std::slice::from_ref(&told));
    assert_eq!(known.notices.error.as_deref(), Some("no answer"));
    assert_eq!(known.take(failure(Question::Rebalance), at(500)), []);
    // Another question's answer does not end it.
    assert_eq!(known.take(answers(vec![Learnt::Rebalance(None)]), at(505)), []);
    assert_eq!(known.take(answers(vec![Learnt::Spot(None)]), at(510)), [News::Answering]);
    assert_eq!(known.take(answers(vec![Learnt::Spot(None)]), at(515)), []);
    assert!(known.notices.is_empty());

    // A single failure now and then is nothing, whichever question it hits.
    for round in 0..30 {
        assert_eq!(known.take(failure(Question::Spot), at(600 + round * 10)), []);
        assert_eq!(known.take(answers(vec![Learnt::Spot(None)]), at(605 + round * 10)), []);
    }
    // A question that is asked seldom is heard too.
    assert_eq!(known.take(failure(Question::Events), at(1000)), []);
    assert_eq!(known.take(answers(vec![Learnt::Spot(None)]), at(1005)), []);
    assert_eq!(known.take(failure(Question::Events), at(1060)), [told]);
}

#[test]
fn a_usual_look_asks_two_questions_and_a_third_in_a_group() {
    use Question::{Events, Rebalance, Spot, TargetState};
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut rota = Rota::default();
    let usual = Duration::from_secs(5);
    assert_eq!(rota.questions(at(0), usual), [Spot, TargetState, Rebalance, Events]);
    // Nothing was learnt of a group: it is asked for again.
    assert_eq!(rota.questions(at(5), usual), [Spot, TargetState, Rebalance]);
    rota.learn(&answers(vec![Learnt::TargetState(None)]), at(5));
    assert_eq!(rota.questions(at(10), usual), [Spot, Rebalance]);
    assert_eq!(rota.questions(at(60), usual), [Spot, Rebalance, Events]);
    assert_eq!(rota.questions(at(65), usual), [Spot, TargetState, Rebalance]);
    rota.learn(&answers(vec![Learnt::TargetState(state("InService"))]), at(65));
    assert_eq!(rota.questions(at(70), usual), [Spot, TargetState, Rebalance]);
    assert_eq!(rota.questions(at(120), usual), [Spot, TargetState, Rebalance, Events]);
    // Who looks more often, or hardly ever, asks for the rest as often as fits.
    assert_eq!(rota.questions(at(180), Duration::from_secs(1)).len(), 4);
    assert_eq!(rota.questions(at(191), Duration::from_secs(1)).len(), 3);
    assert_eq!(rota.questions(at(192), Duration::from_secs(1)).len(), 4);
    for hour in 1..4 {
        assert_eq!(rota.questions(at(hour * 3600), Duration::MAX).len(), 4);
    }
}
