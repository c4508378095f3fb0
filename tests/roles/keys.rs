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
