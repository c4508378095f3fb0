//! What single settings come to.

use super::*;
use crate::metrics::sink::SinkSettings;
use crate::metrics::sink::cloudwatch::CloudWatchSettings;

/// The CloudWatch sink of an import, and its list.
fn sink(reader: Reader, text: &str) -> (CloudWatchSettings, Vec<String>) {
    let Import { config, rows } = reader(&[("x".to_owned(), text.into())]).unwrap();
    let rows = rows.iter().map(ToString::to_string).collect();
    match settings(&config).sink.remove("cloudwatch") {
        Some(SinkSettings::CloudWatch(sink)) => (sink, rows),
        other => panic!("{other:?}: {config}"),
    }
}

fn include(reader: Reader, text: &str) -> Vec<String> {
    sink(reader, text).0.include.unwrap()
}

const TELEGRAF: Reader = telegraf::import;
const AGENT: Reader = cloudwatch_agent::import;

#[test]
fn processors_are_single_ones_or_all_together_as_before() {
    for (flags, expected, count) in [
        ("", "cpu_usage_idle", 5),
        ("percpu = false", "cpu_usage_idle{cpu=cpu-total}", 1),
        ("totalcpu = false", "cpu_usage_idle{cpu!=cpu-total}", 4),
    ] {
        let text = format!("[[inputs.cpu]]\nfieldpass = ['usage_idle']\n{flags}\n");
        let (sink, _) = sink(TELEGRAF, &text);
        assert_eq!(sink.include.unwrap(), [expected], "{flags}");
        assert_eq!(sink.max_metrics, count);
    }
    for (flags, expected) in [
        ("", "cpu_usage_idle{cpu=cpu-total}"),
        ("\"resources\": [\"*\"],", "cpu_usage_idle{cpu=*}"),
        ("\"resources\": [\"*\"], \"totalcpu\": false,", "cpu_usage_idle{cpu!=cpu-total}"),
    ] {
        let text = format!(
            "{{\"metrics\": {{\"metrics_collected\": {{\"cpu\": {{{flags} \
             \"measurement\": [\"usage_idle\"]}}}}}}}}"
        );
        assert_eq!(include(AGENT, &text), [expected]);
    }
}

#[test]
fn filters_of_inputs_and_outputs_hold_together() {
    let text = "[[inputs.disk]]\nfieldpass = ['*used*']\nfielddrop = ['inodes_*', 'used']\n\
                [inputs.disk.tagpass]\npath = ['/', '/data*']\n[inputs.disk.tagdrop]\n\
                fstype = ['vfat']\n[[inputs.mem]]\n[[outputs.cloudwatch]]\nnamespace = 'X'\n\
                namedrop = ['m?m']\n";
    let expected =
        ["disk_used_percent{path=/,fstype!=vfat}", "disk_used_percent{path=/data*,fstype!=vfat}"];
    assert_eq!(include(TELEGRAF, text), expected);
}

#[test]
fn what_a_filter_cannot_say_in_gild_is_listed_and_all_is_sent() {
    let text =
        "[[inputs.swap]]\nfieldpass = ['in', 'used_[a-z]*']\n[inputs.swap.tagpass]\nx = ['y']\n";
    let (sink, rows) = sink(TELEGRAF, text);
    assert_eq!(sink.include.unwrap().len(), 6);
    for key in ["fieldpass", "tagpass.x"] {
        assert!(rows.iter().any(|row| row.contains(key)), "{rows:?}");
    }
}

#[test]
fn dimensions_are_the_host_and_the_tags() {
    let of = |text: &str| {
        let text = format!("{text}\n[[inputs.swap]]\n");
        let dimensions = sink(TELEGRAF, &text).0.dimensions.unwrap();
        dimensions.into_iter().map(|(name, value)| [name, value].join("=")).collect::<Vec<_>>()
    };
    assert_eq!(of(""), ["host={kernel_hostname}"]);
    assert_eq!(of("[agent]\nhostname = 'a'\n[global_tags]\nb = 'c'"), ["b=c", "host=a"]);
    assert_eq!(of("[agent]\nomit_hostname = true"), [""; 0]);
    assert_eq!(of("[global_tags]\nempty = ''"), ["host={kernel_hostname}"]);
}

#[test]
fn without_cloudwatch_what_inputs_leave_out_is_listed() {
    let text = "[[inputs.mem]]\nfieldpass = ['used']\n[[outputs.http]]\n\
                url = 'https://m.example/push'\ndata_format = 'prometheusremotewrite'\n";
    let Import { config, rows } = TELEGRAF(&[("x".to_owned(), text.into())]).unwrap();
    assert_eq!(settings(&config).sink.keys().collect::<Vec<_>>(), ["remote-write"]);
    assert!(rows.iter().any(|row| row.key == "fieldpass" && row.matters), "{rows:?}");
}

#[test]
fn a_url_that_is_not_known_is_a_place_that_cannot_be() {
    let text = "[[outputs.http]]\nurl = '${URL}'\ndata_format = 'prometheusremotewrite'\n";
    let Import { config, rows } = TELEGRAF(&[("x".to_owned(), text.into())]).unwrap();
    assert!(config.contains("https://change-me.invalid/"), "{config}");
    assert!(rows.iter().any(|row| row.key == "url" && row.value.as_deref() == Some("\"${URL}\"")));
}

#[test]
fn an_agent_that_measures_often_sends_in_high_resolution() {
    let text = |interval: u32| {
        format!(
            "{{\"agent\": {{\"metrics_collection_interval\": {interval}}}, \"metrics\": \
             {{\"metrics_collected\": {{\"mem\": {{\"measurement\": [\"used_percent\"]}}}}}}}}"
        )
    };
    assert_eq!(sink(AGENT, &text(10)).0.high_resolution, ["mem_used_percent"]);
    assert!(sink(AGENT, &text(60)).0.high_resolution.is_empty());
    let dimensions = sink(AGENT, &text(60)).0.dimensions.unwrap();
    assert_eq!(dimensions, [("host".to_owned(), "{kernel_hostname}".to_owned())].into());
}

#[test]
fn more_than_one_host_should_have_is_refused_and_listed() {
    let url = |port: usize| format!("[[inputs.net_response]]\naddress = 'localhost:{port}'\n");
    let services: String = (1..=300).map(url).collect();
    let mount = |place: usize| format!("'/{place}'");
    let mounts = (0..500).map(mount).collect::<Vec<_>>().join(",");
    let text = format!("{services}[[inputs.disk]]\nmount_points = [{mounts}]\n[[inputs.mem]]\n");
    let Import { config, rows } = TELEGRAF(&[("x".to_owned(), text.into())]).unwrap();
    let settings = settings(&config);
    assert!(settings.service.len() <= 200);
    let many = rows.iter().filter(|row| row.advice.contains("1000 names")).count();
    assert!(many >= 101, "{many}");
}
