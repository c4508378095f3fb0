//! Pages of the metadata service about what is coming. What is made of one is one
//! line, and small.

use gild::lifecycle::notice;
use gild::lifecycle::request::DrainRequest;

/// The longest line that an event may come to.
const LONGEST: usize = 1000;

/// One page, as each of those that are asked for.
pub fn page(page: &str) {
    for event in notice::events(page).unwrap_or_default() {
        let line = event.to_string();
        assert!(line.chars().count() <= LONGEST, "an event is short");
        assert!(!line.contains(char::is_control), "an event is one line");
    }
    let notices = notice::Notices {
        spot: notice::spot(page),
        rebalance: notice::rebalance(page),
        target_state: notice::target_state(page),
        ..notice::Notices::default()
    };
    if let Some(request) = DrainRequest::of(&notices) {
        assert_eq!(request.until.is_some(), notices.spot.is_some(), "a notice has a time");
    }
    let written = serde_json::to_vec(&notices).expect("notices can be written");
    assert_eq!(serde_json::from_slice::<notice::Notices>(&written).ok(), Some(notices));
}
