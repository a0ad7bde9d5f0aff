//! Big-endian, fixed-width fields: reading with every length checked, writing in order.

use super::WireError;
use alloc::vec::Vec;

/// Reads fields from the front of a message.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let left = self.remaining();
        if count > left {
            return Err(WireError::Truncated { wanted: count, left });
        }
        let part = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(part)
    }

    /// The next `N` bytes, as an array.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(N)?);
        Ok(out)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let part = &self.bytes[self.at..];
        self.at = self.bytes.len();
        part
    }

    /// A byte.
    ///
    /// # Errors
    /// None is left.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// 16 bits.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// 24 bits.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u24(&mut self) -> Result<u32, WireError> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// 32 bits.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// 64 bits.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_be_bytes)
    }

    /// 64 bits, signed.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn i64(&mut self) -> Result<i64, WireError> {
        self.array().map(i64::from_be_bytes)
    }

    /// Bytes behind a u8 count, at most `most`.
    ///
    /// # Errors
    /// Fewer are left, or the count is above `most`.
    pub fn counted8(&mut self, most: usize) -> Result<&'a [u8], WireError> {
        let count = usize::from(self.u8()?);
        self.counted(count, most)
    }

    /// Bytes behind a u16 count, at most `most`.
    ///
    /// # Errors
    /// Fewer are left, or the count is above `most`.
    pub fn counted16(&mut self, most: usize) -> Result<&'a [u8], WireError> {
        let count = usize::from(self.u16()?);
        self.counted(count, most)
    }

    fn counted(&mut self, count: usize, most: usize) -> Result<&'a [u8], WireError> {
        if count > most {
            return Err(WireError::TooLong { length: count as u64, most: most as u64 });
        }
        self.bytes(count)
    }

    /// Ends the message.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn finish(self) -> Result<(), WireError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(WireError::Trailing(left)),
        }
    }
}

/// Appends fields to a message.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Starts an empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an empty message with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// What was written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// The message.
    pub fn into_vec(self) -> Vec<u8> {
        self.out
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// A byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// 16 bits.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// 24 bits.
    ///
    /// # Panics
    /// `value` needs more.
    pub fn u24(&mut self, value: u32) -> &mut Self {
        let [high, rest @ ..] = value.to_be_bytes();
        assert!(high == 0, "{value} does not fit 24 bits");
        self.bytes(&rest)
    }

    /// 32 bits.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// 64 bits.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// 64 bits, signed.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Bytes behind a u8 count.
    ///
    /// # Panics
    /// More than 255 bytes.
    pub fn counted8(&mut self, bytes: &[u8]) -> &mut Self {
        self.u8(u8::try_from(bytes.len()).expect("caller bounds the field")).bytes(bytes)
    }

    /// Bytes behind a u16 count.
    ///
    /// # Panics
    /// More than 65 535 bytes.
    pub fn counted16(&mut self, bytes: &[u8]) -> &mut Self {
        self.u16(u16::try_from(bytes.len()).expect("caller bounds the field")).bytes(bytes)
    }

    /// Overwrites four bytes already written, such as a count known only at the end.
    ///
    /// # Panics
    /// They were not written.
    pub fn patch_u32(&mut self, at: usize, value: u32) -> &mut Self {
        self.out[at..at + 4].copy_from_slice(&value.to_be_bytes());
        self
    }

    /// Overwrites two bytes already written.
    ///
    /// # Panics
    /// They were not written.
    pub fn patch_u16(&mut self, at: usize, value: u16) -> &mut Self {
        self.out[at..at + 2].copy_from_slice(&value.to_be_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_more() {
        let mut writer = Writer::new();
        writer.u8(1).u16(2).u24(3).u32(4).u64(5).i64(-6).counted8(b"ab").counted16(b"cde");
        let bytes = writer.into_vec();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(2));
        assert_eq!(reader.u24(), Ok(3));
        assert_eq!(reader.u32(), Ok(4));
        assert_eq!(reader.u64(), Ok(5));
        assert_eq!(reader.i64(), Ok(-6));
        assert_eq!(reader.counted8(2), Ok(&b"ab"[..]));
        assert_eq!(reader.clone().counted16(2), Err(WireError::TooLong { length: 3, most: 2 }));
        assert_eq!(reader.clone().finish(), Err(WireError::Trailing(5)));
        assert_eq!(reader.counted16(3), Ok(&b"cde"[..]));
        assert_eq!(reader.u32(), Err(WireError::Truncated { wanted: 4, left: 0 }));
        assert_eq!(reader.finish(), Ok(()));
    }
}
