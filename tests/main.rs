//! The integration tests: what a user of gild's parts can rely on.

mod status;
