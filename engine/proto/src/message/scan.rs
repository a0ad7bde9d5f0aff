//! BSON from a peer, checked before any library touches it.
//!
//! bson 3.1 recurses into nested documents and a few kilobytes of nesting end the process, so a scan with a
//! bounded stack comes first: nesting, lengths, UTF-8, duplicate keys, and only the types the protocol uses.
//! Format: <https://bsonspec.org/spec.html>, version 1.1.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use base::limits::Limits;

/// A rule that a BSON document breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanError {
    /// A length that does not fit what is there.
    Length {
        /// Where, in bytes.
        at: usize,
    },
    /// It ends in the middle of something.
    Truncated,
    /// Nested deeper than allowed.
    Depth {
        /// Levels allowed.
        most: u32,
    },
    /// More keys in one document than allowed.
    Keys {
        /// Keys allowed.
        most: u32,
    },
    /// A key stands twice in one document.
    DuplicateKey {
        /// Where the second one is.
        at: usize,
    },
    /// The keys of an array are not 0, 1, 2 ...
    ArrayKey {
        /// Where.
        at: usize,
    },
    /// Text that is not UTF-8 or not terminated.
    Text {
        /// Where.
        at: usize,
    },
    /// A boolean that is neither.
    Boolean {
        /// Where.
        at: usize,
    },
    /// A type the protocol does not use.
    Type {
        /// Its number.
        kind: u8,
        /// Where.
        at: usize,
    },
}

/// One document or array that is open.
struct Level<'a> {
    end: usize,
    keys: BTreeSet<&'a [u8]>,
    /// The next index, in an array.
    index: Option<u32>,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Checks a whole document.
///
/// # Errors
/// The first rule it breaks.
pub fn scan(bytes: &[u8], limits: &Limits) -> Result<(), ScanError> {
    let mut scan = Scan { bytes, at: 0 };
    let mut levels = Vec::with_capacity(limits.bson_depth_max as usize);
    levels.push(scan.enter(bytes.len(), false)?);
    if levels[0].end != bytes.len() {
        return Err(ScanError::Length { at: 0 });
    }
    while let Some(level) = levels.last_mut() {
        let kind = scan.byte()?;
        if kind == 0 {
            if scan.at != level.end {
                return Err(ScanError::Length { at: scan.at });
            }
            levels.pop();
            continue;
        }
        scan.key(level, limits.bson_keys_max)?;
        let end = level.end;
        match kind {
            0x03 | 0x04 => {
                if levels.len() as u64 >= u64::from(limits.bson_depth_max) {
                    return Err(ScanError::Depth { most: limits.bson_depth_max });
                }
                levels.push(scan.enter(end, kind == 0x04)?);
            }
            _ => scan.value(kind, end)?,
        }
    }
    Ok(())
}

impl<'a> Scan<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ScanError> {
        let end = self.at.checked_add(count).ok_or(ScanError::Truncated)?;
        let part = self.bytes.get(self.at..end).ok_or(ScanError::Truncated)?;
        self.at = end;
        Ok(part)
    }

    fn byte(&mut self) -> Result<u8, ScanError> {
        self.take(1).map(|part| part[0])
    }

    fn length(&mut self) -> Result<usize, ScanError> {
        let at = self.at;
        let part = self.take(4)?;
        let length = i32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        usize::try_from(length).map_err(|_| ScanError::Length { at })
    }

    /// The head of a document that must end within `outer_end`.
    fn enter(&mut self, outer_end: usize, array: bool) -> Result<Level<'a>, ScanError> {
        let at = self.at;
        let length = self.length()?;
        let end = at.checked_add(length).filter(|end| length >= 5 && *end <= outer_end);
        let end = end.ok_or(ScanError::Length { at })?;
        Ok(Level { end, keys: BTreeSet::new(), index: array.then_some(0) })
    }

    fn key(&mut self, level: &mut Level<'a>, most: u32) -> Result<(), ScanError> {
        let at = self.at;
        let rest = &self.bytes[at..level.end.max(at)];
        let length = rest.iter().position(|&byte| byte == 0).ok_or(ScanError::Truncated)?;
        let key = self.take(length)?;
        self.take(1)?;
        if core::str::from_utf8(key).is_err() {
            return Err(ScanError::Text { at });
        }
        if let Some(index) = &mut level.index {
            // An array is bounded by its bytes; its keys need no set.
            if !is_decimal(key, *index) {
                return Err(ScanError::ArrayKey { at });
            }
            *index += 1;
            return Ok(());
        }
        if level.keys.len() as u64 >= u64::from(most) {
            return Err(ScanError::Keys { most });
        }
        if !level.keys.insert(key) {
            return Err(ScanError::DuplicateKey { at });
        }
        Ok(())
    }

    fn value(&mut self, kind: u8, end: usize) -> Result<(), ScanError> {
        let at = self.at;
        match kind {
            0x01 | 0x09 | 0x11 | 0x12 => self.take(8).map(drop)?,
            0x02 => {
                let length = self.length()?;
                if length == 0 || length > end.saturating_sub(self.at) {
                    return Err(ScanError::Length { at });
                }
                let text = self.take(length)?;
                if text.last() != Some(&0) || core::str::from_utf8(text).is_err() {
                    return Err(ScanError::Text { at });
                }
            }
            0x05 => {
                let length = self.length()?;
                let subtype = self.byte()?;
                // Old binary (2) holds a second length; the protocol has generic and UUID.
                if !matches!(subtype, 0 | 4) {
                    return Err(ScanError::Type { kind: subtype, at });
                }
                if length > end.saturating_sub(self.at) || (subtype == 4 && length != 16) {
                    return Err(ScanError::Length { at });
                }
                self.take(length)?;
            }
            0x07 => self.take(12).map(drop)?,
            0x08 => {
                if self.byte()? > 1 {
                    return Err(ScanError::Boolean { at });
                }
            }
            0x0a => {}
            0x10 => self.take(4).map(drop)?,
            _ => return Err(ScanError::Type { kind, at }),
        }
        if self.at > end { Err(ScanError::Length { at }) } else { Ok(()) }
    }
}

/// Whether `key` is `index` in decimal, without leading zeros.
fn is_decimal(key: &[u8], mut index: u32) -> bool {
    for (position, &digit) in key.iter().rev().enumerate() {
        if digit != b'0' + (index % 10) as u8 || (index == 0 && position > 0) {
            return false;
        }
        index /= 10;
    }
    index == 0 && !key.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use bson::{Binary, Bson, doc, spec::BinarySubtype};
    use proptest::prelude::*;

    fn check(bytes: &[u8]) -> Result<(), ScanError> {
        scan(bytes, &Limits::DEFAULT)
    }

    #[test]
    fn what_the_protocol_uses_is_accepted() {
        let binary = Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2, 3] };
        let document = doc! {
            "text": "ü", "binary": binary, "yes": true, "none": Bson::Null, "small": 1_i32, "large": 2_i64,
            "float": 1.5, "when": bson::DateTime::from_millis(1), "nested": { "array": [1, [2, {}], "x"] },
        };
        assert_eq!(check(&document.to_vec().unwrap()), Ok(()));
    }

    // proves: P6
    #[test]
    fn nesting_that_would_end_the_process_is_refused() {
        let mut bytes = vec![5, 0, 0, 0, 0];
        for _ in 0..20_000 {
            let mut outer = ((bytes.len() + 8) as i32).to_le_bytes().to_vec();
            outer.extend_from_slice(&[3, b'a', 0]);
            outer.append(&mut bytes);
            outer.push(0);
            bytes = outer;
        }
        assert_eq!(check(&bytes), Err(ScanError::Depth { most: 16 }));
        assert_eq!(scan(&bytes, &Limits::TINY), Err(ScanError::Depth { most: 4 }));
    }

    #[test]
    fn depth_counts_documents_and_arrays() {
        let deep = |levels: usize| {
            let mut inner = Bson::Int32(1);
            for level in 1..levels {
                inner = if level % 2 == 0 { Bson::Array(vec![inner]) } else { doc! { "a": inner }.into() };
            }
            doc! { "a": inner }.to_vec().unwrap()
        };
        assert_eq!(check(&deep(16)), Ok(()));
        assert_eq!(check(&deep(17)), Err(ScanError::Depth { most: 16 }));
    }

    #[test]
    fn duplicate_keys_and_false_array_keys_are_refused() {
        let twice = [19, 0, 0, 0, 16, b'a', 0, 1, 0, 0, 0, 16, b'a', 0, 2, 0, 0, 0, 0];
        assert_eq!(check(&twice), Err(ScanError::DuplicateKey { at: 12 }));
        let mut array = doc! { "a": [1, 2] }.to_vec().unwrap();
        let at = array.iter().position(|&byte| byte == b'1').unwrap();
        array[at] = b'0';
        assert_eq!(check(&array), Err(ScanError::ArrayKey { at }));
        assert!(
            is_decimal(b"10", 10) && !is_decimal(b"010", 10) && !is_decimal(b"", 0) && is_decimal(b"0", 0)
        );
    }

    #[test]
    fn keys_of_one_document_are_bounded() {
        let wide = |keys: u32| {
            (0..keys)
                .map(|key| (alloc::format!("{key}"), Bson::Null))
                .collect::<bson::Document>()
                .to_vec()
                .unwrap()
        };
        let most = Limits::DEFAULT.bson_keys_max;
        assert_eq!(check(&wide(most)), Ok(()));
        assert_eq!(check(&wide(most + 1)), Err(ScanError::Keys { most }));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let good = doc! { "a": "text", "b": { "c": 1 } }.to_vec().unwrap();
        for at in 0..good.len() {
            for value in [0x7f, 0xff, 0x00, good[at].wrapping_add(1)] {
                let mut bad = good.clone();
                bad[at] = value;
                if check(&bad).is_ok() {
                    assert!(bson::Document::from_reader(&bad[..]).is_ok(), "byte {at} = {value}");
                }
            }
        }
        for cut in 0..good.len() {
            assert!(check(&good[..cut]).is_err());
        }
        assert!(check(&[&good[..], &[0]].concat()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_passes_is_what_the_library_reads(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)
        ) {
            let document = doc! { "a": "text", "b": { "c": [1, true, Bson::Null] }, "d": 5_i64, "e": 1.5 };
            let mut bytes = document.to_vec().unwrap();
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if check(&bytes).is_ok() {
                prop_assert!(bson::Document::from_reader(&bytes[..]).is_ok());
            }
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = check(&bytes);
        }
    }
}
