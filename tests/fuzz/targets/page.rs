//! A page of metrics, as others serve it and as files hold it.
#![no_main]

use gild::metrics::collector::labels::Labels;
use gild::metrics::openmetrics;
use gild::metrics::page::{Page, PageError, Reader, Rules};
use gild::metrics::sample::label;

fn read<'a>(rules: &Rules, pieces: impl Iterator<Item = &'a [u8]>) -> Result<Page, PageError> {
    let mut words = Labels::default();
    let mut reader = Reader::new(rules, &mut words);
    for piece in pieces {
        reader.read(piece)?;
    }
    reader.finish()
}

fn lines(page: &Page) -> String {
    page.samples.iter().map(|sample| openmetrics::line(sample) + "\n").collect()
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let rules = Rules { include: vec!["*".to_owned()], most_samples: 200, ..Rules::default() };
    let whole = read(&rules, std::iter::once(bytes));
    // The first byte says how large the pieces are.
    let size = usize::from(bytes.first().copied().unwrap_or_default()).max(1);
    let pieces = read(&rules, bytes.chunks(size));
    assert_eq!(whole.as_ref().map(lines), pieces.as_ref().map(lines), "in pieces of {size}");
    let Ok(page) = whole else { return };
    assert!(page.samples.len() + page.refused <= page.found);
    // What is made of a page is a page with the same series.
    let text = lines(&page);
    let again = read(&rules, std::iter::once(text.as_bytes())).expect("it is in the format");
    assert_eq!(lines(&again), text);
    gild_fuzz::proc::deliver(page.samples);
    let labels = vec![label("job", "x"), label("b", "y")];
    let labelled = Rules { labels, kept_free: &["instance"], untimed: true, ..rules };
    if let Ok(page) = read(&labelled, std::iter::once(bytes)) {
        gild_fuzz::proc::deliver(page.samples);
    }
});
