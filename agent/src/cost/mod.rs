//! What the metrics of a configuration cost a month, before they cost it.
//!
//! Each sink says what it would send (`Sink::usage`); here that is multiplied by hosts, hours and
//! prices. A new sink says how it is billed by its [`Tariff`], and a new kind of bill is one more
//! of those and its arm in `bill`.

/// Usage times prices.
pub mod bill;
/// The data file of prices.
pub mod prices;
/// A bill as a table.
pub mod render;
/// What in a configuration becomes dear.
pub mod traps;
/// What a sink sends.
pub mod usage;
