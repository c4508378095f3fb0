//! The image that this host becomes, or was started from.
//!
//! `gild bake` runs the playbook's installation and leaves a `record` of the image; `gild
//! seal` takes away the `traces` of the host that it was made on, and refuses an image in
//! which its `search` finds what looks like a secret by one of its `marks`.
//!
//! To add a trace or a mark: a line in its table.

/// The installation, and what is said of it.
pub mod bake;
/// What secrets look like.
pub mod marks;
/// What an image says of itself.
pub mod record;
/// Making a host into an image that can be shared.
pub mod seal;
/// Looking for secrets.
pub mod search;
/// What a host leaves behind that no other may have.
pub mod traces;
