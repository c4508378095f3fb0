//! How settings are declared, once. The `settings!` macro makes from one list
//! of keys the struct that the rooms use, the reader that finds every problem
//! of a configuration at once, and the description from which defaults, tag
//! values and the reference page come.
//!
//! To add a key: one line with its doc comment in the room's `settings!` block.

/// The macros.
mod declare;
/// What is declared about one key.
mod declared;
/// What is wrong, all of it at once.
mod reader;
/// What a key may hold.
mod shape;
/// Keys that are nearly right.
mod suggest;
/// Words that are nearly right.
mod words;

pub use declared::Declared;
#[cfg(test)]
pub(crate) use reader::read_value;
pub use reader::{Problem, Reader, Setting, Unknown, read_choice, read_field};
pub use shape::{Field, Shape, defaults};
pub use suggest::NAME;
pub use words::{nearest, quoted};
