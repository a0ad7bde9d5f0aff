//! What a peer's bytes can be wrong in.

use base::codes::Code;

/// A rule of the byte format that a peer broke. All of them end the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireError {
    /// A header does not begin with `XFER`.
    Magic(u32),
    /// A header of another version.
    Version(u16),
    /// A critical frame type this version does not know.
    UnknownType(u16),
    /// A frame or field announces more bytes than are allowed.
    TooLong {
        /// Bytes announced.
        length: u64,
        /// Bytes allowed.
        most: u64,
    },
    /// A message ends before its field does.
    Truncated {
        /// Bytes the field needs.
        wanted: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Bytes follow the end of a message.
    Trailing(usize),
    /// Flag bits without a meaning, or not negotiated.
    Flags(u16),
    /// A field holds a value its rule forbids.
    Value {
        /// Name of the field, as in FORMAT.md.
        field: &'static str,
        /// The value (of a longer field: its first eight bytes or its length).
        value: u64,
    },
}

impl WireError {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Version(_) => Code::Version,
            Self::TooLong { .. } => Code::TooLarge,
            _ => Code::InvalidRequest,
        }
    }
}
