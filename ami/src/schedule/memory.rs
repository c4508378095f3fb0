//! The sizes that a group has when it is up, remembered in its own tags: what turns a group down
//! must not be all that knows what it was.

use crate::fleet::schedules::Sizes;
use crate::fleet::{Tags, tag};

/// Which of the sizes is meant.
type Size = fn(&mut Sizes) -> &mut u32;

/// The tags, each with the size it is of.
const TAGS: [(&str, Size); 3] = [
    (tag::SCHEDULE_MIN, |sizes| &mut sizes.min),
    (tag::SCHEDULE_DESIRED, |sizes| &mut sizes.desired),
    (tag::SCHEDULE_MAX, |sizes| &mut sizes.max),
];

/// The most instances that a remembered size may be of.
const MOST: u32 = 100_000;

/// What a group remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Nothing.
    None,
    /// The sizes it has when it is up.
    Sizes(Sizes),
    /// Something that such sizes cannot be.
    Unclear,
}

/// What a group's tags remember.
pub(super) fn of(tags: &Tags) -> Memory {
    let mut sizes = Sizes::NONE;
    let mut found = 0;
    for (key, size) in TAGS {
        let Some(text) = tags.get(key) else { continue };
        let are_digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let Some(number) = text.parse().ok().filter(|it| are_digits && *it <= MOST) else {
            return Memory::Unclear;
        };
        *size(&mut sizes) = number;
        found += 1;
    }
    match found {
        0 => Memory::None,
        3 if sizes.are_up() => Memory::Sizes(sizes),
        _ => Memory::Unclear,
    }
}

/// The tags that remember these sizes.
pub(super) fn tags(mut sizes: Sizes) -> Tags {
    TAGS.iter().map(|(key, size)| ((*key).to_owned(), size(&mut sizes).to_string())).collect()
}

/// Those of a group's tags that remember sizes.
pub(super) fn keys(tags: &Tags) -> impl Iterator<Item = &str> {
    TAGS.iter().map(|(key, _)| *key).filter(|key| tags.contains_key(*key))
}
