//! List: names beneath a path, page by page. Protocol `xferd.list`.
//!
//! A page's rows are an Entries batch, so they are checked like those of a transfer. The server keeps
//! nothing between pages: the request says after which path to go on.

use super::super::Malformed;
use super::super::entries::EntriesBatch;
use super::super::order::{Order, check_path};
use super::document::{Builder, Fields};
use super::offer::{read_root, required};
use crate::wire::layouts::{Layout, field};
use alloc::string::String;
use alloc::vec::Vec;
use base::limits::Limits;
use bson::raw::cstr;

/// Name of the protocol.
pub const PROTOCOL: &str = "xferd.list";

/// Fields of the request.
pub const REQUEST: Layout = Layout {
    name: "List",
    place: "BSON, payload of the request `xferd.list`",
    fields: &[
        field("root", "text", "the share and what follows it"),
        field("path", "binary, optional", "beneath `root`"),
        field("recursive", "boolean, optional", "descend into directories"),
        field("after", "binary, optional", "go on after this path"),
    ],
};

/// Fields of the reply.
pub const REPLY: Layout = Layout {
    name: "List: page",
    place: "BSON, data of the reply to `xferd.list`",
    fields: &[
        field("entries", "binary", "an Entries message with transfer, sequence and first index 0"),
        field("skipped", "number, optional", "special files left out"),
        field("next", "binary, optional", "the page's last path, unless it is the last page"),
    ],
};

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

#[cfg(test)]
mod tests {
    use super::super::super::entries::{EntriesWriter, OwnerNames};
    use super::*;
    use alloc::vec;
    use base::entry::{Entry, FileTime, Kind};

    fn row(path: &[u8]) -> Entry {
        Entry {
            kind: Kind::Directory,
            chunk_log2: 0,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 0,
            allocated: 0,
            mtime: FileTime::default(),
            path: path.to_vec(),
            target: vec![],
        }
    }

    fn page(paths: &[&[u8]], next: Option<&[u8]>) -> Vec<u8> {
        let mut writer = EntriesWriter::new(&Limits::TINY, 0, 0, 0);
        for path in paths {
            assert_eq!(writer.push(&row(path), OwnerNames::default()), Ok(()));
        }
        ListPage { entries: writer.finish(true, false), skipped: 1, next: next.map(<[u8]>::to_vec) }.encode()
    }

    #[test]
    fn pages_follow_one_another() {
        let limits = Limits::TINY;
        let mut order = Order::new();
        let (batch, first) =
            ListPage::parse(&page(&[b"a", b"a/b"], Some(b"a/b")), &limits, &mut order).expect("valid");
        assert_eq!((batch.entries.len(), first.next.as_deref()), (2, Some(&b"a/b"[..])));
        let (_, last) =
            ListPage::parse(&page(&[b"a/b/c", b"d"], None), &limits, &mut order).expect("goes on");
        assert_eq!((last.next, last.skipped), (None, 1));
        assert!(ListPage::parse(&page(&[b"d"], None), &limits, &mut order.clone()).is_err(), "again");
        assert!(ListPage::parse(&page(&[b"e"], Some(b"f")), &limits, &mut order).is_err(), "next is no row");
    }

    #[test]
    fn requests_round_trip_and_keep_to_the_path_rules() {
        let limits = Limits::TINY;
        let whole = ListRequest { root: "/a".into(), path: vec![], recursive: false, after: None };
        let next = ListRequest {
            path: b"\xff".to_vec(),
            recursive: true,
            after: Some(b"b/c".to_vec()),
            ..whole.clone()
        };
        for request in [&whole, &next] {
            let bytes = request.encode();
            assert_eq!(ListRequest::parse(&bytes, &limits).as_ref(), Ok(request));
            for cut in 0..bytes.len() {
                assert!(ListRequest::parse(&bytes[..cut], &limits).is_err());
            }
        }
        let bad = ListRequest { path: b"../b".to_vec(), ..whole };
        assert!(ListRequest::parse(&bad.encode(), &limits).is_err());
    }
}
