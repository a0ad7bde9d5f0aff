//! Remove: names beneath a share. Protocol `xferd.remove`.

use super::super::order::check_path;
use super::super::{Malformed, no_meaning};
use super::document::{Builder, Fields};
use super::offer::{read_paths, read_root, required};
use crate::wire::layouts::{Layout, field};
use alloc::string::String;
use alloc::vec::Vec;
use base::codes::Code;
use base::limits::Limits;
use bson::raw::cstr;

/// Name of the protocol.
pub const PROTOCOL: &str = "xferd.remove";

/// Fields of the request.
pub const REQUEST: Layout = Layout {
    name: "Remove",
    place: "BSON, payload of the request `xferd.remove`",
    fields: &[
        field("root", "text", "the share and what follows it"),
        field("paths", "array of binary, optional", "beneath `root`; none: `root` itself"),
        field("recursive", "boolean, optional", "directories with all that is in them"),
        field("dry_run", "boolean, optional", "decide and count, change nothing"),
    ],
};

/// Fields of the reply.
pub const REPLY: Layout = Layout {
    name: "Remove: reply",
    place: "BSON, data of the reply to `xferd.remove`",
    fields: &[
        field("files", "number", "files and symlinks removed"),
        field("directories", "number", "directories removed"),
        field("failures", "number", "names that failed, in all"),
        field("failed", "array of binary, optional", "the first of them: u16 code, then the path"),
    ],
};

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoveRequest {
    /// The share and what follows it, as text.
    pub root: String,
    /// Beneath `root`; empty: `root` itself.
    pub paths: Vec<Vec<u8>>,
    /// Directories with all that is in them.
    pub recursive: bool,
    /// Decide and count, change nothing.
    pub dry_run: bool,
}

impl RemoveRequest {
    /// The request's payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Builder::default();
        out.text(cstr!("root"), &self.root)
            .byte_list(cstr!("paths"), self.paths.iter())
            .bool(cstr!("recursive"), self.recursive)
            .bool(cstr!("dry_run"), self.dry_run);
        out.finish()
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes, &["root", "paths", "recursive", "dry_run"], limits)?;
        Ok(Self {
            root: read_root(&fields, limits)?,
            paths: read_paths(&fields, limits)?,
            recursive: fields.bool("recursive")?,
            dry_run: fields.bool("dry_run")?,
        })
    }
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RemoveReply {
    /// Files and symlinks removed.
    pub files: u64,
    /// Directories removed.
    pub directories: u64,
    /// Names that failed in all; `failed` holds the first of them.
    pub failures: u64,
    /// Path beneath `root`, and why it failed.
    pub failed: Vec<(Vec<u8>, Code)>,
}

impl RemoveReply {
    /// The reply's data.
    pub fn encode(&self) -> Vec<u8> {
        let rows = self.failed.iter().map(|(path, code)| [&code.number().to_be_bytes()[..], path].concat());
        let mut out = Builder::default();
        out.number(cstr!("files"), self.files)
            .number(cstr!("directories"), self.directories)
            .number(cstr!("failures"), self.failures)
            .byte_list(cstr!("failed"), rows);
        out.finish()
    }

    /// Reads and checks a reply's data.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes, &["files", "directories", "failures", "failed"], limits)?;
        let mut failed = Vec::new();
        for row in fields.byte_list("failed")? {
            let (number, path) = row.split_first_chunk().ok_or(Malformed::Bson { field: "failed" })?;
            let number = u16::from_be_bytes(*number);
            let code = Code::from_number(number).ok_or(no_meaning("code", u64::from(number)))?;
            failed.push((check_path(path, limits)?.as_bytes().to_vec(), code));
        }
        Ok(Self {
            files: required("files", fields.u64("files")?)?,
            directories: required("directories", fields.u64("directories")?)?,
            failures: required("failures", fields.u64("failures")?)?,
            failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn requests_and_replies_round_trip() {
        let limits = Limits::TINY;
        let request =
            RemoveRequest { root: "/".into(), paths: vec![b"a/b".to_vec()], recursive: true, dry_run: false };
        assert_eq!(RemoveRequest::parse(&request.encode(), &limits).as_ref(), Ok(&request));
        let failed = vec![(b"a/b".to_vec(), Code::AccessDenied), (vec![], Code::Conflict)];
        let reply = RemoveReply { files: 1, directories: 2, failures: 2, failed };
        let bytes = reply.encode();
        assert_eq!(RemoveReply::parse(&bytes, &limits), Ok(reply));
        for cut in 0..bytes.len() {
            assert!(RemoveReply::parse(&bytes[..cut], &limits).is_err());
        }
        let bad = RemoveRequest { paths: vec![b"..".to_vec()], ..request };
        assert!(RemoveRequest::parse(&bad.encode(), &limits).is_err());
    }
}
