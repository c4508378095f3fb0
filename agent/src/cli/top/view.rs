//! The host as lines of text: shares with a bar, and rates between two looks. Pure.

use super::reading::{Disk, Reading};
use crate::cli::paint::Paint;
use crate::status::render::plain;

/// How wide a bar is.
const BAR: usize = 20;

/// The modes that are named; what is missing is idle.
const MODES: [&str; 6] = ["user", "system", "iowait", "steal", "nice", "softirq"];

/// What stands above the tables of services and sinks.
pub(super) fn lines(before: Option<&Reading>, now: &Reading, paint: Paint) -> Vec<String> {
    let mut lines = vec![processors(before, now, paint)];
    let [total, available] = now.memory;
    let used = (total - available).max(0.0);
    let [swap, swap_free] = now.swap;
    let swapped = match swap > 0.0 {
        true => format!(", swap {} of {}", bytes((swap - swap_free).max(0.0)), bytes(swap)),
        false => String::new(),
    };
    let what = format!("{} of {}{swapped}", bytes(used), bytes(total));
    lines.push(line("memory", share(used, total), &what, paint));
    lines.push(traffic(before, now));
    for (mountpoint, disk) in &now.disks {
        lines.push(filesystem(mountpoint, disk, paint));
    }
    lines
}

fn processors(before: Option<&Reading>, now: &Reading, paint: Paint) -> String {
    let [one, five, fifteen] = now.load;
    let load = format!("load {one:.2} {five:.2} {fifteen:.2} on {}", now.processors);
    let grown = |mode: &str| {
        let read = |reading: &Reading| reading.modes.get(mode).copied().unwrap_or_default();
        before.map_or(0.0, |before| (read(now) - read(before)).max(0.0))
    };
    let total: f64 = now.modes.keys().map(|mode| grown(mode)).sum();
    if total <= 0.0 {
        return format!("{:<10}       {:BAR$}   {load}", "cpu", "");
    }
    let idle = grown("idle");
    let named: Vec<String> = MODES
        .iter()
        .map(|mode| (mode, 100.0 * grown(mode) / total))
        .filter(|(_, share)| *share >= 0.05)
        .map(|(mode, share)| format!("{mode} {share:.1}"))
        .collect();
    let mut what = vec![load];
    what.extend(named);
    line("cpu", share(total - idle, total), &what.join(", "), paint)
}

fn traffic(before: Option<&Reading>, now: &Reading) -> String {
    let Some((before, seconds)) =
        before.map(|before| (before, now.at - before.at)).filter(|(_, seconds)| *seconds > 0.0)
    else {
        return format!("{:<10}", "traffic");
    };
    let rate = |then: f64, now: f64| format!("{}/s", bytes((now - then).max(0.0) / seconds));
    format!(
        "{:<10} network in {}, out {}; disks read {}, written {}",
        "traffic",
        rate(before.network[0], now.network[0]),
        rate(before.network[1], now.network[1]),
        rate(before.requests[0], now.requests[0]),
        rate(before.requests[1], now.requests[1]),
    )
}

/// As `df` counts: what root keeps for itself is not there for others.
fn filesystem(mountpoint: &str, disk: &Disk, paint: Paint) -> String {
    let name = plain(mountpoint);
    if disk.hangs {
        return format!("{name:<10} {}", paint.red("does not answer"));
    }
    let used = (disk.size - disk.free).max(0.0);
    let inodes = match disk.files > 0.0 {
        true => format!(", inodes {:.0} %", share(disk.files - disk.files_free, disk.files)),
        false => String::new(),
    };
    let what = format!("{} of {}{inodes}", bytes(used), bytes(used + disk.available));
    line(&name, share(used, used + disk.available), &what, paint)
}

fn line(name: &str, share: f64, what: &str, paint: Paint) -> String {
    let full = ((share / 100.0) * BAR as f64).round() as usize;
    let bar = format!("{:<BAR$}", "|".repeat(full.min(BAR)));
    let bar = match share {
        share if share >= 90.0 => paint.red(&bar),
        share if share >= 75.0 => paint.yellow(&bar),
        _ => paint.green(&bar),
    };
    format!("{name:<10} {share:>5.1} [{bar}] {what}")
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (100.0 * part / whole).clamp(0.0, 100.0) } else { 0.0 }
}

/// Bytes with a unit, in powers of 1024 as `df -h` has them.
fn bytes(count: f64) -> String {
    let mut count = count;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if count < 1024.0 {
            return if unit == "B" {
                format!("{count:.0} B")
            } else {
                format!("{count:.1} {unit}")
            };
        }
        count /= 1024.0;
    }
    format!("{count:.1} TiB")
}

#[cfg(test)]
mod tests;
