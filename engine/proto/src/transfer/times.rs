//! Times: where an end's time went so far, while a transfer runs. Both ends send them; they decide nothing.

use super::Malformed;
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::hooks::STAGES;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Times",
    place: "data of a Times frame",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field(
            "stages_ms",
            "u32 x 12",
            "time per stage at who sends it, in all, in the order of the Receipt; for reports only",
        ),
    ],
};

/// The message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Milliseconds in each stage since the transfer began, sampled and scaled.
    pub stages_ms: [u32; STAGES],
}

impl Times {
    /// Bytes on the wire.
    pub const BYTES: usize = 4 + 4 * STAGES;

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(Self::BYTES);
        out.u32(self.transfer);
        for ms in self.stages_ms {
            out.u32(ms);
        }
        out.into_vec()
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Another length.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let transfer = reader.u32()?;
        let mut stages_ms = [0; STAGES];
        for ms in &mut stages_ms {
            *ms = reader.u32()?;
        }
        reader.finish()?;
        Ok(Self { transfer, stages_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_have_one_length() {
        let times = Times { transfer: 7, stages_ms: core::array::from_fn(|at| at as u32 * 1000) };
        let bytes = times.encode();
        assert_eq!(bytes.len(), Times::BYTES);
        assert_eq!(Times::parse(&bytes), Ok(times));
        for cut in 0..bytes.len() {
            assert!(Times::parse(&bytes[..cut]).is_err());
        }
        assert!(Times::parse(&[&bytes[..], &[0]].concat()).is_err());
    }
}
