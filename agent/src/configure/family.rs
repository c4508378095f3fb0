//! All processes that came from one. A process group is not enough: Ansible's
//! workers start sessions of their own, and their children outlive them. So a
//! process belongs to the family if it descends from the first one, is in its
//! process group, or carries the family's mark in its environment.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often the last members are looked for: one that forks while it is being
/// killed leaves a child that only the next look finds.
const ROUNDS: usize = 50;

/// One process as /proc shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    parent: i32,
    group: i32,
    /// Ticks since boot; tells a process from a later one with its number.
    started: u64,
    zombie: bool,
}

/// The family of one process.
#[derive(Debug)]
pub(crate) struct Family {
    leader: i32,
    mark: Vec<u8>,
    /// Members once seen: they stay members when their parents die.
    members: BTreeMap<i32, u64>,
}

impl Family {
    /// The environment variable that holds the mark.
    pub(crate) const VARIABLE: &str = "GILD_STEP_ID";

    /// The family of the process `leader`, whose environment has `mark`.
    pub(crate) fn new(leader: Option<u32>, mark: &str) -> Self {
        let leader = leader.and_then(|id| i32::try_from(id).ok()).unwrap_or(-1);
        let mark = format!("{}={mark}", Self::VARIABLE).into_bytes();
        Self { leader, mark, members: BTreeMap::new() }
    }

    /// Asks every member to end.
    pub(crate) fn terminate(&mut self) {
        for id in self.alive() {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }

    /// Whether any member is left.
    pub(crate) fn is_alive(&mut self) -> bool {
        !self.alive().is_empty()
    }

    /// Ends every member.
    pub(crate) async fn kill(&mut self) {
        for _ in 0..ROUNDS {
            let alive = self.alive();
            if alive.is_empty() {
                return;
            }
            for id in alive {
                let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tracing::warn!("some processes of the step cannot be killed");
    }

    /// The members that have not ended, after a fresh look.
    fn alive(&mut self) -> Vec<i32> {
        let table = processes();
        let members = find(&table, self.leader, &self.members, |id| self.is_marked(id));
        self.members = members.into_iter().map(|(id, entry)| (id, entry.started)).collect();
        self.members
            .keys()
            .copied()
            .filter(|id| table.get(id).is_some_and(|entry| !entry.zombie))
            .collect()
    }

    fn is_marked(&self, id: i32) -> bool {
        fs::read(format!("/proc/{id}/environ"))
            .is_ok_and(|text| text.split(|byte| *byte == 0).any(|entry| entry == self.mark))
    }
}

/// The members among all processes.
fn find(
    table: &BTreeMap<i32, Entry>,
    leader: i32,
    known: &BTreeMap<i32, u64>,
    is_marked: impl Fn(i32) -> bool,
) -> BTreeMap<i32, Entry> {
    let mut members: BTreeMap<i32, Entry> = table
        .iter()
        .filter(|(id, entry)| {
            known.get(id) == Some(&entry.started) || entry.group == leader || is_marked(**id)
        })
        .map(|(id, entry)| (*id, *entry))
        .collect();
    // Children of members, until no look finds more.
    loop {
        let before = members.len();
        for (id, entry) in table {
            if members.contains_key(&entry.parent) {
                members.insert(*id, *entry);
            }
        }
        if members.len() == before {
            return members;
        }
    }
}

/// All processes of the host. One that ends while it is looked at is left out.
fn processes() -> BTreeMap<i32, Entry> {
    let Ok(directory) = fs::read_dir("/proc") else { return BTreeMap::new() };
    directory
        .flatten()
        .filter_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((id, parse(&stat)?))
        })
        .collect()
}

/// What /proc/PID/stat says. The name in it may hold anything, so the fields
/// are counted from its last bracket.
fn parse(stat: &str) -> Option<Entry> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Entry {
        zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry(parent: i32, group: i32, started: u64) -> Entry {
        Entry { parent, group, started, zombie: false }
    }

    #[test]
    fn a_name_with_brackets_and_spaces_is_no_trouble() {
        let stat = "7 (a) Z 1 (b) S 3 5 5 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        assert_eq!(parse(stat).unwrap(), entry(3, 5, 4242));
        assert_eq!(parse("7 (a"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn descent_group_mark_and_memory_make_a_member() {
        let table = BTreeMap::from([
            (1, entry(0, 1, 1)),
            (10, entry(1, 10, 5)),
            (11, entry(10, 11, 6)), // a worker with a session of its own
            (12, entry(11, 11, 7)), // its child
            (13, entry(1, 10, 8)),  // an orphan in the group
            (14, entry(1, 14, 9)),  // an orphan with the mark
            (15, entry(1, 15, 9)),  // an orphan seen before
            (16, entry(1, 16, 99)), // another process under a number seen before
            (20, entry(1, 20, 9)),  // a stranger
        ]);
        let known = BTreeMap::from([(15, 9), (16, 9)]);
        let members = find(&table, 10, &known, |id| id == 14);
        assert_eq!(members.into_keys().collect::<Vec<_>>(), [10, 11, 12, 13, 14, 15]);
    }
}
