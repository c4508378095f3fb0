//! What holds of every plan, whatever the groups are.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::fleet::schedules::Sizes;
use crate::schedule::memory::{self, Memory};

/// A survey in which everything has been done that a plan says.
pub(super) fn done(mut survey: Survey, plan: &Plan) -> Survey {
    for step in &plan.steps {
        let name = step.action.object();
        let group = survey.groups.iter_mut().find(|it| name.split(' ').next() == Some(&it.name));
        let group = group.expect("a group of the survey");
        let scheduled = survey.scheduled.entry(group.name.clone()).or_default();
        match &step.action {
            Action::TagGroup { tags, .. } => group.tags.extend(tags.clone()),
            Action::UntagGroup { keys, .. } => group.tags.retain(|key, _| !keys.contains(key)),
            Action::Unschedule { actions, .. } => {
                scheduled.retain(|it| !actions.contains(&it.name));
            }
            Action::Schedule { actions, .. } => {
                scheduled.retain(|it| actions.iter().all(|new| new.name != it.name));
                scheduled.extend(actions.clone());
            }
            Action::Resize { sizes, .. } => {
                (group.min, group.desired, group.max) = (sizes.min, sizes.desired, sizes.max);
            }
            other => panic!("schedules do not {}", other.verb()),
        }
    }
    survey
}

fn sizes() -> impl Strategy<Value = Sizes> {
    let up = (0u32..4, 1u32..4, 0u32..4).prop_map(|(min, more, most)| {
        let desired = min + more;
        Sizes { min, desired, max: desired + most }
    });
    prop_oneof![
        3 => up,
        1 => Just(Sizes::NONE),
        1 => (1u32..5).prop_map(|max| Sizes { min: 0, desired: 0, max }),
    ]
}

/// One group, with its actions and its refresh.
type Made = (Group, Vec<Scheduled>, Option<Option<String>>);

fn made() -> impl Strategy<Value = Made> {
    let memory = prop_oneof![
        2 => Just(Tags::new()),
        2 => sizes().prop_map(memory::tags),
        1 => Just(Tags::from([(tag::SCHEDULE_MIN.to_owned(), "x".to_owned())])),
    ];
    let marks = vec(
        prop_oneof![
            Just(("role", "database")),
            Just((tag::SCHEDULE_ORDER, "3")),
            Just((tag::SCHEDULE_ORDER, "-1")),
            Just((tag::SKIP_SCHEDULE, "true")),
            Just((tag::SKIP_SCHEDULE, "false")),
            Just(("environment", "prd")),
            Just(("app", "web")),
        ],
        0..2,
    );
    let name =
        prop_oneof![4 => Just(UP), 4 => Just(DOWN), 1 => Just("gild-ami-old"), 1 => Just("x")];
    let action = (name, sizes()).prop_map(|(name, sizes)| Scheduled {
        name: name.to_owned(),
        recurrence: Some("0 8 * * 1-5".to_owned()),
        time_zone: Some("UTC".to_owned()),
        sizes: Some(sizes),
        is_ending: false,
    });
    let refresh = prop_oneof![
        8 => Just(Some(None)),
        1 => Just(None),
        1 => Just(Some(Some("InProgress".to_owned()))),
    ];
    let suspended =
        prop_oneof![8 => Just(None), 1 => Just(Some("Launch")), 1 => Just(Some("AZRebalance"))];
    (sizes(), memory, marks, vec(action, 0..2), refresh, suspended, prop::bool::weighted(0.1))
        .prop_map(|(sizes, memory, marks, actions, refresh, suspended, is_protected)| {
            let mut tags = Tags::from([("environment".to_owned(), "stg".to_owned())]);
            tags.extend(memory);
            tags.extend(marks.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
            let group = Group {
                min: sizes.min,
                desired: sizes.desired,
                max: sizes.max,
                tags,
                is_protected,
                suspended: suspended.map(str::to_owned).into_iter().collect(),
                ..Group::default()
            };
            (group, actions, refresh)
        })
}

fn surveys() -> impl Strategy<Value = Survey> {
    vec(made(), 1..8).prop_map(|all| {
        let mut survey = Survey::default();
        for (number, (mut group, actions, refresh)) in all.into_iter().enumerate() {
            group.name = format!("group-{number}");
            survey.scheduled.insert(group.name.clone(), actions);
            survey.refreshes.extend(refresh.map(|refresh| (group.name.clone(), refresh)));
            survey.groups.push(group);
        }
        survey
    })
}

fn group_of<'a>(survey: &'a Survey, action: &Action) -> &'a Group {
    let name = action.object();
    let name = name.split(' ').next().expect("a name");
    survey.groups.iter().find(|it| it.name == name).expect("a group")
}

proptest! {
    #[test]
    fn sizes_are_remembered_exactly(sizes in sizes()) {
        let expected = if sizes.are_up() { Memory::Sizes(sizes) } else { Memory::Unclear };
        prop_assert_eq!(memory::of(&memory::tags(sizes)), expected);
    }

    #[test]
    fn on_touches_only_what_is_meant_and_clear_and_remembers_before_it_turns_down(
        survey in surveys(), stagger in 1u32..60,
    ) {
        let hours = hours("07:30", "20:00", stagger);
        let plan = on(&place(), &survey, &chosen(), &hours);
        let mut remembered: Vec<&str> = Vec::new();
        for step in &plan.steps {
            let group = group_of(&survey, &step.action);
            prop_assert_eq!(&group.tags["environment"], "stg");
            prop_assert!(group.tags.get(tag::SKIP_SCHEDULE).is_none_or(|it| it == "false"));
            prop_assert!(!group.is_protected && !group.suspended.iter().any(|it| it == "Launch"));
            prop_assert_eq!(survey.refreshes.get(&group.name), Some(&None));
            prop_assert!(survey.scheduled[&group.name].iter().all(|it| it.name != "x"));
            match &step.action {
                Action::TagGroup { tags, .. } => {
                    prop_assert_eq!(memory::of(tags), Memory::Sizes(group.sizes()));
                    remembered.push(&group.name);
                }
                Action::Schedule { actions, .. } => {
                    let known = match memory::of(&group.tags) {
                        Memory::Sizes(sizes) if !remembered.contains(&group.name.as_str()) => sizes,
                        _ => {
                            prop_assert!(remembered.contains(&group.name.as_str()));
                            group.sizes()
                        }
                    };
                    for action in actions {
                        let expected = if action.name == UP { known } else { Sizes::NONE };
                        prop_assert_eq!(action.sizes, Some(expected));
                    }
                }
                Action::Unschedule { actions, .. } => {
                    prop_assert!(actions.iter().all(|name| name.starts_with(OWN)));
                }
                other => prop_assert!(false, "on does not {}", other.verb()),
            }
        }
    }

    #[test]
    fn a_second_plan_is_empty(survey in surveys()) {
        let hours = hours("07:30", "20:00", 5);
        let plan = on(&place(), &survey, &chosen(), &hours);
        let survey = done(survey, &plan);
        let second = on(&place(), &survey, &chosen(), &hours);
        prop_assert!(second.is_empty(), "{second}");
        let plan = off(&place(), &survey, &chosen());
        let survey = done(survey, &plan);
        prop_assert!(off(&place(), &survey, &chosen()).is_empty());
    }

    #[test]
    fn off_takes_away_only_what_is_gild_amis_and_makes_no_size_up(survey in surveys()) {
        for step in &off(&place(), &survey, &chosen()).steps {
            let group = group_of(&survey, &step.action);
            prop_assert_eq!(&group.tags["environment"], "stg");
            match &step.action {
                Action::Resize { sizes, .. } => {
                    prop_assert_eq!(memory::of(&group.tags), Memory::Sizes(*sizes));
                    prop_assert!(!group.sizes().are_up());
                }
                Action::Unschedule { actions, .. } => {
                    prop_assert!(actions.iter().all(|name| name.starts_with(OWN)));
                }
                Action::UntagGroup { keys, .. } => {
                    prop_assert!(keys.iter().all(|key| key.starts_with("amm:schedule_")));
                    prop_assert!(!keys.contains(tag::SCHEDULE_ORDER));
                }
                other => prop_assert!(false, "off does not {}", other.verb()),
            }
        }
    }
}
