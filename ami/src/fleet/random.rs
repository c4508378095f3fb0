//! Random fleets, for properties that hold of every plan. Few ids, so that things meet.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The account that looks.
pub(crate) const ME: &str = "111111111111";

/// When.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The floor of all these tests.
pub(crate) const FLOOR: Duration = Duration::from_secs(7 * 86_400);

fn age() -> impl Strategy<Value = Option<SystemTime>> {
    prop_oneof![
        1 => Just(None),
        9 => (0u64..60).prop_map(|days| Some(now() - Duration::from_secs(days * 86_400))),
    ]
}

fn tags() -> impl Strategy<Value = Tags> {
    let app = prop_oneof![Just(None), "[ab]".prop_map(Some)];
    let version = prop_oneof!["[0-3]\\.[0-3]", Just("test-workflow".to_owned())];
    let mark = prop_oneof![
        8 => Just(None),
        1 => Just(Some((tag::SKIP_CLEAN, "true"))),
        1 => Just(Some((tag::SKIP_CLEAN, "False"))),
        1 => Just(Some((tag::CLEAN, "true"))),
        1 => Just(Some((tag::CLEAN, "no"))),
    ];
    let name = prop_oneof![Just("web-test"), Just("web"), Just("test-web-more")];
    (app, version, mark, name).prop_map(|(app, version, mark, name)| {
        let mut tags = Tags::from([("Name".to_owned(), name.to_owned())]);
        tags.insert(tag::VERSION.to_owned(), version);
        tags.extend(app.map(|app| (tag::APP.to_owned(), app)));
        tags.extend(mark.map(|(key, value)| (key.to_owned(), value.to_owned())));
        tags
    })
}

fn image_id() -> impl Strategy<Value = String> {
    (0u32..12).prop_map(|number| format!("ami-{number:08x}"))
}

fn snapshot_id() -> impl Strategy<Value = String> {
    (0u32..16).prop_map(|number| format!("snap-{number:08x}"))
}

fn owner() -> impl Strategy<Value = String> {
    prop_oneof![9 => Just(ME), 1 => Just("999999999999")].prop_map(str::to_owned)
}

fn image() -> impl Strategy<Value = Image> {
    let state = prop_oneof![9 => Just("available"), 1 => Just("pending")];
    let snapshots = vec(snapshot_id(), 0..3);
    (image_id(), owner(), state, age(), snapshots, tags(), proptest::bool::weighted(0.05)).prop_map(
        |(id, owner, state, created, snapshots, tags, is_public)| Image {
            name: tags.get("Name").cloned().unwrap_or_default(),
            state: state.to_owned(),
            id,
            owner,
            created,
            snapshots,
            tags,
            is_public,
            ..Image::default()
        },
    )
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let made_for = prop_oneof![
        image_id().prop_map(|id| format!("Created by CreateImage(i-1) for {id}")),
        Just("nightly backup".to_owned()),
    ];
    let state = prop_oneof![9 => Just("completed"), 1 => Just("pending")];
    (snapshot_id(), owner(), state, made_for, age(), tags()).prop_map(
        |(id, owner, state, description, created, tags)| Snapshot {
            state: state.to_owned(),
            id,
            owner,
            description,
            created,
            tags,
            ..Snapshot::default()
        },
    )
}

fn template() -> impl Strategy<Value = Template> {
    let image = prop_oneof![9 => image_id(), 1 => Just("resolve:ssm:/x".to_owned())];
    let version = (proptest::option::of(image), vec(snapshot_id(), 0..2), age());
    (0u32..4, vec(version, 1..8), any::<prop::sample::Index>(), tags()).prop_map(
        |(number, versions, default, tags)| {
            let versions: Vec<_> = (1..)
                .zip(versions)
                .map(|(number, (image, snapshots, created))| TemplateVersion {
                    number,
                    image,
                    snapshots,
                    created,
                    ..TemplateVersion::default()
                })
                .collect();
            Template {
                id: format!("lt-{number}"),
                name: format!("template-{number}"),
                default_version: default.index(versions.len()) as u64 + 1,
                latest_version: versions.len() as u64,
                versions,
                tags,
            }
        },
    )
}

fn template_use() -> impl Strategy<Value = TemplateUse> {
    let version = prop_oneof![
        Just("$Latest".to_owned()),
        Just("$Default".to_owned()),
        (1u64..8).prop_map(|number| number.to_string()),
    ];
    let template = prop_oneof!["lt-[0-3]", "template-[0-3]"];
    (template, version).prop_map(|(template, version)| TemplateUse { template, version })
}

fn group() -> impl Strategy<Value = Group> {
    let instances = vec((0u32..8, proptest::option::of(template_use())), 0..3);
    (0u32..3, vec(template_use(), 0..3), instances).prop_map(|(number, templates, instances)| {
        Group {
            name: format!("group-{number}"),
            templates,
            instances: instances.into_iter().map(|(id, from)| (format!("i-{id}"), from)).collect(),
            ..Group::default()
        }
    })
}

fn instance() -> impl Strategy<Value = Instance> {
    let state = prop_oneof![Just("running"), Just("stopped"), Just("shutting-down")];
    let group = proptest::option::weighted(0.3, Just("group-x".to_owned()));
    (0u32..8, image_id(), state, group, age(), tags()).prop_map(
        |(number, image, state, group, launched, tags)| Instance {
            id: format!("i-{number}"),
            addresses: vec![format!("10.0.0.{number}")],
            state: state.to_owned(),
            image,
            group,
            launched,
            tags,
            ..Instance::default()
        },
    )
}

fn volume() -> impl Strategy<Value = Volume> {
    let state = prop_oneof![Just("available"), Just("in-use"), Just("creating")];
    let instances = vec((0u32..8).prop_map(|number| format!("i-{number}")), 0..2);
    (0u32..8, state, instances, age(), tags()).prop_map(
        |(number, state, instances, created, tags)| Volume {
            id: format!("vol-{number}"),
            state: state.to_owned(),
            instances,
            created,
            tags,
            ..Volume::default()
        },
    )
}

/// Each id once, as AWS has it.
fn once<T>(things: Vec<T>, id: impl Fn(&T) -> String) -> Vec<T> {
    let mut seen = BTreeSet::new();
    things.into_iter().filter(|thing| seen.insert(id(thing))).collect()
}

/// Any fleet.
pub(crate) fn fleet() -> impl Strategy<Value = Fleet> {
    let configurations = vec(image_id(), 0..2);
    let kinds = (vec(image(), 0..14), vec(snapshot(), 0..18), vec(template(), 0..4));
    let uses = (configurations, vec(group(), 0..3), vec(instance(), 0..4), vec(volume(), 0..8));
    (kinds, uses).prop_map(
        |((images, snapshots, templates), (configurations, groups, instances, volumes))| Fleet {
            account: ME.to_owned(),
            now: Some(now()),
            images: once(images, |it| it.id.clone()),
            snapshots: once(snapshots, |it| it.id.clone()),
            templates: once(templates, |it| it.id.clone()),
            configurations: configurations
                .into_iter()
                .map(|image| Configuration { image, ..Configuration::default() })
                .collect(),
            groups,
            instances: once(instances, |it| it.id.clone()),
            volumes: once(volumes, |it| it.id.clone()),
        },
    )
}

/// Who may use each of these: mostly nobody else, sometimes somebody, and of some it is not known.
pub(crate) fn grants(ids: Vec<String>) -> impl Strategy<Value = BTreeMap<String, Grants>> {
    let one = prop_oneof![
        1 => Just(None),
        6 => Just(Some(Grants::default())),
        1 => Just(Some(Grants { accounts: ["222222222222".to_owned()].into(), ..Grants::default() })),
        1 => Just(Some(Grants { accounts: ["333333333333".to_owned()].into(), ..Grants::default() })),
        1 => Just(Some(Grants { is_public: true, ..Grants::default() })),
    ];
    vec(one, ids.len()).prop_map(move |all| {
        ids.iter().cloned().zip(all).filter_map(|(id, one)| Some((id, one?))).collect()
    })
}
