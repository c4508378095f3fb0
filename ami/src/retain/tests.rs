use proptest::prelude::*;

use super::*;
use crate::fleet::random::{FLOOR, ME, fleet, grants, now};
use crate::fleet::{Image, Snapshot, Tags, Template, TemplateVersion, tag};
use crate::plan::Action;

fn place() -> Place {
    Place { account: ME.to_owned(), region: "eu-west-1".to_owned() }
}

fn rules() -> Rules {
    Rules { versions: 2, template_versions: 2, min_age: FLOOR, limit: 100, only_marked: false }
}

/// Any fleet, with who may use its images; account 2 was looked at, and uses one image.
fn survey() -> impl Strategy<Value = Survey> {
    fleet().prop_flat_map(|fleet| {
        let ids = fleet.images.iter().map(|image| image.id.clone()).collect();
        (Just(fleet), grants(ids)).prop_map(|(fleet, grants)| Survey {
            fleet,
            grants,
            looked_at: ["222222222222".to_owned()].into(),
            used_elsewhere: [("ami-00000001".to_owned(), "an instance there".to_owned())].into(),
        })
    })
}

/// What is left after a plan, as AWS would have it.
fn after(fleet: &Fleet, plan: &Plan) -> Fleet {
    let mut left = fleet.clone();
    for step in &plan.steps {
        match &step.action {
            Action::DeregisterImage { image } => left.images.retain(|it| &it.id != image),
            Action::DeleteSnapshot { snapshot } => left.snapshots.retain(|it| &it.id != snapshot),
            Action::DeleteTemplateVersions { template, versions } => {
                let found = left.templates.iter_mut().find(|it| &it.id == template);
                let found = found.expect("a template that is there");
                found.versions.retain(|version| !versions.contains(&version.number));
            }
            other => panic!("retention does not {}", other.verb()),
        }
    }
    left
}

/// Why a fleet is worse than it was: said without any of the plan's own words.
fn harm(before: &Survey, left: &Fleet) -> Option<String> {
    let is_there = |id: &str| left.images.iter().any(|image| image.id == id);
    for image in before.fleet.images.iter().filter(|image| !is_there(&image.id)) {
        let id = &image.id;
        let versions = left.templates.iter().flat_map(|template| &template.versions);
        let grants = before.grants.get(id);
        let known = |grants: &Grants| grants.accounts.iter().all(|it| it == "222222222222");
        let why = [
            (left.instances.iter().any(|it| &it.image == id), "an instance has it"),
            (left.configurations.iter().any(|it| &it.image == id), "a configuration has it"),
            (versions.clone().any(|it| it.image.as_ref() == Some(id)), "a version has it"),
            (versions.clone().any(|it| it.image.as_deref() == Some("resolve:ssm:/x")), "it may be"),
            (image.owner != ME, "it is another's"),
            (image.state != "available", "it is not available"),
            (image.created.is_none_or(|at| at + FLOOR > now()), "it is young"),
            (image.tags.get(tag::SKIP_CLEAN).is_some_and(|it| it == "true"), "it opted out"),
            (image.tags.get(tag::CLEAN).is_some_and(|it| it == "no"), "it is not to be cleaned"),
            (!image.tags.contains_key(tag::APP), "it is nobody's"),
            (id == "ami-00000001", "it is used elsewhere"),
            (image.is_public || grants.is_none_or(|it| it.is_public), "everybody may use it"),
            (!grants.is_some_and(known), "somebody may use it"),
        ];
        if let Some((_, why)) = why.into_iter().find(|(is_so, _)| *is_so) {
            return Some(format!("{id}: {why}"));
        }
    }
    for snapshot in &before.fleet.snapshots {
        let has = |image: &Image| image.snapshots.contains(&snapshot.id);
        let versions = left.templates.iter().flat_map(|template| &template.versions);
        let is_gone = !left.snapshots.iter().any(|it| it.id == snapshot.id);
        let is_used = left.images.iter().any(has)
            || versions.clone().any(|it| it.snapshots.contains(&snapshot.id))
            || snapshot.owner != ME
            || snapshot.tags.get(tag::SKIP_CLEAN).is_some_and(|it| it == "true");
        if is_gone && is_used {
            return Some(snapshot.id.clone());
        }
    }
    for group in &left.groups {
        let started = group.instances.iter().filter_map(|(_, from)| from.as_ref());
        for from in group.templates.iter().chain(started) {
            if before.fleet.resolve(from).is_some_and(|(template, number)| {
                let had = template.versions.iter().any(|it| it.number == number);
                let now = left.templates.iter().find(|it| it.id == template.id);
                had && !now.is_some_and(|it| it.versions.iter().any(|it| it.number == number))
            }) {
                return Some(format!("{} starts from {from:?}", group.name));
            }
        }
    }
    for template in &left.templates {
        for number in [template.default_version, template.latest_version] {
            if !template.versions.iter().any(|it| it.number == number) {
                return Some(format!("{} has lost version {number}", template.name));
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn no_plan_takes_what_is_used_young_opted_out_or_another_s(survey in survey()) {
        let plan = plan(&place(), &survey, &rules());
        let left = after(&survey.fleet, &plan);
        prop_assert_eq!(harm(&survey, &left), None);
    }

    #[test]
    fn a_second_plan_is_empty(survey in survey()) {
        let first = plan(&place(), &survey, &rules());
        let fleet = after(&survey.fleet, &first);
        let second = plan(&place(), &Survey { fleet, ..survey }, &rules());
        prop_assert_eq!(second.steps, Vec::new());
    }

    #[test]
    fn the_newest_versions_of_each_service_stay(survey in survey()) {
        let plan = plan(&place(), &survey, &rules());
        let left = after(&survey.fleet, &plan);
        for app in ["a", "b"] {
            let versions = |fleet: &Fleet| {
                let own = fleet.images.iter().filter(|image| image.app() == Some(app));
                own.filter_map(Image::version).collect::<BTreeSet<_>>()
            };
            let newest = |fleet: &Fleet| {
                versions(fleet).into_iter().rev().take(2).collect::<Vec<_>>()
            };
            prop_assert_eq!(newest(&survey.fleet), newest(&left));
        }
    }
}

fn image(id: &str, version: &str, days: u64) -> Image {
    let tags = [("app", "web"), ("version", version)];
    Image {
        id: id.to_owned(),
        name: format!("web-{version}"),
        owner: ME.to_owned(),
        state: "available".to_owned(),
        created: Some(now() - Duration::from_secs(days * 86_400)),
        snapshots: vec![format!("snap-{id}")],
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Image::default()
    }
}

fn survey_of(images: Vec<Image>) -> Survey {
    let snapshots = images.iter().flat_map(|image| &image.snapshots).map(|id| Snapshot {
        id: id.clone(),
        owner: ME.to_owned(),
        ..Snapshot::default()
    });
    let grants = images.iter().map(|image| (image.id.clone(), Grants::default())).collect();
    let fleet = Fleet {
        account: ME.to_owned(),
        now: Some(now()),
        snapshots: snapshots.collect(),
        images,
        ..Fleet::default()
    };
    Survey { fleet, grants, ..Survey::default() }
}

fn objects(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.action.object()).collect()
}

#[test]
fn a_test_of_a_workflow_takes_no_version_s_place() {
    let images = vec![
        image("ami-1", "1.0.0", 50),
        image("ami-2", "1.1.0", 40),
        image("ami-3", "1.2.0", 30),
        image("ami-4", "test-workflow", 20),
    ];
    let plan = plan(&place(), &survey_of(images), &rules());
    assert_eq!(objects(&plan), ["ami-1", "snap-ami-1"]);
}

#[test]
fn an_image_that_only_a_version_which_goes_starts_goes_after_it() {
    let mut survey = survey_of(vec![
        image("ami-1", "1.0.0", 50),
        image("ami-2", "1.1.0", 40),
        image("ami-3", "1.2.0", 30),
    ]);
    let version = |number, image: &str| TemplateVersion {
        number,
        image: Some(image.to_owned()),
        created: Some(now() - 2 * FLOOR),
        ..TemplateVersion::default()
    };
    let images = ["ami-1", "ami-2", "ami-3", "ami-3"];
    survey.fleet.templates = vec![Template {
        id: "lt-1".to_owned(),
        default_version: 4,
        latest_version: 4,
        versions: (1..).zip(images).map(|(number, image)| version(number, image)).collect(),
        tags: Tags::new(),
        ..Template::default()
    }];
    let plan = plan(&place(), &survey, &rules());
    assert_eq!(objects(&plan), ["lt-1 1", "ami-1", "snap-ami-1"]);
}

#[test]
fn a_snapshot_of_two_images_goes_after_the_last_of_them() {
    let mut images = vec![
        image("ami-1", "1.0.0", 50),
        image("ami-2", "1.0.1", 45),
        image("ami-3", "1.1.0", 40),
        image("ami-4", "1.2.0", 30),
    ];
    images[0].snapshots = vec!["snap-both".to_owned()];
    images[1].snapshots = vec!["snap-both".to_owned()];
    let plan = plan(&place(), &survey_of(images), &rules());
    assert_eq!(objects(&plan), ["ami-1", "ami-2", "snap-both"]);
}

#[test]
fn a_run_takes_no_more_images_than_it_may() {
    let images = (0..10).map(|n| image(&format!("ami-{n}"), &format!("1.{n}.0"), 50 - n)).collect();
    let rules = Rules { limit: 3, ..rules() };
    let plan = plan(&place(), &survey_of(images), &rules);
    assert_eq!(plan.steps.len(), 6);
    assert_eq!(plan.notes, ["5 more images wait for another run (--limit)"]);
}
