//! An inventory as text.

use super::{Difference, Inventory, Sums};

/// A column: what stands above it, and how it is written.
type Column = (&'static str, fn(&Sums) -> String);

/// The columns.
pub(super) const COLUMNS: [Column; 8] = [
    ("servers", |sums| sums.servers.to_string()),
    ("spot", |sums| sums.spot.to_string()),
    ("vCPU", |sums| sums.vcpus.to_string()),
    ("memory GiB", |sums| gib(sums.memory_gib)),
    ("disk GiB", |sums| sums.disk_gib.to_string()),
    ("images", |sums| sums.images.to_string()),
    ("snapshots GiB", |sums| sums.snapshot_gib.to_string()),
    ("USD a month", |sums| usd(sums.usd())),
];

/// What a month costs, by what it is for.
pub(super) fn parts(sums: &Sums) -> [(&'static str, f64); 4] {
    [
        ("instances", sums.instances_usd),
        ("volumes", sums.volumes_usd),
        ("snapshots, at most", sums.snapshots_usd),
        ("metrics", sums.metrics_usd),
    ]
}

/// Dollars.
pub(super) fn usd(amount: f64) -> String {
    format!("{amount:.2}")
}

/// GiB, which may be halves.
pub(super) fn gib(amount: f64) -> String {
    let text = format!("{amount:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// What an inventory is of.
pub(super) fn title(found: &Inventory) -> String {
    let tags = found.environment.iter().map(|(key, value)| format!("{key}={value} "));
    let which: String = tags.collect();
    plain(&format!("{which}in {} of {}", found.region, found.account))
}

/// Names and tags are others' texts: what would move a terminal's cursor is not shown.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// How a sum is told where something is not known.
pub(super) fn at_least(found: &Inventory) -> &'static str {
    if found.unknown.is_empty() { "" } else { "at least " }
}

/// All of it, for people.
pub fn text(found: &Inventory, differences: &[Difference]) -> String {
    let mut rows = vec![
        std::iter::once("service".to_owned())
            .chain(COLUMNS.iter().map(|(name, _)| (*name).to_owned()))
            .collect::<Vec<_>>(),
    ];
    let row = |name: &str, sums: &Sums| {
        std::iter::once(plain(name)).chain(COLUMNS.iter().map(|(_, cell)| cell(sums))).collect()
    };
    rows.extend(found.services.iter().map(|(name, sums)| row(name, sums)));
    rows.push(row("total", &found.total));
    let mut out = format!("{}\n\n", title(found));
    for cells in &rows {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let widths = rows.iter().map(|row| row[column].chars().count());
            let width = widths.max().unwrap_or_default();
            line += &match column {
                0 => format!("{cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        out += &format!("{}\n", line.trim_end());
    }
    out += &format!("\na month: {}${}", at_least(found), usd(found.total.usd()));
    let parts = parts(&found.total).map(|(name, amount)| format!("{name} ${}", usd(amount)));
    out += &format!(" ({})\n", parts.join(", "));
    for unknown in &found.unknown {
        out += &format!("not known: {}\n", plain(unknown));
    }
    for note in &found.notes {
        out += &format!("note: {note}\n");
    }
    for difference in differences {
        out += &format!("since the last run: {}\n", plain(&difference.to_string()));
    }
    let sources: Vec<_> = found.prices_sources.iter().map(String::as_str).collect();
    out += &format!("prices of {}: {}\n", found.prices_date, sources.join(", "));
    out
}
