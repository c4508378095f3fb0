//! Hours as they are read and written, and when they come.

use std::time::{Duration, SystemTime};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const ZONES: [&str; 5] =
    ["Europe/Warsaw", "America/New_York", "Asia/Kolkata", "UTC", "Pacific/Chatham"];

fn days() -> impl Strategy<Value = Days> {
    vec(0usize..7, 1..7).prop_map(|numbers| Days::of(numbers).expect("days"))
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic_and_what_is_read_is_written_the_same(text in ".{0,12}") {
        if let Ok(time) = text.parse::<Time>() {
            prop_assert_eq!(time.to_string(), &*text);
        }
        if let Ok(days) = text.parse::<Days>() {
            prop_assert_eq!(days.to_string().parse::<Days>(), Ok(days));
        }
        if let Ok(weekly) = text.parse::<Weekly>() {
            prop_assert_eq!(weekly.to_string(), &*text);
        }
        let _ = text.parse::<Zone>();
        let _ = text.parse::<TagIs>();
    }

    #[test]
    fn times_are_read_strictly(hour in 0u32..100, minute in 0u32..100) {
        let text = format!("{hour:02}:{minute:02}");
        let is_one = hour < 24 && minute < 60;
        prop_assert_eq!(text.parse::<Time>().is_ok(), is_one);
        for text in [format!("{text} "), format!("+{text}"), text.replace(':', "")] {
            prop_assert!(text.parse::<Time>().is_err(), "{}", text);
        }
    }

    #[test]
    fn days_and_recurrences_are_read_as_they_are_written(days in days(), minute in 0u32..1440) {
        prop_assert_eq!(days.to_string().parse::<Days>(), Ok(days));
        let weekly = Weekly { time: Time::after_midnight(minute).0, days };
        prop_assert_eq!(weekly.to_string().parse::<Weekly>(), Ok(weekly));
    }

    #[test]
    fn what_is_later_is_so_many_minutes_later_in_the_week(
        days in days(), minute in 0u32..1440, more in 0u32..5000,
    ) {
        let weekly = Weekly { time: Time::after_midnight(minute).0, days };
        let of_week = |it: Weekly| -> Vec<u32> {
            let mut all: Vec<_> = it.days.numbers()
                .map(|day| day as u32 * 1440 + it.time.minute()).collect();
            all.sort();
            all
        };
        let mut expected: Vec<_> = of_week(weekly).into_iter().map(|it| (it + more) % 10_080).collect();
        expected.sort();
        prop_assert_eq!(of_week(weekly.later(more)), expected);
    }

    #[test]
    fn the_next_time_is_the_first_on_such_a_day_by_that_clock(
        days in days(), minute in 0u32..1440, now in 1_700_000_000u64..2_000_000_000, zone in 0usize..5,
    ) {
        let zone: Zone = ZONES[zone].parse().expect("a zone");
        let weekly = Weekly { time: Time::after_midnight(minute).0, days };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let next = weekly.next(now, &zone).expect("there is one every week");
        let at = SystemTime::from(next.timestamp());
        prop_assert!(at > now);
        prop_assert!(at.duration_since(now).expect("later") <= Duration::from_secs(8 * 86_400));
        let number = next.weekday().to_sunday_zero_offset() as usize;
        // Where clocks go forward, and nowhere else, the hour may be one that there is not.
        let shown = next.hour() as u32 * 60 + next.minute() as u32;
        let gap = (shown + 1440 - minute) % 1440;
        prop_assert!(gap == 0 && days.contain(number) || gap <= 60, "{} {}", next, weekly);
        // None is left out before it.
        let between = now + at.duration_since(now).expect("later") / 2;
        let same = weekly.next(between, &zone).map(|it| it.timestamp());
        prop_assert_eq!(same, Some(next.timestamp()));
    }
}
