//! What the metrics of a configuration cost a month, before they cost it.
//!
//! Each sink says what it would send, and names the tariff by which that is billed
//! (`Sink::usage`); the file of prices says what the tariff charges for. So a new sink needs
//! nothing here, and a new kind of bill is a table in that file.

/// Usage times prices.
pub mod bill;
/// Two bills beside each other.
pub mod comparison;
/// The host that is reckoned with where none is at hand.
pub mod host;
/// The data file of prices.
pub mod prices;
/// A bill as text.
pub mod render;
/// What in a configuration becomes dear.
pub mod traps;
/// What a sink sends.
pub mod usage;
