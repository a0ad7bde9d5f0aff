//! Messages larger than a record: cut into frames of one type, all but the last with `more`, and put
//! together again in bounded memory.

use crate::wire::{Flags, WireError};
use alloc::vec::Vec;

/// Cuts a message into the data of its frames, each of at most `record_bytes`; an empty message is one empty frame.
pub fn fragments(message: &[u8], record_bytes: u32) -> impl Iterator<Item = (&[u8], Flags)> {
    let most = record_bytes as usize;
    let count = message.len().div_ceil(most).max(1);
    (0..count).map(move |index| {
        let data = &message[index * most..message.len().min((index + 1) * most)];
        (data, if index + 1 < count { Flags::MORE } else { Flags::NONE })
    })
}

/// Puts the messages of one frame type of one session together.
#[derive(Clone, Debug)]
pub struct Reassembly {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Reassembly {
    /// For messages of at most `bytes_max`.
    pub fn new(bytes_max: u32) -> Self {
        Self { bytes: Vec::new(), bytes_max: bytes_max as usize }
    }

    /// Bytes that wait for the rest of their message.
    pub fn pending_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the data of a frame; the message, when it is its last.
    ///
    /// # Errors
    /// The message is too long, or a fragment that continues is empty. The connection ends.
    pub fn push(&mut self, data: &[u8], flags: Flags) -> Result<Option<Vec<u8>>, WireError> {
        let length = self.bytes.len() + data.len();
        if length > self.bytes_max {
            return Err(WireError::TooLong { length: length as u64, most: self.bytes_max as u64 });
        }
        if flags.more() && data.is_empty() {
            return Err(WireError::Flags(flags.bits()));
        }
        self.bytes.extend_from_slice(data);
        Ok((!flags.more()).then(|| core::mem::take(&mut self.bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use base::limits::Limits;
    use proptest::prelude::*;

    #[test]
    fn messages_are_bounded_and_fragments_not_empty() {
        let mut reassembly = Reassembly::new(10);
        assert_eq!(reassembly.push(&[1; 6], Flags::MORE), Ok(None));
        assert_eq!(reassembly.pending_bytes(), 6);
        assert_eq!(reassembly.clone().push(&[1; 4], Flags::NONE), Ok(Some(vec![1; 10])));
        assert!(matches!(
            reassembly.push(&[1; 5], Flags::NONE),
            Err(WireError::TooLong { length: 11, most: 10 })
        ));
        assert!(Reassembly::new(10).push(&[], Flags::MORE).is_err());
        assert_eq!(Reassembly::new(10).push(&[], Flags::NONE), Ok(Some(vec![])));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn what_is_cut_is_put_together(message in prop::collection::vec(any::<u8>(), 0..4096)) {
            let limits = Limits::TINY;
            let mut reassembly = Reassembly::new(limits.control_bytes_max);
            let mut whole = None;
            for (data, flags) in fragments(&message, limits.record_bytes) {
                prop_assert!(whole.is_none() && data.len() <= limits.record_bytes as usize);
                whole = reassembly.push(data, flags).unwrap();
            }
            prop_assert_eq!(whole, Some(message));
            prop_assert_eq!(reassembly.pending_bytes(), 0);
        }
    }
}
