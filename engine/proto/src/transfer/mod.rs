//! Transfer: what two ends say to each other so that a tree arrives, byte for byte, signed and resumable.
//!
//! This level holds the messages and the values they commit to. Bulk messages ([`entries`], [`want`],
//! [`pack`], [`manifest`], [`seal`], [`ack`], [`receipt`]) are a fixed big-endian codec and travel without
//! the `flags` that end each record's trailer; requests ([`offer`], [`list`], [`remove`]) are BSON inside
//! Control. Nothing is allocated before its count was checked against [`Limits`](base::limits::Limits) and
//! against the bytes that are there.
//!
//! ```text
//! Offer -> OfferReply        offer, filter
//! Entries -> Want            entries, order, want
//! Chunk, Pack -> Ack         chunk, pack, manifest, ack
//! Pieces -> Chunk            delta
//! Seal -> Ack published      merkle, seal
//! Receipt                    receipt, receipt_file
//! ```

use crate::message::ScanError;
use crate::wire::WireError;
use crate::wire::layouts::Layout;
use base::codes::Code;
use base::name::PathError;

pub mod ack;
pub mod chunk;
pub mod delta;
pub mod entries;
pub mod manifest;
pub mod merkle;
pub mod order;
pub mod pack;
pub mod receipt;
pub mod receipt_file;
pub mod request;
pub mod seal;
pub mod times;
pub mod want;

pub use request::{filter, list, offer, options, remove};

/// Which rule of a transfer message the peer broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// A rule of the byte format.
    Wire(WireError),
    /// A count, length or size is above its bound.
    Over {
        /// Which field.
        field: &'static str,
        /// What it holds.
        got: u64,
        /// The bound.
        most: u64,
    },
    /// A path breaks a path rule.
    Path(PathError),
    /// A path holds a component that is [reserved](base::name::is_reserved).
    Reserved,
    /// Entries are not depth first with siblings by bytes, or a parent is missing or no directory.
    Order,
    /// Ranges overlap, touch, or do not ascend.
    Ranges,
    /// Text is not UTF-8 or holds control characters.
    Text {
        /// Which field.
        field: &'static str,
    },
    /// A request breaks a rule of BSON.
    Scan(ScanError),
    /// A field of a request has the wrong type.
    Bson {
        /// Which field; empty for one whose name is not known.
        field: &'static str,
    },
    /// A request lacks a field.
    Missing {
        /// Which field.
        field: &'static str,
    },
    /// A request holds a field or option that this version does not know.
    Unknown,
    /// A filter pattern is no pattern.
    Pattern,
}

impl Malformed {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Path(_) | Self::Reserved => Code::BadPath,
            Self::Over { .. } => Code::TooLarge,
            Self::Wire(error) => error.code(),
            _ => Code::InvalidRequest,
        }
    }
}

impl From<WireError> for Malformed {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<ScanError> for Malformed {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

impl From<PathError> for Malformed {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

/// The message has no room for more: finish it and begin the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// The byte tables of this level, for FORMAT.md.
pub const LAYOUTS: &[Layout] = &[
    entries::HEAD,
    entries::OWNER,
    entries::ENTRY,
    entries::DENIED,
    want::HEAD,
    want::RUN,
    delta::pieces::LAYOUT,
    delta::copies::LAYOUT,
    pack::ROW,
    manifest::LAYOUT,
    seal::LAYOUT,
    seal::LEAF_LAYOUT,
    ack::LAYOUT,
    receipt::LAYOUT,
    times::LAYOUT,
    receipt_file::HEAD,
    receipt_file::LISTED,
    receipt_file::SEAL_END,
    receipt_file::FOOT,
];

/// The documents of requests and their replies, for FORMAT.md.
pub const DOCUMENTS: &[Layout] = &[
    offer::REQUEST,
    options::LAYOUT,
    offer::REPLY,
    list::REQUEST,
    list::REPLY,
    remove::REQUEST,
    remove::REPLY,
];

/// Refuses a count or length above its bound.
fn at_most(field: &'static str, got: u64, most: u64) -> Result<(), Malformed> {
    if got > most { Err(Malformed::Over { field, got, most }) } else { Ok(()) }
}

/// A field whose value has no meaning.
fn no_meaning(field: &'static str, value: u64) -> Malformed {
    Malformed::Wire(WireError::Value { field, value })
}
