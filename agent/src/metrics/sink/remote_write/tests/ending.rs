//! What a sink says last.

use super::*;
use crate::metrics::sample::label;

fn lines(requests: &[Request<Body>]) -> Vec<String> {
    assert!(requests.len() <= 1, "the end fits into one request");
    assert!(requests.iter().all(|request| request.measurements == 0), "a marker is none");
    requests
        .iter()
        .flat_map(|request| encode::lines(&request.payload.first()).collect::<Vec<_>>())
        .collect()
}

fn two(ms: u64) -> Arc<Tick> {
    let device = vec![label("image", "own")];
    let samples = vec![Sample::gauge("a", vec![], 1.0), Sample::counter("b_total", device, 2.0)];
    Arc::new(Tick::new(UNIX_EPOCH + Duration::from_millis(ms), samples))
}

fn after(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(NOW + ms)
}

#[test]
fn all_living_series_end_with_the_sink_and_are_told_once() {
    for version in [WriteVersion::One, WriteVersion::Two] {
        let settings = RemoteWriteSettings { version, ..settings("http://x/") };
        let mut sink = build(&settings).unwrap();
        assert!(sink.farewell(after(0), None).is_empty(), "there was nothing");
        sink.take(&tick(NOW), &mut Drops::default());
        sink.take(&two(NOW + 10), &mut Drops::default());
        let expected = [
            "a{instance=\"i-1\"} stale 1800000000020",
            "b_total{image=\"own\",instance=\"i-1\"} stale 1800000000020",
        ];
        assert_eq!(lines(&sink.farewell(after(20), None)), expected);
        assert!(sink.farewell(after(30), None).is_empty());
    }
}

#[test]
fn a_marker_is_newer_than_the_last_sample_whatever_the_clock_says() {
    let mut sink = build(&settings("http://x/")).unwrap();
    sink.take(&tick(NOW), &mut Drops::default());
    let lines = lines(&sink.farewell(UNIX_EPOCH, None));
    assert_eq!(lines, ["node_load1{instance=\"i-1\"} stale 1800000000001"]);
}

#[test]
fn what_another_sink_goes_on_with_is_not_marked() {
    let destination =
        |settings: &RemoteWriteSettings| RemoteWrite::destination(settings, &identity()).unwrap();
    let farewell = |change: &dyn Fn(&mut RemoteWriteSettings)| {
        let old = settings("http://x/");
        let mut sink = build(&old).unwrap();
        sink.take(&two(NOW), &mut Drops::default());
        let mut new = old.clone();
        change(&mut new);
        assert_eq!(destination(&old).receiver, destination(&new).receiver);
        lines(&sink.farewell(after(10), Some(&destination(&new))))
    };
    assert!(farewell(&|new| new.flush *= 2).is_empty());
    let labelled = |name: &str| {
        let name = name.to_owned();
        move |new: &mut RemoteWriteSettings| drop(new.labels.insert(name.clone(), "new".to_owned()))
    };
    assert_eq!(farewell(&labelled("zone")).len(), 2);
    // The second sample has a label of that name itself, so its series stays what it was.
    let expected = ["a{instance=\"i-1\"} stale 1800000000010"];
    assert_eq!(farewell(&labelled("image")), expected);
}

#[test]
fn another_tenant_or_url_is_another_destination() {
    let destination =
        |settings: &RemoteWriteSettings| RemoteWrite::destination(settings, &identity()).unwrap();
    let old = settings("http://x/");
    let tenant = RemoteWriteSettings { tenant: Some("a".to_owned()), ..old.clone() };
    assert_ne!(destination(&old).receiver, destination(&tenant).receiver);
    assert_ne!(destination(&old).receiver, destination(&settings("http://y/")).receiver);
}
