//! Frames: what lies on the wire between two peers, byte for byte.
//!
//! ```text
//! header (12)                               payload (length)
//! +------------+---------+--------+------+  +------+---------+----------+
//! | magic u32  | version | length | type |  | data | trailer | tag (16) |
//! +------------+---------+--------+------+  +------+---------+----------+
//!   the header is the AEAD's associated data   trailer ends in flags u16
//! ```
//!
//! `wire` never allocates for a peer and never opens a record: it says what a header announces and whether
//! that may be, before anything is allocated. Hello, HelloReply and a Close before HelloReply travel in the
//! clear and have neither trailer nor tag.

pub mod codec;
mod error;
mod frame;
pub mod layouts;
mod trailer;

pub use codec::{Reader, Writer};
pub use error::WireError;
pub use frame::{FrameType, Header, MAGIC, VERSION, payload_bytes_max};
pub use trailer::{ChunkTrailer, Flags, PackTrailer, Trailer, plain_trailer, trailer_bytes};

/// Bytes of a header.
pub const HEADER_BYTES: usize = base::limits::HEADER_BYTES as usize;
/// Bytes of an AEAD tag.
pub const TAG_BYTES: usize = 16;
/// Payload bytes of a full-size Chunk frame under record size `record_bytes`: data, trailer, tag.
pub const fn full_chunk_payload_bytes(record_bytes: u32) -> u32 {
    record_bytes + ChunkTrailer::BYTES as u32 + TAG_BYTES as u32
}
