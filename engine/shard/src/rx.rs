//! The receiving side of a link: a 12-byte wait without a buffer, then one receive of one record.

use base::limits::{DATA_AT, HEADER_AT, HEADER_BYTES, Limits};

/// What the receiving side is doing.
pub(crate) enum Rx {
    /// Waiting for the first byte of a header; holds no buffer.
    Head,
    /// A header came, no arena slot is free.
    WaitSlot { header: [u8; 12], length: u32 },
    /// Receiving the payload of this header.
    Body { header: [u8; 12], length: u32 },
    /// A full chunk is announced, no arena slot is free.
    WaitFull,
    /// Receiving a full chunk's frame in one piece.
    Full,
    /// Someone holds too many slots of this link, its peer does not read, or its rate is used up.
    Paused { full: bool },
    /// The connection is being opened.
    Connecting,
    /// Not begun.
    Idle,
    /// The stream ended or the link closes: nothing more is received.
    Over,
}

impl Rx {
    /// Whether a receive is in flight.
    pub(crate) fn in_flight(&self) -> bool {
        matches!(self, Self::Head | Self::Body { .. } | Self::Full | Self::Connecting)
    }
}

/// Bytes of a full chunk frame behind its announcement, header included.
pub(crate) fn full_frame_bytes(limits: &Limits) -> u32 {
    HEADER_BYTES + proto::wire::full_chunk_payload_bytes(limits.record_bytes)
}

/// Copy of the header that lies before the data of a slot.
pub(crate) fn header_of(slot: &[u8]) -> [u8; 12] {
    let mut header = [0; 12];
    header.copy_from_slice(&slot[HEADER_AT as usize..DATA_AT as usize]);
    header
}
