//! Pages as Amazon describes them, and pages that are none.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const REBOOT: &str = r#"[{
    "NotBefore" : "21 Jan 2019 09:00:43 GMT",
    "Code" : "system-reboot",
    "Description" : "scheduled reboot",
    "EventId" : "instance-event-0d59937288b749b32",
    "NotAfter" : "21 Jan 2019 09:17:23 GMT",
    "State" : "active"
}]"#;

#[test]
fn a_spot_notice_has_an_action_and_a_time() {
    for action in ["terminate", "stop", "hibernate"] {
        let page = format!(r#"{{"action": "{action}", "time": "2017-09-18T08:22:00Z"}}"#);
        let expected =
            SpotNotice { action: action.to_owned(), time: "2017-09-18T08:22:00Z".to_owned() };
        assert_eq!(spot(&page), Some(expected));
    }
    for page in [
        "",
        "null",
        "[]",
        "<html>",
        r#"{"action": "terminate"}"#,
        r#"{"action": "terminate", "time": "soon"}"#,
        r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z\n"}"#,
        r#"{"action": "explode", "time": "2017-09-18T08:22:00Z"}"#,
        r#"{"action": 7, "time": 7}"#,
        r#"{"action": "stop", "time": "2017-09-18T08:22:00Z"} x"#,
    ] {
        assert_eq!(spot(page), None, "{page}");
    }
}

#[test]
fn a_rebalance_recommendation_has_a_time() {
    let page = r#"{"noticeTime": "2020-10-26T13:08:37Z"}"#;
    assert_eq!(rebalance(page).as_deref(), Some("2020-10-26T13:08:37Z"));
    for page in ["", "{}", r#"{"noticeTime": null}"#, r#"{"noticeTime": "26 Oct"}"#] {
        assert_eq!(rebalance(page), None, "{page}");
    }
}

#[test]
fn a_target_state_is_one_word_and_says_what_it_means() {
    for (word, in_service, warm, ending) in [
        ("InService", true, false, false),
        ("Terminated", false, false, true),
        ("Detached", false, false, false),
        ("Standby", false, false, false),
        ("Warmed:Hibernated", false, true, false),
        ("Warmed:Running", false, true, false),
        ("Warmed:Stopped", false, true, false),
        ("Warmed:Terminated", false, false, true),
    ] {
        let state = target_state(&format!("{word}\n")).unwrap();
        assert_eq!(state.word(), word);
        assert_eq!(
            (state.is_in_service(), state.is_warm(), state.is_ending()),
            (in_service, warm, ending),
            "{word}"
        );
    }
    let long = "a".repeat(129);
    for page in ["", " \n", "In Service", "<html>", "a\u{1b}[2J", long.as_str()] {
        assert_eq!(target_state(page), None, "{page}");
    }
}

#[test]
fn scheduled_events_are_those_that_are_not_over() {
    let found = events(REBOOT).unwrap();
    assert_eq!(
        found,
        [ScheduledEvent {
            id: "instance-event-0d59937288b749b32".to_owned(),
            code: "system-reboot".to_owned(),
            state: "active".to_owned(),
            not_before: Some("2019-01-21T09:00:43Z".to_owned()),
            not_after: Some("2019-01-21T09:17:23Z".to_owned()),
            description: "scheduled reboot".to_owned(),
        }]
    );
    for over in ["completed", "canceled"] {
        assert_eq!(events(&REBOOT.replace("active", over)), Some(vec![]));
    }
    assert_eq!(events("[]"), Some(vec![]));
    let open = REBOOT.replace(r#""NotAfter" : "21 Jan 2019 09:17:23 GMT","#, "");
    assert_eq!(events(&open).unwrap()[0].not_after, None);
    let short_day = events(&REBOOT.replace("21 Jan", "3 Feb")).unwrap();
    assert_eq!(short_day[0].not_before.as_deref(), Some("2019-02-03T09:00:43Z"));
}

#[test]
fn a_page_of_events_that_is_none_is_refused_whole() {
    for page in ["", "{}", "[7]", "[{}]", "null", "[[[["] {
        assert_eq!(events(page), None, "{page}");
    }
    for (right, wrong) in [
        ("21 Jan 2019 09:00:43 GMT", "tomorrow"),
        ("21 Jan 2019 09:00:43 GMT", "21 Jan 2019 09:00:43 CET"),
        ("21 Jan 2019 09:00:43 GMT", "31 Feb 2019 09:00:43 GMT"),
        ("21 Jan 2019 09:00:43 GMT", "21 Jan 99999 09:00:43 GMT"),
        ("system-reboot", "system reboot"),
        ("\"active\"", "7"),
        ("instance-event-0d59937288b749b32", "../x"),
    ] {
        assert_eq!(events(&REBOOT.replace(right, wrong)), None, "{wrong}");
    }
    let deep = "[".repeat(60_000);
    assert_eq!(events(&deep), None);
}

#[test]
fn what_is_kept_of_a_page_is_bounded() {
    let one = REBOOT.trim_start_matches('[').trim_end_matches(']');
    let many = format!("[{}]", vec![one; 200].join(","));
    assert_eq!(events(&many).unwrap().len(), MOST_EVENTS);
    let long = REBOOT.replace("scheduled reboot", &"long \\n".repeat(5000));
    let found = events(&long).unwrap();
    assert!(found[0].description.chars().count() <= LONGEST_DESCRIPTION);
    assert!(!found[0].description.contains('\n'));
    let digits = format!(r#"{{"noticeTime": "2020-10-26T13:08:37.{}Z"}}"#, "1".repeat(5000));
    assert_eq!(rebalance(&digits), None);
}

proptest! {
    #[test]
    fn no_page_makes_a_parser_panic(page in "\\PC*", json in r#"[\[{]?("[A-Za-z]{0,9}":? ?("[ -~]{0,30}"|[0-9]*)[,}]?){0,6}[\]}]?"#) {
        for page in [page, json] {
            let _ = (spot(&page), rebalance(&page), target_state(&page), events(&page));
        }
    }

    #[test]
    fn any_day_is_read_or_refused(day in "[0-9]{1,2} (Jan|Dec|Feb) [0-9]{1,5} [0-9:]{1,9} GMT") {
        if let Some(read) = day_and_time(&day) {
            prop_assert!(humantime::parse_rfc3339(&read).is_ok());
        }
    }
}
