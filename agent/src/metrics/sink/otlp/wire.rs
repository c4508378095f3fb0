//! Protobuf, as far as OTLP's requests need it, written straight into one buffer.
//!
//! The generated types of OTLP hold every label of every point as an allocation of its
//! own, and know many more messages than are sent; the tests read what is written here
//! with them.

/// A message that grows.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

/// Where the content of a message inside another begins.
#[must_use]
pub(super) struct Open(usize);

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const DELIMITED: u8 = 2;

/// The most bytes that a number takes.
const LONGEST: usize = 10;

impl Writer {
    /// The bytes on the wire.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A number as few bytes, or none for zero, which is what is read where nothing stands.
    pub(super) fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.key(field, VARINT);
            self.varint(value);
        }
    }

    /// A number of eight bytes.
    pub(super) fn fixed(&mut self, field: u8, value: u64) {
        self.key(field, FIXED64);
        self.0.extend(value.to_le_bytes());
    }

    /// A text; none where it is empty.
    pub(super) fn text(&mut self, field: u8, text: &str) {
        if !text.is_empty() {
            self.key(field, DELIMITED);
            self.varint(text.len() as u64);
            self.0.extend(text.as_bytes());
        }
    }

    /// Begins a message inside this one.
    pub(super) fn open(&mut self, field: u8) -> Open {
        self.key(field, DELIMITED);
        Open(self.0.len())
    }

    /// Ends the message that was begun last.
    pub(super) fn close(&mut self, Open(begin): Open) {
        let end = self.0.len();
        self.varint((end - begin) as u64);
        // Its length is only known now, and stands before it.
        let length = self.0.len() - end;
        let mut bytes = [0; LONGEST];
        bytes[..length].copy_from_slice(&self.0[end..]);
        self.0.copy_within(begin..end, begin + length);
        self.0[begin..begin + length].copy_from_slice(&bytes[..length]);
    }

    fn key(&mut self, field: u8, kind: u8) {
        self.varint(u64::from(field) << 3 | u64::from(kind));
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::{encode_varint, encoded_len_varint};

    use super::*;

    #[test]
    fn numbers_are_written_as_prost_writes_them() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let (mut writer, mut expected) = (Writer::default(), Vec::new());
            writer.varint(value);
            encode_varint(value, &mut expected);
            assert_eq!(writer.into_bytes(), expected);
            assert!(encoded_len_varint(value) <= LONGEST);
        }
    }

    #[test]
    fn a_message_stands_behind_its_length_however_long_it_is() {
        for length in [0, 1, 127, 128, 20_000] {
            let mut writer = Writer::default();
            let (outer, text) = (writer.open(1), "x".repeat(length));
            let inner = writer.open(2);
            writer.text(3, &text);
            writer.close(inner);
            writer.number(4, 5);
            writer.close(outer);
            let mut expected = Vec::new();
            if length > 0 {
                prost::encoding::string::encode(3, &text, &mut expected);
            }
            for field in [2, 1] {
                let mut around = Vec::new();
                prost::encoding::bytes::encode(field, &expected, &mut around);
                expected = around;
                if field == 2 {
                    expected.extend([4 << 3, 5]);
                }
            }
            assert_eq!(writer.into_bytes(), expected, "{length}");
        }
    }
}
