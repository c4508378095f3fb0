//! What is taken of ticks, and what cannot work.

use super::*;

fn taken(sink: &mut Otlp, tick: &Arc<Tick>) -> (usize, BTreeMap<&'static str, u64>) {
    let mut drops = Drops::default();
    let mut requests = sink.take(tick, &mut drops);
    requests.extend(sink.flush(true, &mut drops));
    (requests.iter().map(|request| request.measurements).sum(), drops.by_reason())
}

#[test]
fn one_tick_in_each_span_is_taken_and_the_others_are_no_loss() {
    let mut sink = sink(|_| {});
    let mut at = |second| taken(&mut sink, &tick(second, vec![gauge("x")]));
    for (second, points) in [(0, 1), (10, 0), (58, 0), (59, 1), (110, 0), (120, 1), (4000, 1)] {
        assert_eq!(at(second), (points, BTreeMap::new()), "{second}");
    }
}

#[test]
fn with_a_short_resolution_every_tick_is_taken_though_its_time_wavers() {
    let mut sink = sink(|settings| settings.resolution = Duration::from_secs(10));
    let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    for ms in [0, 10_000, 19_700, 30_200, 39_500] {
        let tick = Tick::new(begin + Duration::from_millis(ms), vec![gauge("x")]);
        assert_eq!(taken(&mut sink, &Arc::new(tick)).0, 1, "{ms}");
    }
}

#[test]
fn a_clock_that_is_wrong_or_goes_back_a_little_costs_the_tick() {
    let mut sink = sink(|_| {});
    let unset = Arc::new(Tick::new(SystemTime::UNIX_EPOCH, vec![gauge("x")]));
    assert_eq!(taken(&mut sink, &unset), (0, [("clock", 1)].into()));
    assert_eq!(taken(&mut sink, &tick(100, vec![gauge("x")])).0, 1);
    assert_eq!(taken(&mut sink, &tick(100, vec![gauge("x")])), (0, [("order", 1)].into()));
    // One that was set back by an hour does not silence the sink for an hour.
    let mut earlier = Sink::take(&mut sink, &tick(40, vec![gauge("x")]), &mut Drops::default());
    earlier.extend(sink.flush(true, &mut Drops::default()));
    assert_eq!(earlier.len(), 1);
}

#[test]
fn only_what_is_asked_for_and_sound_is_taken() {
    let mut sink = sink(|settings| {
        settings.include = ["node_*", "up"].map(str::to_owned).to_vec();
        settings.exclude = vec!["node_secret*".to_owned()];
        settings.max_series = 4;
    });
    let label = |name, value: &str| crate::metrics::sample::label(name, value);
    let long = "v".repeat(17_000);
    let samples = vec![
        gauge("node_a"),
        gauge("up"),
        gauge("other"),
        gauge("node_secrets"),
        Sample::gauge("node_nan", vec![], f64::NAN),
        Sample::gauge("node_inf", vec![], f64::INFINITY),
        Sample::gauge("node_below", vec![], -1.0),
        Sample::counter("node_below_total", vec![], -1.0),
        Sample::gauge("node_twice", vec![label("a", "1"), label("a", "2")], 1.0),
        Sample::gauge("node_empty", vec![label("", "1")], 1.0),
        Sample::gauge("node_long", vec![label("a", &long)], 1.0),
        gauge("node_a"),
        gauge("node_b"),
        gauge("node_c"),
    ];
    let expected = [("invalid", 7), ("over_budget", 1)].into();
    assert_eq!(taken(&mut sink, &tick(0, samples)), (4, expected));
}

#[test]
fn requests_end_at_the_most_points_and_at_the_most_bytes() {
    let many = |count: usize, value: &str| {
        let sample = |index: usize| {
            let labels = vec![
                crate::metrics::sample::label("n", index.to_string()),
                crate::metrics::sample::label("v", value),
            ];
            Sample::gauge("node_x", labels, 1.0)
        };
        tick(0, (0..count).map(sample).collect())
    };
    for (count, value, expected) in [
        (2000, String::new(), vec![1000, 1000]),
        (1001, String::new(), vec![1000, 1]),
        (150, "v".repeat(10_000), vec![98, 52]),
    ] {
        let mut sink = sink(|_| {});
        let mut drops = Drops::default();
        let mut requests = sink.take(&many(count, &value), &mut drops);
        requests.extend(sink.flush(false, &mut drops));
        let sizes: Vec<_> = requests.iter().map(|request| request.measurements).collect();
        assert_eq!(sizes, expected);
        for request in &requests {
            assert!(encode::request(&sink.resource, &request.payload).len() <= 1_000_000);
        }
    }
}

#[test]
fn a_request_is_halved_until_one_point_is_left_which_is_then_left_out() {
    let mut sink = sink(|_| {});
    let names = ["node_a", "node_b", "node_c"];
    sink.take(&tick(0, names.map(gauge).to_vec()), &mut Drops::default());
    let request = sink.flush(true, &mut Drops::default()).remove(0);
    let [first, second] = sink.halves(&request.payload).unwrap();
    assert_eq!((first.measurements, second.measurements), (1, 2));
    assert!(sink.halves(&first.payload).is_none());
    sink.leave_out(first.payload);
    let after = taken(&mut sink, &tick(60, names.map(gauge).to_vec()));
    assert_eq!(after, (2, [("rejected", 1)].into()));
}

#[test]
fn what_cannot_work_is_refused_when_the_sink_is_set_up() {
    let reference = |name: &str| SecretRef::Ssm(name.to_owned());
    let refused = |change: &dyn Fn(&mut OtlpSettings)| {
        let mut settings = settings("http://x/v1/metrics");
        change(&mut settings);
        build(&settings).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refused(&|_| {}), "");
    let url = |text: &str| OtlpUrl::parse(text).unwrap();
    assert_eq!(refused(&|s| s.url = url("https://m.{region}.x/v1")), "");
    assert!(refused(&|s| s.url = url("https://m.{account}.x/v1")).starts_with("'url' must be"));
    let basic = refused(&|s| s.auth = OtlpAuth::Basic);
    assert!(basic.starts_with("'username' must be given where"), "{basic}");
    assert!(refused(&|s| s.username = Some("me".to_owned())).starts_with("'username' must be"));
    assert!(
        refused(&|s| s.password = Some(reference("/s"))).starts_with("'password' must be left")
    );
    assert!(refused(&|s| s.auth = OtlpAuth::Bearer).starts_with("'bearer' must be given"));
    let bearer = |name: &'static str| {
        move |s: &mut OtlpSettings| {
            (s.auth, s.bearer) = (OtlpAuth::Bearer, Some(SecretRef::Ssm(name.to_owned())));
        }
    };
    assert_eq!(refused(&bearer("/s")), "");
    assert!(refused(&bearer("/lines")).starts_with("'bearer' must be a token"));
    assert!(refused(&bearer("/other")).contains("ssm:/other"));
    assert_eq!(refused(&|s| s.auth = OtlpAuth::SigV4), BuildError::NoAws.to_string());
    let header = |name: &'static str, secret: &'static str| {
        move |s: &mut OtlpSettings| {
            s.headers = [(name.to_owned(), SecretRef::Ssm(secret.to_owned()))].into();
        }
    };
    assert_eq!(refused(&header("X-Scope-OrgID", "/s")), "");
    assert!(refused(&header("Content-Type", "/s")).contains("gild sets this header"));
    assert!(refused(&header("a b", "/s")).starts_with("'headers.a b' must be named"));
    assert!(refused(&header("x", "/lines")).starts_with("'headers.x' must be a text"));
    let long = |s: &mut OtlpSettings| drop(s.resource.insert("a".to_owned(), "v".repeat(17_000)));
    assert!(refused(&long).starts_with("'resource' must be at most"));
    assert!(OtlpUrl::parse("https://me:hush@x/").is_none() && OtlpUrl::parse("x").is_none());
}
