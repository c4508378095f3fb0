//! The load averages, from `/proc/loadavg`.

use super::source::{Files, fields};
use super::{CollectError, Collector};
use crate::metrics::sample::Sample;

const NAMES: [&str; 3] = ["node_load1", "node_load5", "node_load15"];

const LOADAVG: &str = "/proc/loadavg";

/// The collector of load averages.
#[derive(Debug)]
pub struct Load;

impl Collector for Load {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(LOADAVG)? else { return Ok(()) };
        let Some(loads) = parse(content) else { return Err(files.lacks(LOADAVG, "load averages")) };
        out.extend(
            NAMES.into_iter().zip(loads).map(|(name, load)| Sample::gauge(name, vec![], load)),
        );
        Ok(())
    }
}

/// The averages over 1, 5 and 15 minutes; `None` where the text holds none.
pub fn parse(content: &[u8]) -> Option<[f64; 3]> {
    let mut loads = fields(content)
        .map(|field| field.parse::<f64>().ok().filter(|load| load.is_finite() && *load >= 0.0));
    Some([loads.next()??, loads.next()??, loads.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_averages_are_read() {
        assert_eq!(parse(b"0.20 1.18 12.50 1/80 11206\n"), Some([0.2, 1.18, 12.5]));
    }

    #[test]
    fn anything_else_is_no_average() {
        for text in ["", "0.1 0.2", "a b c", "0.1 NaN 0.2", "-1 0 0", "inf 0 0", "\0\0\0"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
