//! The frame header: the first twelve bytes, checked before anything is allocated.

use super::{HEADER_BYTES, WireError};
use base::limits::{Limits, TAIL_BYTES_MAX};

/// `XFER`.
pub const MAGIC: u32 = u32::from_be_bytes(*b"XFER");
/// Version of the header, whatever versions a Hello offers.
pub const VERSION: u16 = 1;
/// From here on an unknown type is ignored instead of ending the connection.
const IGNORABLE: u16 = 0x8000;

macro_rules! frame_types {
    ($($(#[$doc:meta])* $variant:ident = $number:literal;)*) => {
        /// Type of a frame.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum FrameType {
            $($(#[$doc])* $variant,)*
            /// A type this version does not know and may ignore (0x8000 and above); its record is opened, its
            /// content dropped.
            Ignorable(u16),
        }

        impl FrameType {
            /// Every type this version knows, in the order of their numbers.
            pub const ALL: &'static [FrameType] = &[$(FrameType::$variant,)*];

            /// Number on the wire.
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)* Self::Ignorable(number) => number }
            }

            /// Name in FORMAT.md and in logs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* Self::Ignorable(_) => "Ignorable" }
            }

            /// The type with this number.
            ///
            /// # Errors
            /// Unknown and critical.
            pub fn from_number(number: u16) -> Result<Self, WireError> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    IGNORABLE.. => Ok(Self::Ignorable(number)),
                    _ => Err(WireError::UnknownType(number)),
                }
            }
        }
    };
}

frame_types! {
    /// Opens a handshake; in the clear.
    Hello = 1;
    /// Answers it; in the clear.
    HelloReply = 2;
    /// Items that prove who a side is.
    Auth = 3;
    /// Ends a handshake.
    Ready = 4;
    /// A BSON envelope, or a fragment of one.
    Control = 5;
    /// Entries of a tree.
    Entries = 6;
    /// What the receiver lacks of them.
    Want = 7;
    /// Data of one chunk.
    Chunk = 8;
    /// Many small whole files.
    Pack = 9;
    /// Chunk values of one file.
    Manifest = 10;
    /// Signed root over a batch.
    Seal = 11;
    /// What arrived, is durable, is published.
    Ack = 12;
    /// The receiver's signed account of a transfer.
    Receipt = 13;
    /// Asks whether the peer is there.
    Ping = 14;
    /// It is.
    Pong = 15;
    /// The last record under the sender's key of this direction.
    KeyUpdate = 16;
    /// Ends the connection, with a code.
    Close = 17;
    /// Padding mode; refused until negotiated.
    Opaque = 18;
    /// What the receiver's older file is made of.
    Pieces = 19;
    /// Where an end's time went so far.
    Times = 20;
}

/// Most payload bytes of any frame: a record, its trailer and tag. With the header at most 256 KiB + 128 B.
pub const fn payload_bytes_max(limits: &Limits) -> u32 {
    limits.record_bytes + TAIL_BYTES_MAX
}

/// A header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What follows.
    pub kind: FrameType,
    /// Bytes of payload that follow, with trailer and tag.
    pub length: u32,
}

impl Header {
    /// Reads a header from a peer.
    ///
    /// # Errors
    /// Wrong magic or version, an unknown critical type, or a length above the limit.
    pub fn parse(bytes: &[u8; HEADER_BYTES], limits: &Limits) -> Result<Self, WireError> {
        let header = Self::parse_unbounded(bytes)?;
        let most = payload_bytes_max(limits);
        if header.length > most {
            return Err(WireError::TooLong { length: header.length.into(), most: most.into() });
        }
        Ok(header)
    }

    /// Reads a header whose length was checked before, or is about to be.
    pub(crate) fn parse_unbounded(bytes: &[u8; HEADER_BYTES]) -> Result<Self, WireError> {
        let [m0, m1, m2, m3, v0, v1, l0, l1, l2, l3, t0, t1] = *bytes;
        let magic = u32::from_be_bytes([m0, m1, m2, m3]);
        if magic != MAGIC {
            return Err(WireError::Magic(magic));
        }
        let version = u16::from_be_bytes([v0, v1]);
        if version != VERSION {
            return Err(WireError::Version(version));
        }
        let kind = FrameType::from_number(u16::from_be_bytes([t0, t1]))?;
        Ok(Self { kind, length: u32::from_be_bytes([l0, l1, l2, l3]) })
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..4].copy_from_slice(&MAGIC.to_be_bytes());
        out[4..6].copy_from_slice(&VERSION.to_be_bytes());
        out[6..10].copy_from_slice(&self.length.to_be_bytes());
        out[10..].copy_from_slice(&self.kind.number().to_be_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: C1
    #[test]
    fn headers_round_trip_for_every_type() {
        for (index, &kind) in FrameType::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.number()), index + 1);
            let header = Header { kind, length: 7 };
            assert_eq!(Header::parse(&header.encode(), &Limits::DEFAULT), Ok(header));
        }
        let ignorable = Header { kind: FrameType::Ignorable(0x8001), length: 0 };
        assert_eq!(Header::parse(&ignorable.encode(), &Limits::DEFAULT), Ok(ignorable));
    }

    // proves: C1 P6 L9
    #[test]
    fn each_broken_rule_has_its_error() {
        let good = Header { kind: FrameType::Control, length: 10 }.encode();
        let mut bad = good;
        bad[0] = b'Y';
        assert!(matches!(Header::parse(&bad, &Limits::DEFAULT), Err(WireError::Magic(_))));
        bad = good;
        bad[5] = 2;
        let version = Header::parse(&bad, &Limits::DEFAULT).unwrap_err();
        assert_eq!((version, version.code()), (WireError::Version(2), base::codes::Code::Version));
        bad = good;
        bad[11] = 21;
        assert_eq!(Header::parse(&bad, &Limits::DEFAULT), Err(WireError::UnknownType(21)));
        let most = payload_bytes_max(&Limits::DEFAULT);
        let long = Header { kind: FrameType::Chunk, length: most + 1 }.encode();
        assert_eq!(
            Header::parse(&long, &Limits::DEFAULT),
            Err(WireError::TooLong { length: u64::from(most) + 1, most: most.into() })
        );
        assert!(
            Header::parse(&Header { kind: FrameType::Chunk, length: most }.encode(), &Limits::DEFAULT)
                .is_ok()
        );
    }

    #[test]
    fn a_full_frame_is_as_large_as_documented() {
        let full = super::super::full_chunk_payload_bytes(Limits::DEFAULT.record_bytes) + HEADER_BYTES as u32;
        assert_eq!(full, 262_228);
        assert_eq!(payload_bytes_max(&Limits::DEFAULT) + HEADER_BYTES as u32, 256 * 1024 + 128);
    }
}
