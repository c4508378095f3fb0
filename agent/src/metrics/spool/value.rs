//! A measurement in few bytes: most are whole numbers, or so many hundredths, and differ
//! little from the one before.

use super::varint::{Bytes, put, put_signed, unzigzag, zigzag};

/// Ten to the power of what stands at the same place of `EXPONENTS`: the fractions that the
/// kernel counts in. Ticks of a processor are hundredths, milliseconds thousandths.
const SCALES: [f64; 5] = [1.0, 1e2, 1e3, 1e6, 1e9];

/// The word for bits that are no such number.
const RAW: u8 = 0xff;

/// Whole numbers up to here are exact, and so is their difference.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// The last value of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// So many parts of which there are so many in one.
    Parts { scale: u8, parts: i64 },
    /// Anything else, bit by bit.
    Raw(u64),
}

impl Default for Last {
    fn default() -> Self {
        Self::Parts { scale: 0, parts: 0 }
    }
}

impl Last {
    fn of(value: f64, likely: u8) -> Self {
        let scales = std::iter::once(likely).chain(0..SCALES.len() as u8);
        for scale in scales {
            let parts = (value * SCALES[usize::from(scale)]).round();
            // Not a number is not within any bounds.
            if parts.abs() > LARGEST || parts.is_nan() {
                continue;
            }
            let found = Self::Parts { scale, parts: parts as i64 };
            if found.value().to_bits() == value.to_bits() {
                return found;
            }
        }
        Self::Raw(value.to_bits())
    }

    /// The value.
    pub(super) fn value(self) -> f64 {
        match self {
            Last::Parts { scale, parts } => {
                let scale = SCALES.get(usize::from(scale)).copied().unwrap_or(1.0);
                parts as f64 / scale
            }
            Last::Raw(bits) => f64::from_bits(bits),
        }
    }
}

/// Writes values one after the other, each by what it was last.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// How many in a row are what they were.
    same: u64,
}

impl Values {
    /// Writes a value; `last` is it from now on.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, last: &mut Last, value: f64) {
        if last.value().to_bits() == value.to_bits() {
            self.same += 1;
            return;
        }
        self.finish(out);
        let likely = match *last {
            Last::Parts { scale, .. } => scale,
            Last::Raw(_) => 0,
        };
        let now = Last::of(value, likely);
        match (*last, now) {
            (Last::Parts { scale: old, parts: before }, Last::Parts { scale, parts })
                if old == scale =>
            {
                put(out, zigzag(parts - before) << 1);
            }
            (_, Last::Parts { scale, parts }) => {
                out.extend([0, scale]);
                put_signed(out, parts);
            }
            (_, Last::Raw(bits)) => {
                out.extend([0, RAW]);
                out.extend(bits.to_le_bytes());
            }
        }
        *last = now;
    }

    /// Writes what is left to be said.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.same > 0 {
            put(out, self.same << 1 | 1);
            self.same = 0;
        }
    }

    /// Reads a value; `last` is it from now on.
    pub(super) fn get(&mut self, bytes: &mut Bytes<'_>, last: &mut Last) -> Option<f64> {
        if self.same == 0 {
            let word = bytes.number()?;
            if word & 1 == 1 {
                self.same = word >> 1;
                if self.same == 0 {
                    return None;
                }
            } else if word == 0 {
                *last = match bytes.byte()? {
                    RAW => Last::Raw(u64::from_le_bytes(bytes.take(8)?.try_into().ok()?)),
                    scale if usize::from(scale) < SCALES.len() => {
                        Last::Parts { scale, parts: bytes.signed()? }
                    }
                    _ => return None,
                };
                return Some(last.value());
            } else {
                let Last::Parts { parts, .. } = last else { return None };
                *parts = parts.checked_add(unzigzag(word >> 1))?;
                return Some(last.value());
            }
        }
        self.same -= 1;
        Some(last.value())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back(values: &[f64]) -> (Vec<f64>, usize) {
        let (mut out, mut writer, mut last) = (Vec::new(), Values::default(), Last::default());
        for value in values {
            writer.put(&mut out, &mut last, *value);
        }
        writer.finish(&mut out);
        let (mut bytes, mut reader, mut last) = (Bytes(&out), Values::default(), Last::default());
        let read = values.iter().map(|_| reader.get(&mut bytes, &mut last).unwrap()).collect();
        assert!(bytes.0.is_empty());
        (read, out.len())
    }

    proptest! {
        #[test]
        fn any_value_comes_back_bit_by_bit(
            values in proptest::collection::vec(
                prop_oneof![
                    any::<u64>().prop_map(f64::from_bits),
                    any::<i32>().prop_map(|parts| f64::from(parts) / 100.0),
                    any::<i64>().prop_map(|parts| parts as f64),
                    any::<u32>().prop_map(|parts| f64::from(parts) / 1e9),
                    Just(0.0), Just(-0.0), Just(f64::NAN), Just(f64::INFINITY), Just(1.5e300),
                ],
                0..40,
            ),
        ) {
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&there_and_back(&values).0), bits(&values));
        }
    }

    #[test]
    fn what_changes_little_takes_little_and_what_does_not_change_next_to_nothing() {
        assert_eq!(there_and_back(&[0.0; 1000]).1, 2);
        let counter: Vec<_> = (0..100).map(|tick| 123_456.78 + f64::from(tick) / 4.0).collect();
        assert!(there_and_back(&counter).1 < 220);
    }
}
