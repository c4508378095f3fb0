//! A plan as text.

use std::fmt;

use super::Plan;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => writeln!(f, "{} in {} of {}", self.verb, place.region, place.account)?,
            None => writeln!(f, "{}", self.verb)?,
        }
        if let Some(why) = &self.refused {
            return writeln!(f, "  no plan: {why}");
        }
        let mut rows = Vec::new();
        for step in &self.steps {
            let cost = step.monthly_usd.map(|usd| format!("${usd:.2}")).unwrap_or_default();
            let action = &step.action;
            rows.push([
                action.verb().to_owned(),
                action.object(),
                step.name.clone(),
                cost,
                step.why.clone(),
            ]);
        }
        for kept in &self.kept {
            rows.push([
                "keep".to_owned(),
                kept.object.clone(),
                kept.name.clone(),
                String::new(),
                kept.why.clone(),
            ]);
        }
        write_table(f, &rows)?;
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        let costs: Vec<_> = self.steps.iter().filter_map(|step| step.monthly_usd).collect();
        write!(f, "  {} to do, {} kept", self.steps.len(), self.kept.len())?;
        if !costs.is_empty() {
            write!(f, "; ${:.2} a month less", costs.iter().sum::<f64>())?;
        }
        writeln!(f)
    }
}

/// Columns as wide as their widest cell, the empty ones left out, the last as long as it is.
pub(crate) fn write_table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: &[[String; N]],
) -> fmt::Result {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    for row in rows {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
            line.push_str(&format!(
                " {}{}",
                line_of(cell),
                " ".repeat(width - cell.chars().count())
            ));
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Names and tags are others' texts: what would move a terminal's cursor is not shown.
fn line_of(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
