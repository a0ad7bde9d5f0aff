//! Close, Ping and Pong: the frames that end a connection and keep it honest.

use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, WireError, Writer};
use alloc::string::String;
use alloc::vec::Vec;
use base::codes::Code;

/// Most bytes of a Close's detail.
pub const DETAIL_BYTES_MAX: usize = 256;

/// The tables of FORMAT.md.
pub const LAYOUTS: &[Layout] = &[
    Layout {
        name: "Close",
        place: "data of Close; before HelloReply the whole payload, in the clear",
        fields: &[
            field("code", "u16", "see Codes"),
            field("detail", "to the end", "UTF-8, at most 256 bytes"),
        ],
    },
    Layout {
        name: "Ping and Pong",
        place: "data of Ping, and of the Pong that answers it",
        fields: &[
            field("sequence", "u64", "counts up from 1; a Pong repeats its Ping's"),
            field("utc_ms", "u64", "the sender's clock"),
        ],
    },
];

/// The last frame of a connection: why it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Close {
    /// Why.
    pub code: Code,
    /// More of it; foreign text, escaped wherever it is shown.
    pub detail: String,
}

impl Close {
    /// A Close; `detail` is cut at a character's border to fit [`DETAIL_BYTES_MAX`].
    pub fn new(code: Code, detail: &str) -> Self {
        let mut end = detail.len().min(DETAIL_BYTES_MAX);
        while !detail.is_char_boundary(end) {
            end -= 1;
        }
        Self { code, detail: detail[..end].into() }
    }

    /// Its data.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(2 + self.detail.len());
        out.u16(self.code.number()).bytes(self.detail.as_bytes());
        out.into_vec()
    }

    /// Reads a Close from a peer; what is not UTF-8 in the detail is replaced.
    ///
    /// # Errors
    /// Too short or long, or a number that is no code.
    pub fn parse(data: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(data);
        let number = reader.u16()?;
        let detail = reader.rest();
        if detail.len() > DETAIL_BYTES_MAX {
            return Err(WireError::TooLong { length: detail.len() as u64, most: DETAIL_BYTES_MAX as u64 });
        }
        let code =
            Code::from_number(number).ok_or(WireError::Value { field: "code", value: number.into() })?;
        Ok(Self::new(code, &String::from_utf8_lossy(detail)))
    }
}

/// Data of a Ping, and of its Pong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beat {
    /// Counts up from 1 in each direction.
    pub sequence: u64,
    /// The sender's clock.
    pub utc_ms: u64,
}

impl Beat {
    /// Its data.
    pub fn encode(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.sequence.to_be_bytes());
        out[8..].copy_from_slice(&self.utc_ms.to_be_bytes());
        out
    }

    /// Reads a Ping or Pong from a peer.
    ///
    /// # Errors
    /// Not 16 bytes.
    pub fn parse(data: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(data);
        let beat = Self { sequence: reader.u64()?, utc_ms: reader.u64()? };
        reader.finish()?;
        Ok(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_and_beats_round_trip() {
        let close = Close::new(Code::ClockSkew, "ours 1, theirs 2");
        assert_eq!(Close::parse(&close.encode()), Ok(close));
        let beat = Beat { sequence: 1, utc_ms: 2 };
        assert_eq!(Beat::parse(&beat.encode()), Ok(beat));
        assert!(Beat::parse(&[0; 15]).is_err());
    }

    #[test]
    fn details_are_bounded_and_become_text() {
        let long = Close::new(Code::Io, &"ü".repeat(200));
        assert_eq!(long.detail.len(), 256);
        assert!(Close::parse(&[&[0x03, 0xe8], &[b'x'; 257][..]].concat()).is_err());
        assert!(Close::parse(&[0, 0]).is_err());
        assert!(Close::parse(&[3]).is_err());
        assert!(Close::parse(&[&[0x03, 0xe8], &[0xff; 256][..]].concat()).unwrap().detail.len() <= 256);
    }
}
