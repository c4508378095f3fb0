//! An inventory as Markdown, for a page or a message.

use super::text::{COLUMNS, at_least, parts, plain, title, usd};
use super::{Difference, Inventory, Sums};

/// All of it.
pub fn markdown(found: &Inventory, differences: &[Difference]) -> String {
    let mut out = format!("## {}\n\n| service |", escaped(&title(found)));
    for (name, _) in COLUMNS {
        out += &format!(" {name} |");
    }
    out += &format!("\n|---|{}\n", "---:|".repeat(COLUMNS.len()));
    let row = |name: &str, sums: &Sums| {
        let cells: String = COLUMNS.iter().map(|(_, cell)| format!(" {} |", cell(sums))).collect();
        format!("| {name} |{cells}\n")
    };
    for (name, sums) in &found.services {
        out += &row(&escaped(&plain(name)), sums);
    }
    out += &row("**total**", &found.total);
    out += &format!("\nA month: {}${}", at_least(found), usd(found.total.usd()));
    let parts = parts(&found.total).map(|(name, amount)| format!("{name} ${}", usd(amount)));
    out += &format!(" ({}).\n", parts.join(", "));
    let unknown = found.unknown.iter().map(|it| format!("not known: {it}"));
    let changed = differences.iter().map(|it| format!("since the last run: {it}"));
    for line in unknown.chain(found.notes.iter().cloned()).chain(changed) {
        out += &format!("- {}\n", escaped(&plain(&line)));
    }
    let sources: Vec<_> = found.prices_sources.iter().map(String::as_str).collect();
    out += &format!("\nPrices of {}: {}\n", found.prices_date, sources.join(", "));
    out
}

/// What Markdown and HTML in it would read as their own.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}
