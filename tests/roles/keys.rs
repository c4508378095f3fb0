//! Credentials that AWS refuses are fetched anew.

use super::*;
use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::imds::access_key;

const DOCUMENT: &str = "
configuration.run = 'never'
metrics.interval = '1s'
[sink.cloudwatch]
type = 'cloudwatch'
namespace = 'Test'
flush = '1s'
";

#[test]
fn metrics_go_on_with_the_key_of_the_new_role() {
    for (code, lost) in [("UnrecognizedClientException", false), ("AccessDeniedException", true)] {
        let mut world = World::new(DOCUMENT);
        let cloudwatch = CloudWatch::start(loopback());
        world.host.environment.push(("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.endpoint()));
        world.configured();
        let _daemon = world.daemon();
        let keys = |role: &str| {
            let key = format!("Credential={}/", access_key(role));
            cloudwatch.calls().iter().filter(|call| call.authorization.contains(&key)).count()
        };
        let (old, new) = (Instance::default().role, WEAK);
        wait_for("metrics with the old key", || keys(&old) > 0);
        assert_eq!(keys(new), 0);
        world.swap();
        cloudwatch.forget_key(&access_key(&old), code);
        wait_for("metrics with the new key", || keys(new) > 0);
        // Each failure is judged as ever: a refusal loses what was refused, and what may pass
        // is tried again.
        let dropped = world.status()["sinks"]["cloudwatch"]["dropped"].clone();
        assert_eq!(dropped != json!({}), lost, "{code}: {dropped} {:?}", cloudwatch.refused());
    }
}

#[test]
fn whoever_is_refused_for_good_asks_for_credentials_once_a_minute() {
    let mut world = World::new(DOCUMENT);
    let cloudwatch = CloudWatch::start(loopback());
    world.host.environment.push(("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.endpoint()));
    world.configured();
    let key = access_key(&Instance::default().role);
    cloudwatch.forget_key(&key, "AccessDeniedException");
    let asked = || {
        let path = format!("security-credentials/{}", Instance::default().role);
        world.host.imds.requests().iter().filter(|asked| asked.ends_with(&path)).count()
    };
    let before = asked();
    let _daemon = world.daemon();
    wait_for("refusals", || cloudwatch.refused().len() >= 6);
    assert_eq!(asked() - before, 2, "at the start, and once more");
}

#[test]
fn a_metadata_service_that_tells_no_role_ends_nothing() {
    let mut world = World::new(DOCUMENT);
    let cloudwatch = CloudWatch::start(loopback());
    world.host.environment.push(("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.endpoint()));
    world.configured();
    let path = "/latest/meta-data/iam/security-credentials";
    world.host.imds.set(path, Some("\u{0}\u{1}this is not it"));
    let asked = || {
        let requests = world.host.imds.requests();
        requests.iter().filter(|asked| asked.trim_end_matches('/') == path).count()
    };
    let before = asked();
    let mut daemon = world.daemon();
    wait_for("a second question for the role", || asked() > before + 1);
    wait_for("the failure", || world.status()["sinks"]["cloudwatch"]["last_error"].is_string());
    assert_eq!(daemon.0.try_wait().unwrap(), None);
    world.host.imds.set(path, Some(&Instance::default().role));
    wait_for("metrics", || !cloudwatch.calls().is_empty());
}
