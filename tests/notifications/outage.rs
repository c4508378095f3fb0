//! Receivers that are down while a boot ends. That they are told later, once, is shown with
//! five minutes of outage beside the courier.

use super::*;

const STEP: &str = "[configuration]\nexec = [\"/step\"]\n";

/// How long a boot took by its own word.
fn took(report: &Value) -> Duration {
    let at = |key: &str| humantime::parse_rfc3339(report[key].as_str().unwrap()).unwrap();
    at("ended_at").duration_since(at("started_at")).unwrap()
}

#[test]
fn what_comes_of_a_boot_and_how_long_it_took_do_not_depend_on_receivers() {
    let (chat, topic) = (Closed::new(), Closed::new());
    let mut host = Host::new(&format!(
        "{STEP}[notify.deploy]\ntype = \"discord\"\nurl = \"http://{}{}\"\n\
         [notify.topic]\ntype = \"sns\"\ntopic = \"boots\"\n",
        chat.address(),
        path("deploy")
    ));
    host.program("step", "#!/bin/sh\nexit 0\n");
    host.environment = vec![
        ("AWS_ENDPOINT_URL_SNS", format!("http://{}", topic.address())),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    let begun = Instant::now();
    let (code, report) = host.configure(&[]);
    assert_eq!((code, &report["outcome"]), (Some(0), &"ready".into()), "{report:#}");
    assert!(report["problems"].as_array().unwrap().is_empty(), "{report:#}");
    assert!(took(&report) < Duration::from_secs(5), "{:?}", took(&report));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let to = &spooled(&host)[0]["to"];
    let fates = ["deploy", "topic"].map(|name| to[name]["fate"].as_str().unwrap());
    assert_eq!(fates, ["waiting", "waiting"]);
    let duration = spooled(&host)[0]["message"]["duration_ms"].as_f64().unwrap();
    assert!(duration < 5000.0, "{duration}");
}
