//! What a receiver may do, and what becomes of the request: the one list, from which the
//! table in `config/metrics.md` is made. To add a case: a line of `ROWS`.

use super::answers::Deed::{
    self, Close, Endless, Garbage, Half, Hang, Partly, Reset, Stall, Status, Wish,
};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It counts as sent, after one try.
    Sent,
    /// It is given up after one try.
    Rejected,
    /// The same, but a half of it counts as sent.
    Halved,
    /// It is given up after one more try with secrets that were fetched anew.
    RejectedTwice,
    /// It is tried again until it may be tried no more.
    Expired,
    /// The same, each wait as long as the receiver wishes: a second.
    Patient,
}

pub(super) struct Row {
    receiver: &'static str,
    fate: &'static str,
    counted: &'static str,
    pub(super) deeds: &'static [Deed],
    pub(super) becomes: Fate,
}

pub(super) const ROWS: &[Row] = &[
    Row {
        receiver: "200 to 299, whatever its body is",
        fate: "delivered; the body is not read",
        counted: "`sent`",
        deeds: &[Status(200), Status(202), Status(204), Status(299), Endless(200), Stall(200)],
        becomes: Fate::Sent,
    },
    Row {
        receiver: "300 to 399",
        fate: "given up; a redirect is not followed, so nobody else sees secrets",
        counted: "`rejected`",
        deeds: &[Status(301), Status(302), Status(303), Status(304), Status(307), Status(308)],
        becomes: Fate::Rejected,
    },
    Row {
        receiver: "401, 403",
        fate: "sent once more with secrets or credentials that are fetched anew, at most once \
               a minute; then given up",
        counted: "`rejected`",
        deeds: &[Status(401), Status(403)],
        becomes: Fate::RejectedTwice,
    },
    Row {
        receiver: "429, 500 to 599",
        fate: "tried again after 1 s, 2 s, 4 s and so on up to 60 s, for an hour, in front of all \
               that is newer",
        counted: "`expired` after that hour",
        deeds: &[
            Status(429),
            Status(500),
            Status(501),
            Status(502),
            Status(503),
            Status(504),
            Status(507),
            Status(599),
        ],
        becomes: Fate::Expired,
    },
    Row {
        receiver: "429, 500 to 599 with `Retry-After` in seconds",
        fate: "tried again after that time at the earliest, of which at most 300 s count",
        counted: "`expired` after that hour",
        deeds: &[Wish(429), Wish(503)],
        becomes: Fate::Patient,
    },
    Row {
        receiver: "any other status, 400 and 408 and 425 among them",
        fate: "given up, as the specification asks",
        counted: "`rejected`",
        deeds: &[
            Status(400),
            Status(402),
            Status(404),
            Status(405),
            Status(406),
            Status(408),
            Status(409),
            Status(410),
            Status(411),
            Status(412),
            Status(413),
            Status(414),
            Status(415),
            Status(417),
            Status(421),
            Status(422),
            Status(425),
            Status(426),
            Status(431),
            Status(451),
            Status(600),
            Status(999),
        ],
        becomes: Fate::Rejected,
    },
    Row {
        receiver: "such a status with `X-Prometheus-Remote-Write-Samples-Written`",
        fate: "given up too",
        counted: "`sent` as far as the header says, else `rejected`",
        deeds: &[Partly(400), Partly(422)],
        becomes: Fate::Halved,
    },
    Row {
        receiver: "400 with a body that is slow or has no end",
        fate: "given up as for its status; of the body at most 2 KiB are read, for at most 1 s",
        counted: "`rejected`",
        deeds: &[Endless(400), Stall(400)],
        becomes: Fate::Rejected,
    },
    Row {
        receiver: "503 with a body that is slow or has no end",
        fate: "tried again as for its status",
        counted: "`expired` after an hour",
        deeds: &[Endless(503), Stall(503)],
        becomes: Fate::Expired,
    },
    Row {
        receiver: "no answer within `timeout`",
        fate: "tried again in the same way",
        counted: "`expired` after an hour",
        deeds: &[Hang],
        becomes: Fate::Expired,
    },
    Row {
        receiver: "a connection that is refused, closed or reset, or an answer that breaks off",
        fate: "tried again in the same way",
        counted: "`expired` after an hour",
        deeds: &[Close, Reset, Half],
        becomes: Fate::Expired,
    },
    Row {
        receiver: "an answer that is no HTTP",
        fate: "tried again in the same way",
        counted: "`expired` after an hour",
        deeds: &[Garbage],
        becomes: Fate::Expired,
    },
];

#[test]
fn the_documentation_has_this_table() {
    let mut table =
        "| the receiver answers | the request is | counted as |\n|---|---|---|\n".to_owned();
    for row in ROWS {
        table += &format!("| {} | {} | {} |\n", row.receiver, row.fate, row.counted);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.contains(&table), "config/metrics.md must have this table:\n{table}");
}
