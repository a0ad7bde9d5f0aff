//! Manifest: the chunk values of one file, sent only when asked for.
//!
//! It needs no signature of its own: its values merge to a root, and that root is compared with the one a
//! seal was verified over. It travels in fragments, at most `manifest_bytes_max` in all.

use super::chunk::root_of;
use super::{Malformed, at_most, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::ids::{FileIndex, Value};
use base::limits::Limits;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Manifest",
    place: "data of Manifest frames, reassembled",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field("file", "u32", "index in the order of entries"),
        field("count", "u32", "chunks of the file, at least 1"),
        field("values", "count x [32]", "value of each chunk, in order"),
    ],
};

/// The values of every chunk of one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Which file.
    pub file: FileIndex,
    /// Value of each chunk, in order; at least one.
    pub values: Vec<Value>,
}

impl Manifest {
    /// The root that these values merge to.
    pub fn root(&self) -> Value {
        root_of(&self.values)
    }

    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(12 + self.values.len() * Value::LEN);
        out.u32(self.transfer).u32(self.file.0).u32(self.values.len() as u32);
        for value in &self.values {
            out.bytes(&value.0);
        }
        out.into_vec()
    }

    /// Reads and checks a reassembled message.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        at_most("manifest", bytes.len() as u64, u64::from(limits.manifest_bytes_max))?;
        let mut reader = Reader::new(bytes);
        let (transfer, file, count) = (reader.u32()?, FileIndex(reader.u32()?), reader.u32()?);
        at_most("count", u64::from(count), u64::from(limits.chunk_values_max))?;
        if count == 0 || u64::from(count) * Value::LEN as u64 != reader.remaining() as u64 {
            return Err(no_meaning("count", u64::from(count)));
        }
        let mut values = Vec::with_capacity(count as usize);
        for _ in 0..count {
            values.push(Value(reader.array()?));
        }
        reader.finish()?;
        Ok(Self { transfer, file, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn manifests_round_trip(values in prop::collection::vec(any::<[u8; 32]>(), 1..17), file in any::<u32>()) {
            let values = values.into_iter().map(Value).collect();
            let manifest = Manifest { transfer: 5, file: FileIndex(file), values };
            let bytes = manifest.encode();
            prop_assert_eq!(Manifest::parse(&bytes, &Limits::TINY), Ok(manifest));
            for cut in 0..bytes.len() {
                prop_assert!(Manifest::parse(&bytes[..cut], &Limits::TINY).is_err());
            }
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Manifest::parse(&bytes, &Limits::TINY);
        }
    }

    #[test]
    fn too_many_values_and_none_are_refused() {
        let many = Manifest { transfer: 1, file: FileIndex(0), values: vec![Value::default(); 17] };
        assert!(matches!(
            Manifest::parse(&many.encode(), &Limits::TINY),
            Err(Malformed::Over { field: "count", .. })
        ));
        let none = Manifest { values: vec![], ..many };
        assert!(Manifest::parse(&none.encode(), &Limits::TINY).is_err());
        let most = Manifest { values: vec![Value([1; 32]); 131_072], ..none };
        assert!(Manifest::parse(&most.encode(), &Limits::DEFAULT).is_ok());
    }
}
