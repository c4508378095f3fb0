#![allow(clippy::unwrap_used)]
use super::*;
use crate::metrics::openmetrics;
use crate::metrics::sample::label;

fn rules() -> Rules {
    Rules { include: vec!["*".to_owned()], most_samples: 100, ..Rules::default() }
}

fn read(rules: &Rules, page: &str) -> Result<Page, PageError> {
    let mut words = Labels::default();
    let mut reader = Reader::new(rules, &mut words);
    reader.read(page.as_bytes())?;
    reader.finish()
}

fn lines(page: &Page) -> Vec<String> {
    page.samples.iter().map(openmetrics::line).collect()
}

const PAGE: &str = "\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000

# TYPE took histogram
took_bucket{le=\"0.5\"} 1
took_bucket{le=\"+Inf\"} 2
took_sum 0.75
took_count 2
# TYPE rpc summary
rpc{quantile=\"0.5\"} 4773
rpc_sum 1.7560473e+07
rpc_count 2693
other_count 3
msdos_file_access{path=\"C:\\\\DIR\\\\\\\"x\\\"\\n\"} NaN
";

#[test]
fn a_page_is_the_same_in_whatever_pieces_it_comes() {
    let rules = rules();
    let whole = read(&rules, PAGE).unwrap();
    assert_eq!(whole.found, 10);
    for size in [1, 2, 3, 7, 50, 1000] {
        let mut words = Labels::default();
        let mut reader = Reader::new(&rules, &mut words);
        PAGE.as_bytes().chunks(size).for_each(|piece| reader.read(piece).unwrap());
        assert_eq!(lines(&reader.finish().unwrap()), lines(&whole), "{size}");
    }
}

#[test]
fn what_only_grows_is_a_counter_and_labels_are_sorted() {
    let page = read(&rules(), PAGE).unwrap();
    let grows = page.samples.iter().filter(|sample| sample.kind == Kind::Counter);
    let mut grows: Vec<_> = grows.map(|sample| &*sample.name).collect();
    grows.dedup();
    let expected =
        ["http_requests_total", "took_bucket", "took_sum", "took_count", "rpc_sum", "rpc_count"];
    assert_eq!(grows, expected);
    assert_eq!(lines(&page)[0], "http_requests_total{code=\"200\",method=\"post\"} 1027");
    let last = "msdos_file_access{path=\"C:\\\\DIR\\\\\\\"x\\\"\\n\"} NaN";
    assert_eq!(lines(&page).last().unwrap(), last);
}

#[test]
fn a_page_is_filtered_labelled_and_kept_from_names_of_gilds_own() {
    let rules = Rules {
        exclude: vec!["go_*".to_owned()],
        labels: vec![label("job", "redis"), label("team", "core")],
        kept_free: &["instance"],
        most_samples: 2,
        ..rules()
    };
    let page = "go_x 1\nnode_load1 2\nnode_memory_x 3\nup 4\nservice_uptime_seconds 5\n\
                redis{job=\"a\",instance=\"b\",team=\"\"} 6\n";
    let page = read(&rules, page).unwrap();
    assert_eq!((page.found, page.refused), (6, 3));
    let expected = [
        "service_uptime_seconds{job=\"redis\",team=\"core\"} 5",
        "redis{exported_instance=\"b\",exported_job=\"a\",job=\"redis\",team=\"core\"} 6",
    ];
    assert_eq!(lines(&page), expected);
    let more = read(&rules, "a 1\nb 1\nc 1\n").unwrap_err();
    assert_eq!(more, PageError::Samples(2));
}

#[test]
fn a_page_that_is_not_right_is_refused_with_the_number_of_the_line() {
    let refused = |page: &str| match read(&rules(), page) {
        Err(PageError::Line { line, .. }) => line,
        other => panic!("{page}: {other:?}"),
    };
    assert_eq!(refused("a 1\n<html>\n"), 2);
    assert_eq!(refused("a 1\n\na 2\n"), 3);
    assert_eq!(refused("a{b=\"\"} 1\na 2\n"), 2);
    assert_eq!(refused("a{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 1\n"), 2);
    assert_eq!(refused("# TYPE a gauge\n# TYPE a gauge\n"), 2);
    assert_eq!(refused("a 1\n# TYPE a gauge\n"), 2);
    assert_eq!(read(&rules(), "a 1\nb 1").unwrap_err(), PageError::Unfinished);
    assert_eq!(read(&rules(), "").unwrap().found, 0);
    let (rules, mut words) = (rules(), Labels::default());
    assert!(matches!(
        Reader::new(&rules, &mut words).read(b"a\xff 1\n"),
        Err(PageError::Line { line: 1, .. })
    ));
}

#[test]
fn a_line_without_end_takes_no_more_memory_than_a_line_may() {
    let rules = rules();
    let mut words = Labels::default();
    let mut reader = Reader::new(&rules, &mut words);
    let endless = std::iter::repeat_n([b'x'; 1000], 1000);
    let fed = endless.map(|piece| reader.read(&piece)).take_while(Result::is_ok).count();
    assert_eq!(fed, LONGEST_LINE / 1000);
    assert!(reader.begun.capacity() <= 2 * LONGEST_LINE);
    let long = format!("a{{b=\"{}\"}} 1\n", "x".repeat(LONGEST_LINE));
    assert!(read(&rules, &long).is_err(), "in one piece");
}

#[test]
fn a_time_is_passed_over_or_refused() {
    let untimed = Rules { untimed: true, ..rules() };
    assert!(read(&untimed, "a 1\n").is_ok());
    assert!(read(&untimed, "a 1 1395066363000\n").is_err());
}
