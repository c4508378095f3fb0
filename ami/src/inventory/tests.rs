use proptest::prelude::*;

use super::*;
use crate::fleet::random::{ME, fleet};
use crate::fleet::{Instance, InstanceType, Volume};

fn place() -> Place {
    Place { account: ME.to_owned(), region: "eu-west-1".to_owned() }
}

fn prices() -> Prices {
    Prices::open(None).expect("prices")
}

fn instance(id: &str, kind: &str, tags: &[(&str, &str)]) -> Instance {
    Instance {
        id: id.to_owned(),
        instance_type: kind.to_owned(),
        state: "running".to_owned(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        volumes: vec![format!("vol-{id}")],
        ..Instance::default()
    }
}

fn survey_of(instances: Vec<Instance>) -> Survey {
    let volume = |instance: &Instance| Volume {
        id: format!("vol-{}", instance.id),
        kind: "gp3".to_owned(),
        size_gib: 100,
        ..Volume::default()
    };
    let volumes = instances.iter().map(volume).collect();
    let size = InstanceType { vcpus: 2, memory_mib: 512 };
    Survey {
        fleet: crate::fleet::Fleet { instances, volumes, ..crate::fleet::Fleet::default() },
        types: [("t4g.nano".to_owned(), size)].into(),
    }
}

#[test]
fn an_environment_is_what_has_its_tags_and_a_service_is_a_tag_or_a_group() {
    let mut grouped = instance("3", "t4g.nano", &[("environment", "stg")]);
    grouped.group = Some("workers".to_owned());
    let survey = survey_of(vec![
        instance("1", "t4g.nano", &[("environment", "stg"), ("app", "web")]),
        instance("2", "t4g.nano", &[("environment", "prod"), ("app", "web")]),
        grouped,
        instance("4", "t4g.nano", &[("environment", "stg")]),
    ]);
    let environment = [("environment".to_owned(), "stg".to_owned())].into();
    let found = count(&place(), &survey, &environment, &prices(), None);
    let names: Vec<_> = found.services.keys().map(String::as_str).collect();
    assert_eq!(names, ["(no service)", "web", "workers"]);
    assert_eq!((found.total.servers, found.total.disk_gib), (3, 300));
    assert!((found.total.memory_gib - 1.5).abs() < 1e-9);
    let expected = 3.0 * (0.0046 * 730.0 + 100.0 * 0.088);
    assert!((found.total.usd() - expected).abs() < 1e-6, "{}", found.total.usd());
    assert!(found.unknown.is_empty());
}

#[test]
fn a_stopped_instance_has_its_disk_alone() {
    let mut stopped = instance("1", "t4g.nano", &[]);
    stopped.state = "stopped".to_owned();
    let found = count(&place(), &survey_of(vec![stopped]), &Tags::new(), &prices(), None);
    assert_eq!((found.total.servers, found.total.running), (1, 0));
    assert!((found.total.usd() - 8.8).abs() < 1e-9);
}

#[test]
fn what_is_not_known_is_said_and_not_counted_as_nothing() {
    let survey = survey_of(vec![instance("1", "x9.huge", &[])]);
    let found = count(&place(), &survey, &Tags::new(), &prices(), None);
    for what in ["the memory of x9.huge", "the price of x9.huge", "the processors of x9.huge"] {
        assert!(found.unknown.contains(what), "{what}: {:?}", found.unknown);
    }
    let shown = text(&found, &[]);
    assert!(shown.contains("a month: at least $8.80"), "{shown}");
}

#[test]
fn names_of_others_break_no_format() {
    let hostile = "<script>|\u{1b}[2J&\"*";
    let survey = survey_of(vec![instance("1", "t4g.nano", &[("app", hostile)])]);
    let found = count(&place(), &survey, &Tags::new(), &prices(), None);
    let (shown, page, drawn) = (text(&found, &[]), markdown(&found, &[]), picture(&found));
    assert!(!shown.contains('\u{1b}'));
    assert!(!page.contains("<script>") && !page.contains('\u{1b}'));
    assert!(!drawn.contains("<script>") && !drawn.contains('\u{1b}'));
    // Each tag that is opened is closed, and nothing of another kind is there.
    let opened = drawn.matches("<text").count() + drawn.matches("<rect").count();
    let closed = drawn.matches("</text>").count() + drawn.matches("/>").count();
    assert_eq!(opened, closed);
    assert_eq!(
        drawn.matches('<').count(),
        2 * drawn.matches("<text").count() + drawn.matches("<rect").count() + 2
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn the_total_is_the_sum_of_the_services_and_nothing_is_negative(fleet in fleet()) {
        let servers = fleet.instances.len() as u64;
        let survey = Survey { fleet, types: BTreeMap::new() };
        let found = count(&place(), &survey, &Tags::new(), &prices(), None);
        let sum: f64 = found.services.values().map(Sums::usd).sum();
        prop_assert!((sum - found.total.usd()).abs() < 1e-6);
        prop_assert_eq!(found.total.servers, servers);
        prop_assert!(found.services.values().all(|sums| sums.usd() >= 0.0));
        // No instance of these has a type, so that nothing of them can be known.
        prop_assert_eq!(found.unknown.is_empty(), servers == 0 && found.unknown.is_empty());
        let text = serde_json::to_string(&found).expect("JSON");
        let back: Inventory = serde_json::from_str(&text).expect("it is read back");
        prop_assert_eq!(differences(&back, &found), Vec::new());
    }
}
