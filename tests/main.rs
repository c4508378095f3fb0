//! The integration tests: one binary, one module for each part of gild.
//!
//! A new part is one file beside this one and its `mod` line.

mod status;
mod step;
