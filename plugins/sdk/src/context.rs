//! Facts about the call that is being served.
//!
//! Everything read here joins the key under which a decision is kept: read only what the answer depends on. A fact
//! that is not there is `None`; which ones there are, and when, is said in `wit/xferd.wit`.

use crate::host::context as host;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// The fact of this name.
#[must_use]
pub fn get(key: &str) -> Option<Value> {
    host::get(key)
}

/// As many answers as keys, in their order, in one call of the host; at most 64.
#[must_use]
pub fn get_many(keys: &[&str]) -> Vec<Option<Value>> {
    let keys: Vec<String> = keys.iter().map(|key| String::from(*key)).collect();
    host::get_many(&keys)
}

/// A fact that is text.
#[must_use]
pub fn text(key: &str) -> Option<String> {
    match host::get(key) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// A fact that is a number.
#[must_use]
pub fn uint(key: &str) -> Option<u64> {
    host::get(key)?.as_uint()
}

/// The path relative to the root, as bytes: a name need not be UTF-8.
#[must_use]
pub fn path_bytes() -> Option<Vec<u8>> {
    match host::get("path")? {
        Value::Text(text) => Some(text.into_bytes()),
        Value::Blob(bytes) => Some(bytes),
        _ => None,
    }
}

/// The path relative to the root. Bytes that are not UTF-8 are replaced, so that the result is for matching
/// and for people, not for naming the file.
#[must_use]
pub fn path() -> Option<String> {
    path_bytes().map(|bytes| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Bytes that are to be moved, where the engine knows it.
#[must_use]
pub fn size() -> Option<u64> {
    uint("size")
}

/// Number of names, where the engine knows it.
#[must_use]
pub fn files() -> Option<u64> {
    uint("files")
}

/// The subject's account; empty where there is none.
#[must_use]
pub fn account() -> String {
    text("account").unwrap_or_default()
}

/// The subject's address, without the port.
#[must_use]
pub fn address() -> Option<String> {
    text("address")
}

/// Bytes that the account stores on this root.
#[must_use]
pub fn stored_bytes() -> Option<u64> {
    uint("stored-bytes")
}

/// What a share gives the subject's account on this path.
#[must_use]
pub fn share() -> Option<Share> {
    match text("share")?.as_str() {
        "read" => Some(Share { read: true, write: false }),
        "write" => Some(Share { read: false, write: true }),
        "read-write" => Some(Share { read: true, write: true }),
        _ => None,
    }
}

/// The label that an earlier decision of the session set.
#[must_use]
pub fn label() -> Option<String> {
    text("label")
}

/// Rights that a share gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Browse and pull.
    pub read: bool,
    /// Push, replace and remove.
    pub write: bool,
}
