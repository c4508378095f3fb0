//! Who this instance is, from a metadata service that behaves and one that does not.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use gild::identity::imds::WantedTags;
use gild::identity::{Discovered, IdentityError, ImdsOptions, Provenance, TagsState, discover};
use gild::platform::paths::Paths;

use crate::fakes::fault::Fault;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;

const DOCUMENT: &str = "/latest/dynamic/instance-identity/document";

fn instance(tags: &[(&str, &str)]) -> Instance {
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Instance { tags, ..Instance::default() }
}

async fn ask(endpoint: String, budget: Duration) -> Result<Discovered, IdentityError> {
    let mut options = ImdsOptions::new(Some(endpoint), budget);
    let WantedTags { keys, .. } = &mut options.wanted_tags;
    keys.insert("Name".to_owned());
    discover(&options, &Paths::installed(Path::new("/nonexistent"))).await
}

#[tokio::test]
async fn everything_is_read_with_one_token_on_one_connection() {
    let hostile = "{{ lookup('pipe','id') }}\n$(id) \"'";
    let imds = Imds::start(
        loopback(),
        &instance(&[
            ("Name", hostile),
            ("gild:metrics.interval", "30s"),
            ("other", "x"),
            ("aws:autoscaling:groupName", "web"),
        ]),
    );
    let found = ask(imds.endpoint(), Duration::from_secs(5)).await.unwrap();
    let identity = found.identity;
    assert_eq!(identity.provenance, Provenance::Imds);
    assert_eq!(identity.instance_id, "i-0123456789abcdef0");
    assert_eq!(identity.account.as_deref(), Some("123456789012"));
    assert_eq!(identity.availability_zone.as_deref(), Some("eu-west-1b"));
    assert_eq!(identity.public_ip.as_deref(), Some("198.51.100.7"));
    assert_eq!(identity.hostname, "ip-10-1-2-3.eu-west-1.compute.internal");
    assert_eq!(identity.autoscaling_group.as_deref(), Some("web"));
    assert_eq!(identity.tags["Name"], hostile);
    assert_eq!(identity.tags["gild:metrics.interval"], "30s");
    assert!(!identity.tags.contains_key("other"));
    assert!(!imds.requests().iter().any(|path| path.ends_with("/other")));
    assert_eq!((imds.tokens(), imds.connections()), (1, 1));
}

#[tokio::test]
async fn a_service_that_starts_late_is_waited_for() {
    let address = loopback().local_addr().unwrap();
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        Imds::start(TcpListener::bind(address).unwrap(), &instance(&[]))
    });
    let found = ask(format!("http://{address}"), Duration::from_secs(10)).await.unwrap();
    assert_eq!(found.identity.instance_type.as_deref(), Some("t4g.small"));
    drop(late.join().unwrap());
}

#[tokio::test]
async fn what_goes_wrong_for_a_moment_is_tried_again() {
    for fault in [
        Fault::Throttle,
        Fault::CutOff,
        Fault::Close,
        Fault::Garbage,
        Fault::Status(401, String::new()),
    ] {
        let imds = Imds::start(loopback(), &instance(&[("gild:vars.a", "1")]));
        for path in [DOCUMENT, "/latest/meta-data/tags", "/latest/api/token"] {
            imds.faults.next(path, 1, fault.clone());
        }
        let found = ask(imds.endpoint(), Duration::from_secs(10)).await;
        let identity = found.unwrap_or_else(|error| panic!("{fault:?}: {error:?}")).identity;
        assert_eq!(identity.tags["gild:vars.a"], "1", "{fault:?}");
    }
}

#[tokio::test]
async fn a_page_that_says_404_is_no_value() {
    let imds = Imds::start(loopback(), &instance(&[]));
    imds.set("/latest/meta-data/local-hostname", None);
    let found = ask(imds.endpoint(), Duration::from_secs(5)).await.unwrap();
    assert!(matches!(found.tags, TagsState::Unavailable));
    assert!(found.identity.tags.is_empty());
    assert!(!found.identity.hostname.contains('<'));
}

#[tokio::test]
async fn a_service_that_never_answers_is_an_error_within_the_budget() {
    for fault in [Fault::Hang, Fault::Endless, Fault::Status(500, String::new())] {
        let imds = Imds::start(loopback(), &instance(&[]));
        imds.faults.always(DOCUMENT, fault);
        let start = Instant::now();
        assert!(ask(imds.endpoint(), Duration::from_millis(600)).await.is_err());
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    }
    let nobody = loopback().local_addr().unwrap();
    assert!(ask(format!("http://{nobody}"), Duration::from_millis(300)).await.is_err());
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_told_from_tags_that_are_not_there() {
    let imds = Imds::start(loopback(), &instance(&[("gild:vars.a", "1")]));
    imds.faults.always("/latest/meta-data/tags", Fault::Throttle);
    let found = ask(imds.endpoint(), Duration::from_millis(600)).await.unwrap();
    assert!(matches!(found.tags, TagsState::Failed(_)));
}
