//! List: names beneath a path, page by page. Protocol `xferd.list`.
//!
//! A page's rows are an Entries batch, so they are checked like those of a transfer. The server keeps
//! nothing between pages: the request says after which path to go on.

use super::super::Malformed;
use super::super::entries::EntriesBatch;
use super::super::order::{Order, check_path};
use super::document::{Builder, Fields};
use super::offer::{read_root, required};
use alloc::string::String;
use alloc::vec::Vec;
use base::limits::Limits;
use bson::raw::cstr;

/// Name of the protocol.
pub const PROTOCOL: &str = "xferd.list";

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListRequest {
    /// The share and what follows it, as text.
    pub root: String,
    /// Beneath `root`, where it cannot be said as text; empty: `root` itself.
    pub path: Vec<u8>,
    /// Descend into directories.
    pub recursive: bool,
    /// Go on after this path: [`ListPage::next`] of the page before.
    pub after: Option<Vec<u8>>,
}

impl ListRequest {
    /// The request's payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Builder::default();
        out.text(cstr!("root"), &self.root).bytes(cstr!("path"), &self.path);
        out.bool(cstr!("recursive"), self.recursive);
        if let Some(after) = &self.after {
            out.bytes(cstr!("after"), after);
        }
        out.finish()
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes, &["root", "path", "recursive", "after"], limits)?;
        let after = fields.bytes("after")?.map(|after| check_path(after, limits)).transpose()?;
        Ok(Self {
            root: read_root(&fields, limits)?,
            path: check_path(fields.bytes("path")?.unwrap_or_default(), limits)?.as_bytes().to_vec(),
            recursive: fields.bool("recursive")?,
            after: after.map(|path| path.as_bytes().to_vec()),
        })
    }
}

/// One page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListPage {
    /// The rows: an Entries batch with sequence 0 and first index 0, made by `EntriesWriter`.
    pub entries: Vec<u8>,
    /// Names left out because they are special files.
    pub skipped: u64,
    /// Where to go on; `None` on the last page.
    pub next: Option<Vec<u8>>,
}

impl ListPage {
    /// The reply's data.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Builder::default();
        out.bytes(cstr!("entries"), &self.entries).number(cstr!("skipped"), self.skipped);
        if let Some(next) = &self.next {
            out.bytes(cstr!("next"), next);
        }
        out.finish()
    }

    /// Reads and checks a reply's data; `order` is the same one for all pages of a listing.
    ///
    /// # Errors
    /// The rule it breaks; a `next` that is not the last path of the page.
    pub fn parse(
        bytes: &[u8],
        limits: &Limits,
        order: &mut Order,
    ) -> Result<(EntriesBatch, Self), Malformed> {
        let fields = Fields::parse(bytes, &["entries", "skipped", "next"], limits)?;
        let entries = required("entries", fields.bytes("entries")?)?;
        order.next_page();
        let batch = EntriesBatch::parse(entries, limits, order)?;
        let next = fields.bytes("next")?;
        if next.is_some_and(|next| batch.entries.last().is_none_or(|last| last.path != next)) {
            return Err(Malformed::Order);
        }
        let skipped = fields.u64("skipped")?.unwrap_or(0);
        Ok((batch, Self { entries: entries.to_vec(), skipped, next: next.map(<[u8]>::to_vec) }))
    }
}
