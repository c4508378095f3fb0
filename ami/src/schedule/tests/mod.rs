//! Plans over groups that are made up; properties are in files of their own.

mod hours;
mod plans;

use super::*;
use crate::cloud::Place;
use crate::fleet::{Tags, tag};
use crate::plan::{Action, Plan};

fn place() -> Place {
    Place { account: "111111111111".to_owned(), region: "eu-west-1".to_owned() }
}

fn chosen() -> Choice {
    Choice { tags: vec!["environment=stg".parse().expect("a tag")], name: None }
}

fn hours(up: &str, down: &str, stagger: u32) -> Hours {
    Hours {
        up: up.parse().expect("a time"),
        down: down.parse().expect("a time"),
        days: "mon-fri".parse().expect("days"),
        zone: "Europe/Warsaw".parse().expect("a zone"),
        stagger,
    }
}

fn stg(name: &str, tags: &[(&str, &str)]) -> Group {
    let mut all = Tags::from([("environment".to_owned(), "stg".to_owned())]);
    all.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let name = name.to_owned();
    Group { name, min: 1, desired: 1, max: 2, tags: all, ..Group::default() }
}

fn survey_of(groups: Vec<Group>) -> Survey {
    let refreshes = groups.iter().map(|it| (it.name.clone(), None)).collect();
    Survey { groups, refreshes, ..Survey::default() }
}

fn recurrences(plan: &Plan, name: &str) -> Vec<String> {
    let of = |action: &Action| match action {
        Action::Schedule { group, actions } if group == name => actions.clone(),
        _ => Vec::new(),
    };
    let actions = plan.steps.iter().flat_map(|step| of(&step.action));
    actions.filter_map(|action| action.recurrence).collect()
}

#[test]
fn databases_are_up_first_and_down_last_beyond_midnight_too() {
    let groups = vec![
        stg("web", &[]),
        stg("db", &[("role", "database")]),
        stg("edge", &[(tag::SCHEDULE_ORDER, "3")]),
    ];
    let plan = on(&place(), &survey_of(groups), &chosen(), &hours("07:30", "23:50", 10));
    assert_eq!(recurrences(&plan, "db"), ["30 7 * * 1-5", "20 0 * * 2-6"]);
    assert_eq!(recurrences(&plan, "web"), ["40 7 * * 1-5", "10 0 * * 2-6"]);
    assert_eq!(recurrences(&plan, "edge"), ["0 8 * * 1-5", "50 23 * * 1-5"]);
}

#[test]
fn hours_that_overlap_make_no_plan() {
    let groups = || vec![stg("web", &[(tag::SCHEDULE_ORDER, "100")]), stg("db", &[("role", "db")])];
    for (up, down, stagger) in [
        ("20:00", "07:30", 1),
        ("07:30", "07:30", 1),
        ("07:30", "08:00", 1),
        ("07:30", "20:00", 60),
        ("00:30", "23:30", 1),
    ] {
        let plan = on(&place(), &survey_of(groups()), &chosen(), &hours(up, down, stagger));
        assert!(plan.refused.is_some() && plan.is_empty(), "{up} {down} {stagger}: {plan}");
    }
    let plan = on(&place(), &survey_of(groups()), &chosen(), &hours("07:30", "20:00", 5));
    assert_eq!(plan.refused, None);
}

#[test]
fn a_database_stays_up_as_long_as_what_may_need_it_does() {
    let mut web = stg("web", &[]);
    web.is_protected = true;
    let groups = vec![web.clone(), stg("db", &[("role", "database")]), stg("edge", &[])];
    let plan = on(&place(), &survey_of(groups), &chosen(), &hours("07:30", "20:00", 5));
    assert!(recurrences(&plan, "db").is_empty(), "{plan}");
    assert_eq!(recurrences(&plan, "edge").len(), 2, "{plan}");
    // One that may be anywhere in the order may need any other.
    let groups = vec![stg("web", &[]), stg("odd", &[(tag::SCHEDULE_ORDER, "first")])];
    let plan = on(&place(), &survey_of(groups), &chosen(), &hours("07:30", "20:00", 5));
    assert!(plan.is_empty() && plan.kept.len() == 2, "{plan}");
    // What is down anyway needs nothing.
    (web.min, web.desired) = (0, 0);
    let groups = vec![web, stg("db", &[("role", "database")])];
    let plan = on(&place(), &survey_of(groups), &chosen(), &hours("07:30", "20:00", 5));
    assert_eq!(recurrences(&plan, "db").len(), 2, "{plan}");
}

#[test]
fn a_choice_that_says_nothing_means_nothing() {
    assert!(!Choice::default().means(&stg("web", &[])));
    let only = |text: &str| Choice { tags: vec![text.parse().expect("a tag")], name: None };
    assert!(!only("environment=st").means(&stg("web", &[])));
    let both = Choice { name: Some("db-*".parse().expect("a pattern")), ..chosen() };
    assert!(!both.means(&stg("web", &[])) && both.means(&stg("db-1", &[])));
}

#[test]
fn who_opted_out_later_is_told_how_to_be_rid_of_what_there_is() {
    let before = survey_of(vec![stg("web", &[])]);
    let plan = on(&place(), &before, &chosen(), &hours("07:30", "20:00", 5));
    let mut survey = plans::done(before, &plan);
    survey.groups[0].tags.insert(tag::SKIP_SCHEDULE.to_owned(), "yes".to_owned());
    let plan = on(&place(), &survey, &chosen(), &hours("08:00", "20:00", 5));
    assert!(plan.is_empty() && plan.kept[0].why.contains("schedule off"), "{plan}");
    assert_eq!(off(&place(), &survey, &chosen()).steps.len(), 2);
}
