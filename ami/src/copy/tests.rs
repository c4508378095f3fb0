use proptest::prelude::*;

use super::*;
use crate::fleet::random::{ME, fleet, now};
use crate::fleet::{Instance, Snapshot};

const BUILD: &str = "123456789012";

fn place() -> Place {
    Place { account: ME.to_owned(), region: "eu-west-1".to_owned() }
}

fn rules() -> Rules {
    Rules { from: BUILD.to_owned(), versions: 2, limit: 10, ..Rules::default() }
}

fn source(id: &str, app: &str, version: &str, days: u64) -> Source {
    Source {
        region: "eu-west-1".to_owned(),
        image: Image {
            id: id.to_owned(),
            name: format!("{app}-{version}"),
            description: format!("Image of {app} version {version} timestamp 20260701120000"),
            owner: BUILD.to_owned(),
            state: "available".to_owned(),
            created: Some(now() - std::time::Duration::from_secs(days * 86_400)),
            ..Image::default()
        },
    }
}

/// The copy that a plan's step makes, as EC2 would have it.
fn copy_of(action: &Action, id: &str, state: &str) -> Image {
    let Action::CopyImage { name, tags, .. } = action else { panic!("no copy") };
    Image {
        id: id.to_owned(),
        name: name.clone(),
        owner: ME.to_owned(),
        state: state.to_owned(),
        snapshots: vec![format!("snap-{id}")],
        tags: tags.clone(),
        ..Image::default()
    }
}

fn survey_of(sources: Vec<Source>, images: Vec<Image>) -> Survey {
    let snapshots = images.iter().flat_map(|image| &image.snapshots).map(|id| Snapshot {
        id: id.clone(),
        owner: ME.to_owned(),
        ..Snapshot::default()
    });
    let snapshots = snapshots.collect();
    Survey {
        sources,
        fleet: Fleet { account: ME.to_owned(), images, snapshots, ..Fleet::default() },
    }
}

fn objects(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| format!("{} {}", step.action.verb(), step.action.object()))
        .collect()
}

#[test]
fn the_newest_versions_of_each_service_are_copied_the_newest_first() {
    let sources = vec![
        source("ami-1", "web", "1.9.0", 9),
        source("ami-2", "web", "1.10.0", 8),
        source("ami-3", "web", "1.8.0", 1),
        source("ami-4", "api2", "2.0.0-CR1", 3),
        source("ami-5", "api2", "test-workflow", 2),
    ];
    let plan = plan(&place(), &survey_of(sources, Vec::new()), &rules());
    let expected =
        ["copy ami-4 of eu-west-1", "copy ami-2 of eu-west-1", "copy ami-1 of eu-west-1"];
    assert_eq!(objects(&plan), expected);
    let Action::CopyImage { tags, .. } = &plan.steps[0].action else { panic!("no copy") };
    for (key, value) in [
        ("app", "api2"),
        ("version", "2.0.0-CR1"),
        ("timestamp", "20260701120000"),
        ("Name", "api2-2.0.0-CR1"),
        ("amm:source_ami", "ami-4"),
        ("amm:source_region", "eu-west-1"),
        ("amm:source_account", BUILD),
        ("amm:source_name", "api2-2.0.0-CR1"),
    ] {
        assert_eq!(tags.get(key).map(String::as_str), Some(value), "{key}");
    }
}

#[test]
fn what_is_there_is_not_copied_and_what_was_begun_is_waited_for() {
    let sources = vec![source("ami-1", "web", "1.0.0", 2), source("ami-2", "web", "1.1.0", 1)];
    let first = plan(&place(), &survey_of(sources.clone(), Vec::new()), &rules());
    let copies = vec![
        copy_of(&first.steps[0].action, "ami-c1", "pending"),
        copy_of(&first.steps[1].action, "ami-c2", "available"),
    ];
    let second = plan(&place(), &survey_of(sources.clone(), copies.clone()), &rules());
    assert_eq!(objects(&second), ["wait for ami-c1"]);
    let done = copies.into_iter().map(|copy| Image { state: "available".to_owned(), ..copy });
    assert!(plan(&place(), &survey_of(sources, done.collect()), &rules()).is_empty());
}

#[test]
fn copies_that_were_begun_before_come_first_whatever_they_are_of() {
    let older = source("ami-1", "web", "1.0.0", 9);
    let first = plan(&place(), &survey_of(vec![older.clone()], Vec::new()), &rules());
    let begun = copy_of(&first.steps[0].action, "ami-c1", "pending");
    let mut others = Image { id: "ami-c2".to_owned(), ..begun.clone() };
    others.tags.insert(tag::SOURCE_ACCOUNT.to_owned(), "999999999999".to_owned());
    let newer = source("ami-2", "api", "1.0.0", 1);
    let expected = ["wait for ami-c1", "copy ami-2 of eu-west-1"];
    for sources in [vec![older, newer.clone()], vec![newer]] {
        let survey = survey_of(sources, vec![others.clone(), begun.clone()]);
        assert_eq!(objects(&plan(&place(), &survey, &rules())), expected);
    }
}

#[test]
fn a_copy_that_was_switched_off_is_neither_made_anew_nor_taken_for_a_new_one() {
    let old = source("ami-1", "web", "1.0.0", 9);
    let first = plan(&place(), &survey_of(vec![old], Vec::new()), &rules());
    let before = copy_of(&first.steps[0].action, "ami-c1", "available");
    let anew = source("ami-2", "web", "1.0.0", 1);
    let second = survey_of(vec![anew.clone()], vec![before.clone()]);
    let second = plan(&place(), &second, &rules());
    let off = copy_of(&second.steps[0].action, "ami-c2", "disabled");
    let found = plan(&place(), &survey_of(vec![anew], vec![before, off]), &rules());
    assert!(found.is_empty(), "{:?}", objects(&found));
    assert_eq!(found.kept[0].why, "it is disabled");
}

#[test]
fn an_image_that_was_built_anew_replaces_its_copy_after_it_is_there() {
    let old = source("ami-00001111aaaa", "web", "1.0.0", 9);
    let first = plan(&place(), &survey_of(vec![old], Vec::new()), &rules());
    let copy = copy_of(&first.steps[0].action, "ami-c1", "available");
    let anew = source("ami-22223333bbbb", "web", "1.0.0", 1);
    let second = plan(&place(), &survey_of(vec![anew.clone()], vec![copy.clone()]), &rules());
    let expected =
        ["copy ami-22223333bbbb of eu-west-1", "deregister ami-c1", "delete snap-ami-c1"];
    assert_eq!(objects(&second), expected);
    let Action::CopyImage { name, .. } = &second.steps[0].action else { panic!("no copy") };
    assert_eq!(name, "web-1.0.0-22223333", "the old copy has the name until it goes");

    let long = Image { name: "a".repeat(128), ..anew.image.clone() };
    let name = free_name(&long, 0, &[long.name.as_str()].into());
    assert_eq!(name, format!("{}-22223333", "a".repeat(119)), "as much as EC2 takes");

    let mut used = survey_of(vec![anew.clone()], vec![copy.clone()]);
    used.fleet.instances = vec![Instance { image: "ami-c1".to_owned(), ..Instance::default() }];
    let kept = plan(&place(), &used, &rules());
    assert_eq!(objects(&kept), ["copy ami-22223333bbbb of eu-west-1"]);
    assert!(kept.kept[0].why.starts_with("in use"), "{:?}", kept.kept);

    let mut opted_out = copy;
    opted_out.tags.insert("amm:SkipClean".to_owned(), "true".to_owned());
    let kept = plan(&place(), &survey_of(vec![anew], vec![opted_out]), &rules());
    assert_eq!(objects(&kept), ["copy ami-22223333bbbb of eu-west-1"]);
}

#[test]
fn a_copy_that_failed_is_made_anew_with_another_token_and_then_taken_away() {
    let image = source("ami-1", "web", "1.0.0", 2);
    let first = plan(&place(), &survey_of(vec![image.clone()], Vec::new()), &rules());
    let failed = copy_of(&first.steps[0].action, "ami-c1", "failed");
    let second = plan(&place(), &survey_of(vec![image], vec![failed]), &rules());
    assert_eq!(
        objects(&second),
        ["copy ami-1 of eu-west-1", "deregister ami-c1", "delete snap-ami-c1"]
    );
    let token = |plan: &Plan| match &plan.steps[0].action {
        Action::CopyImage { token, .. } => token.clone(),
        _ => String::new(),
    };
    assert_ne!(token(&first), token(&second));
}

#[test]
fn one_image_of_a_name_is_copied_from_the_region_that_is_preferred() {
    let near = source("ami-1", "web", "1.0.0", 2);
    let far = Source { region: "us-east-1".to_owned(), ..source("ami-2", "web", "1.0.0", 1) };
    let plan = plan(&place(), &survey_of(vec![near, far], Vec::new()), &rules());
    assert_eq!(objects(&plan), ["copy ami-1 of eu-west-1"]);
}

#[test]
fn what_says_no_service_or_is_encrypted_or_is_another_s_is_not_copied() {
    let mut silent = source("ami-1", "web", "1.0.0", 1);
    silent.image.description = "web".to_owned();
    let mut encrypted = source("ami-2", "web", "1.1.0", 1);
    encrypted.image.is_encrypted = true;
    let mut other = source("ami-3", "web", "1.2.0", 1);
    other.image.owner = "999999999999".to_owned();
    let survey = survey_of(vec![silent, encrypted, other], Vec::new());
    let plan = plan(&place(), &survey, &rules());
    assert!(plan.is_empty());
    assert_eq!(plan.kept.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn only_copies_of_this_account_s_images_are_taken_and_none_in_use(
        mut fleet in fleet(),
        marks in proptest::collection::vec((0u32..4, 0u32..3, any::<bool>()), 14),
    ) {
        for (image, (source, name, is_ours)) in fleet.images.iter_mut().zip(marks) {
            let from = if is_ours { BUILD } else { "999999999999" };
            for (key, value) in [
                (tag::SOURCE_AMI, format!("ami-{source}")),
                (tag::SOURCE_NAME, format!("web-1.{name}.0")),
                (tag::SOURCE_ACCOUNT, from.to_owned()),
            ] {
                image.tags.insert(key.to_owned(), value);
            }
        }
        let sources = (0..3).map(|n| source(&format!("ami-{n}"), "web", &format!("1.{n}.0"), 1));
        let survey = Survey { sources: sources.collect(), fleet };
        let plan = plan(&place(), &survey, &rules());
        let fleet = &survey.fleet;
        for step in &plan.steps {
            let Action::DeregisterImage { image } = &step.action else { continue };
            let found = fleet.images.iter().find(|it| &it.id == image).expect("it is there");
            prop_assert_eq!(&found.owner, ME);
            prop_assert_eq!(found.tags.get(tag::SOURCE_ACCOUNT).map(String::as_str), Some(BUILD));
            prop_assert_ne!(found.tags.get(tag::SKIP_CLEAN).map(String::as_str), Some("true"));
            prop_assert!(!fleet.instances.iter().any(|it| &it.image == image));
            prop_assert!(!fleet.configurations.iter().any(|it| &it.image == image));
            let mut versions = fleet.templates.iter().flat_map(|it| &it.versions);
            prop_assert!(!versions.any(|it| it.image.as_ref() == Some(image)));
        }
        let order: Vec<_> = plan.steps.iter().map(|step| match step.action {
            Action::AwaitImage { .. } => 0,
            Action::CopyImage { .. } => 1,
            _ => 2,
        }).collect();
        prop_assert!(order.is_sorted(), "nothing goes before what replaces it");
        let is_ours = |it: &&Image| it.tags.get(tag::SOURCE_ACCOUNT).is_some_and(|id| id == BUILD);
        let begun = fleet.images.iter().filter(is_ours);
        let begun = begun.filter(|it| it.owner == ME && it.state == "pending").count();
        prop_assert_eq!(order.iter().filter(|kind| **kind == 0).count(), begun);
    }
}
