use proptest::prelude::*;

use super::*;
use crate::fleet::dns::Record;
use crate::fleet::random::{FLOOR, ME, fleet, grants, now};
use crate::fleet::tag;
use crate::plan::Action;

fn place() -> Place {
    Place { account: ME.to_owned(), region: "eu-west-1".to_owned() }
}

const ALL: [Kind; 6] =
    [Kind::Instances, Kind::Volumes, Kind::Records, Kind::Images, Kind::Snapshots, Kind::Orphans];

fn rules(names: &[&str]) -> Rules {
    Rules {
        names: names.iter().map(|name| name.parse().expect("a pattern")).collect(),
        min_age: FLOOR,
        kinds: ALL.into(),
        limit: 100,
        ..Rules::default()
    }
}

fn survey() -> impl Strategy<Value = Survey> {
    fleet().prop_flat_map(|fleet| {
        let images = fleet.images.iter().map(|image| image.id.clone()).collect();
        let snapshots = fleet.snapshots.iter().map(|snapshot| snapshot.id.clone()).collect();
        (Just(fleet), grants(images), grants(snapshots)).prop_map(|(fleet, images, snapshots)| {
            let accounts = snapshots.into_iter().map(|(id, grants)| (id, grants.accounts));
            Survey {
                fleet,
                image_grants: images,
                snapshot_grants: accounts.collect(),
                ..Survey::default()
            }
        })
    })
}

fn is_meant(tags: &Tags) -> bool {
    tags.get("Name").is_some_and(|name| name == "web-test")
}

fn is_protected(tags: &Tags, created: Option<std::time::SystemTime>) -> bool {
    tags.get(tag::SKIP_CLEAN).is_some_and(|it| it == "true")
        || tags.get(tag::CLEAN).is_some_and(|it| it == "no")
        || created.is_none_or(|at| at + FLOOR > now())
}

/// Why a plan does harm: said without any of its own words.
fn harm(survey: &Survey, plan: &Plan) -> Option<String> {
    let fleet = &survey.fleet;
    let of = |pick: fn(&Action) -> Option<&String>| {
        plan.steps.iter().filter_map(|step| pick(&step.action)).cloned().collect::<BTreeSet<_>>()
    };
    let ended = of(|it| match it {
        Action::TerminateInstance { instance } => Some(instance),
        _ => None,
    });
    let images = of(|it| match it {
        Action::DeregisterImage { image } => Some(image),
        _ => None,
    });
    for it in fleet.instances.iter().filter(|it| ended.contains(&it.id)) {
        let in_group =
            fleet.groups.iter().any(|group| group.instances.iter().any(|(id, _)| *id == it.id));
        if !is_meant(&it.tags)
            || is_protected(&it.tags, it.launched)
            || it.group.is_some()
            || in_group
        {
            return Some(it.id.clone());
        }
    }
    for it in fleet.images.iter().filter(|it| images.contains(&it.id)) {
        let versions = fleet.templates.iter().flat_map(|template| &template.versions);
        let grants = survey.image_grants.get(&it.id);
        if !is_meant(&it.tags)
            || is_protected(&it.tags, it.created)
            || it.owner != ME
            || fleet.instances.iter().any(|one| one.image == it.id && !ended.contains(&one.id))
            || fleet.configurations.iter().any(|one| one.image == it.id)
            || versions.clone().any(|one| one.image.as_ref() == Some(&it.id))
            || grants.is_none_or(|grants| grants.is_public || !grants.accounts.is_empty())
        {
            return Some(it.id.clone());
        }
    }
    for step in &plan.steps {
        let object = step.action.object();
        let is_bad = match &step.action {
            Action::DeleteVolume { volume } => {
                fleet.volumes.iter().filter(|it| &it.id == volume).any(|it| {
                    !is_meant(&it.tags)
                        || is_protected(&it.tags, it.created)
                        || it.state != "available"
                        || !it.instances.is_empty()
                })
            }
            Action::DeleteSnapshot { snapshot } => {
                let versions = fleet.templates.iter().flat_map(|template| &template.versions);
                let of_gone = fleet
                    .images
                    .iter()
                    .any(|it| images.contains(&it.id) && it.snapshots.contains(snapshot));
                fleet.snapshots.iter().filter(|it| &it.id == snapshot).any(|it| {
                    let image = it.description.rsplit(' ').next().unwrap_or_default();
                    let is_orphan = image.starts_with("ami-")
                        && !fleet.images.iter().any(|one| one.id == image);
                    let is_shared =
                        survey.snapshot_grants.get(&it.id).is_none_or(|it| !it.is_empty());
                    it.owner != ME
                        || it.tags.get(tag::SKIP_CLEAN).is_some_and(|it| it == "true")
                        || versions.clone().any(|one| one.snapshots.contains(&it.id))
                        || fleet
                            .images
                            .iter()
                            .any(|one| one.snapshots.contains(&it.id) && !images.contains(&one.id))
                        || (!of_gone
                            && (!(is_orphan || is_meant(&it.tags))
                                || is_shared
                                || is_protected(&it.tags, it.created)))
                })
            }
            Action::TerminateInstance { .. } | Action::DeregisterImage { .. } => false,
            _ => true,
        };
        if is_bad {
            return Some(object);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn no_plan_takes_what_is_used_young_opted_out_not_meant_or_another_s(survey in survey()) {
        let plan = plan(&place(), &survey, &rules(&["web-test"]));
        prop_assert_eq!(harm(&survey, &plan), None);
    }

    #[test]
    fn where_neither_name_nor_tag_is_said_only_orphans_go(survey in survey()) {
        let plan = plan(&place(), &survey, &rules(&[]));
        for step in plan.steps {
            prop_assert!(step.why.ends_with("which is gone"), "{:?}", step);
        }
    }

    #[test]
    fn a_record_goes_only_where_its_name_is_meant_and_nothing_sees_its_addresses(
        records in proptest::collection::vec(
            ("(web|db)(-test|-test-2|)", proptest::collection::vec(0u8..6, 0..3), "A|AAAA|CNAME",
                proptest::bool::weighted(0.1), proptest::bool::weighted(0.1)),
            0..8,
        ),
        taken in proptest::collection::btree_set(0u8..6, 0..4),
        regions in proptest::sample::subsequence(vec!["eu-west-1", "us-east-1", "sa-east-1"], 0..3),
        is_private in proptest::bool::weighted(0.9),
    ) {
        let address = |number: &u8| format!("10.0.0.{number}");
        let records: Vec<_> = records
            .into_iter()
            .map(|(name, values, kind, is_alias, is_one_of_many)| Record {
                name: format!("{name}.stg.local"),
                values: values.iter().map(address).collect(),
                kind,
                is_alias,
                is_one_of_many,
                ttl: 60,
            })
            .collect();
        let zone = Zone {
            id: "Z1".to_owned(),
            name: "stg.local".to_owned(),
            is_private,
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
            records: records.clone(),
        };
        let there: BTreeSet<_> = taken.iter().map(address).collect();
        // Nobody has looked at sa-east-1.
        let addresses = [
            ("eu-west-1".to_owned(), there.clone()),
            ("us-east-1".to_owned(), BTreeSet::new()),
        ];
        let survey = Survey { zones: vec![zone], addresses: addresses.into(), ..Survey::default() };
        let plan = plan(&place(), &survey, &rules(&["*-test"]));
        let is_seen = !regions.is_empty() && !regions.contains(&"sa-east-1");
        for step in &plan.steps {
            let Action::DeleteRecord { record, .. } = &step.action else { panic!("no record") };
            prop_assert!(is_private && is_seen);
            prop_assert!(record.name.ends_with("-test.stg.local") && record.kind == "A");
            prop_assert!(!record.is_alias && !record.is_one_of_many && !record.values.is_empty());
            let is_taken = record.values.iter().any(|value| there.contains(value));
            prop_assert!(!(regions.contains(&"eu-west-1") && is_taken), "{record:?}");
        }
    }

    #[test]
    fn any_description_can_be_read(text in ".{0,80}") {
        let image = snapshots::made_for(&text);
        prop_assert!(image.is_none_or(|image| text.contains(image)));
    }
}

#[test]
fn the_image_of_a_snapshot_is_told_by_what_ec2_writes() {
    for (text, image) in [
        ("Created by CreateImage(i-0abc) for ami-0123456789abcdef0", Some("ami-0123456789abcdef0")),
        (
            "Copied for DestinationAmi ami-0123456789abcdef0 from SourceAmi ami-9 for \
             SourceSnapshot snap-1. Task created on 1,700,000,000,000.",
            Some("ami-0123456789abcdef0"),
        ),
        ("nightly backup for ami-0123456789abcdef0", None),
        ("Created by CreateImage(i-0abc) for ami-", None),
        ("", None),
    ] {
        assert_eq!(snapshots::made_for(text), image, "{text}");
    }
}

fn zone(name: &str, addresses: &[&str]) -> Zone {
    Zone {
        id: "Z1".to_owned(),
        name: "stg.local".to_owned(),
        is_private: true,
        regions: vec!["eu-west-1".to_owned()],
        records: vec![Record {
            name: format!("{name}.stg.local"),
            kind: "A".to_owned(),
            ttl: 60,
            values: addresses.iter().map(|address| (*address).to_owned()).collect(),
            ..Record::default()
        }],
    }
}

fn survey_of(zone: Zone) -> Survey {
    let addresses = [("eu-west-1".to_owned(), ["10.0.0.1".to_owned()].into())].into();
    Survey { zones: vec![zone], addresses, ..Survey::default() }
}

#[test]
fn a_record_goes_where_nothing_has_its_addresses() {
    let found = |zone| {
        let plan = plan(&place(), &survey_of(zone), &rules(&["*-test"]));
        plan.steps.len()
    };
    assert_eq!(found(zone("web-test", &["10.0.0.9"])), 1);
    assert_eq!(found(zone("web", &["10.0.0.9"])), 0);
    assert_eq!(found(zone("db-test-results", &["10.0.0.9"])), 0);
    assert_eq!(found(zone("web-test", &["10.0.0.1"])), 0);
    assert_eq!(found(zone("web-test", &["10.0.0.9", "10.0.0.1"])), 0);
    assert_eq!(found(Zone { is_private: false, ..zone("web-test", &["10.0.0.9"]) }), 0);
    let elsewhere =
        Zone { regions: vec!["us-east-1".to_owned()], ..zone("web-test", &["10.0.0.9"]) };
    assert_eq!(found(elsewhere), 0, "a region that was not looked at");
    let mut alias = zone("web-test", &[]);
    alias.records[0].is_alias = true;
    assert_eq!(found(alias), 0);
    let mut weighted = zone("web-test", &["10.0.0.9"]);
    weighted.records[0].is_one_of_many = true;
    assert_eq!(found(weighted), 0);
}
