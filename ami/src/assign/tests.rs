use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::fleet::random::{ME, fleet};
use crate::fleet::{Group, Instance, TemplateUse, TemplateVersion};

fn place() -> Place {
    Place { account: ME.to_owned(), region: "eu-west-1".to_owned() }
}

fn rules() -> Rules {
    Rules { apps: ["web".to_owned()].into(), ..Rules::default() }
}

fn image(id: &str, version: &str) -> Image {
    let tags = [("app", "web"), ("version", version)];
    Image {
        id: id.to_owned(),
        name: format!("web-{version}"),
        owner: ME.to_owned(),
        state: "available".to_owned(),
        architecture: "arm64".to_owned(),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Image::default()
    }
}

fn web(images: &[&str]) -> Template {
    let versions = images.iter().zip(1..).map(|(image, number)| TemplateVersion {
        number,
        image: Some((*image).to_owned()),
        ..TemplateVersion::default()
    });
    Template {
        id: "lt-1".to_owned(),
        name: "web".to_owned(),
        default_version: 1,
        latest_version: images.len() as u64,
        versions: versions.collect(),
        tags: Tags::new(),
    }
}

fn fleet_of(images: Vec<Image>, template: Template) -> Fleet {
    Fleet { account: ME.to_owned(), images, templates: vec![template], ..Fleet::default() }
}

fn steps(plan: &Plan) -> Vec<String> {
    let said =
        |step: &crate::plan::Step| format!("{} {}", step.action.verb(), step.action.object());
    plan.steps.iter().map(said).collect()
}

/// What there is after a plan, as EC2 would have it.
fn after(mut fleet: Fleet, plan: &Plan) -> Fleet {
    for step in &plan.steps {
        match &step.action {
            Action::CreateTemplateVersion { template, image, .. } => {
                let found = fleet.templates.iter_mut().find(|it| it.id == *template);
                let found = found.expect("a template");
                found.latest_version += 1;
                found.versions.push(TemplateVersion {
                    number: found.latest_version,
                    image: Some(image.clone()),
                    ..TemplateVersion::default()
                });
            }
            Action::SetDefaultVersion { template, image } => {
                let found = fleet.templates.iter_mut().find(|it| it.id == *template);
                let found = found.expect("a template");
                let mut versions = found.versions.iter().rev();
                let version = versions.find(|it| it.image.as_ref() == Some(image));
                found.default_version = version.expect("a version").number;
            }
            Action::Tag { resource, tags } => {
                let found = fleet.images.iter_mut().find(|it| it.id == *resource);
                found.expect("an image").tags.extend(tags.clone());
            }
            other => panic!("assigning does not {}", other.verb()),
        }
    }
    fleet
}

#[test]
fn the_newest_version_is_assigned_once_and_is_not_the_default_unless_asked_for() {
    let images = vec![
        image("ami-1", "1.9.0"),
        image("ami-2", "v1.10.0"),
        image("ami-3", "1.11.0-CR1"),
        image("ami-4", "test-workflow"),
    ];
    let fleet = fleet_of(images, web(&["ami-1"]));
    let first = plan(&place(), &fleet, &rules());
    assert_eq!(steps(&first), ["assign ami-2 of lt-1", "tag ami-2"]);
    let fleet = after(fleet, &first);
    assert!(plan(&place(), &fleet, &rules()).is_empty());

    let as_default = Rules { default: true, ..rules() };
    let second = plan(&place(), &fleet, &as_default);
    assert_eq!(steps(&second), ["make default ami-2 of lt-1"]);
    assert!(plan(&place(), &after(fleet.clone(), &second), &as_default).is_empty());

    let with_pre = Rules { pre_release: true, ..rules() };
    assert_eq!(steps(&plan(&place(), &fleet, &with_pre)), ["assign ami-3 of lt-1", "tag ami-3"]);
}

#[test]
fn the_template_keeps_to_its_processor_and_its_system() {
    let mut other = image("ami-3", "1.1.0");
    other.architecture = "x86_64".to_owned();
    let images = vec![image("ami-1", "1.0.0"), image("ami-2", "1.1.0"), other];
    let fleet = fleet_of(images.clone(), web(&["ami-1"]));
    assert_eq!(steps(&plan(&place(), &fleet, &rules()))[0], "assign ami-2 of lt-1");
    // Nothing says what the template is for.
    let fleet = fleet_of(images, web(&["ami-gone"]));
    let found = plan(&place(), &fleet, &rules());
    assert!(found.is_empty());
    let why = found.refused.unwrap_or_default();
    assert!(why.contains("several images: ami-2, ami-3"), "{why}");
}

#[test]
fn what_cannot_be_told_makes_no_plan() {
    let because = |fleet: &Fleet, rules: &Rules| {
        let plan = plan(&place(), fleet, rules);
        assert!(plan.is_empty(), "{:?}", plan.steps);
        let why = plan.refused.or(plan.kept.first().map(|kept| kept.why.clone()));
        why.unwrap_or_default().trim_start_matches("web: ").to_owned()
    };
    let no_template =
        Fleet { templates: Vec::new(), ..fleet_of(vec![image("ami-1", "1")], web(&[])) };
    assert!(because(&no_template, &rules()).starts_with("no launch template"));
    let mut twins = fleet_of(vec![image("ami-1", "1.0")], web(&["ami-0"]));
    twins.templates[0].tags.insert("app".to_owned(), "web".to_owned());
    twins.templates.push(Template { id: "lt-2".to_owned(), ..twins.templates[0].clone() });
    assert!(because(&twins, &rules()).starts_with("several launch templates"));
    let mut pending = fleet_of(vec![image("ami-1", "1.0")], web(&["ami-0"]));
    pending.images[0].state = "pending".to_owned();
    assert!(because(&pending, &rules()).starts_with("no image of it"));
    let newer =
        fleet_of(vec![image("ami-1", "1.9.0"), image("ami-2", "2.0.0-CR1")], web(&["ami-2"]));
    assert!(because(&newer, &rules()).contains("2.0.0-CR1, which is newer than 1.9.0"));
    let from = Rules { from_version: Some(9), ..rules() };
    assert!(
        because(&fleet_of(vec![image("ami-1", "1.0")], web(&["ami-0"])), &from)
            .contains("no version 9")
    );
}

fn group(version: &str, images: &[&str]) -> (Group, Vec<Instance>) {
    let instances = images.iter().enumerate().map(|(number, image)| Instance {
        id: format!("i-{number}"),
        image: (*image).to_owned(),
        ..Instance::default()
    });
    let from = TemplateUse { template: "lt-1".to_owned(), version: version.to_owned() };
    let group = Group {
        name: "web".to_owned(),
        templates: vec![from],
        instances: (0..images.len()).map(|number| (format!("i-{number}"), None)).collect(),
        ..Group::default()
    };
    (group, instances.collect())
}

#[test]
fn instances_are_replaced_where_the_group_would_take_the_version_and_they_are_older() {
    let refresh = Refresh { min_healthy_percent: 90, warm_up: Duration::from_secs(300) };
    let found = |version: &str, images: &[&str], default: bool| {
        let mut fleet =
            fleet_of(vec![image("ami-1", "1.0"), image("ami-2", "2.0")], web(&["ami-1"]));
        let (group, instances) = group(version, images);
        (fleet.groups, fleet.instances) = (vec![group], instances);
        let rules = Rules { default, refresh: Some(refresh), ..rules() };
        steps(&plan(&place(), &fleet, &rules)).contains(&"refresh web".to_owned())
    };
    assert!(found("$Latest", &["ami-1", "ami-2"], false));
    assert!(found("$Default", &["ami-1"], true));
    assert!(!found("$Default", &["ami-1"], false), "the default is another one");
    assert!(!found("1", &["ami-1"], true), "the group keeps to its version");
    assert!(!found("$Latest", &["ami-2", "ami-2"], false), "they are of this image");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_second_plan_is_empty_and_only_own_available_images_are_assigned(
        fleet in fleet(),
        default in any::<bool>(),
    ) {
        let rules = Rules {
            apps: ["a".to_owned()].into(),
            template: Some("template-0".to_owned()),
            default,
            ..Rules::default()
        };
        let first = plan(&place(), &fleet, &rules);
        for step in &first.steps {
            if let Action::CreateTemplateVersion { image, .. } = &step.action {
                let found = fleet.images.iter().find(|it| it.id == *image).expect("it is there");
                prop_assert_eq!(&found.owner, ME);
                prop_assert_eq!(&found.state, "available");
                prop_assert_eq!(found.app(), Some("a"));
            }
        }
        let second = plan(&place(), &after(fleet, &first), &rules);
        prop_assert_eq!(second.steps, Vec::new());
    }
}
