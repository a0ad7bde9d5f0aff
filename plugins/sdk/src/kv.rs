//! The plugin's own keys. Needs the grant `kv`; writing needs a world that imports `kv-write` and
//! `kv = { write = true }`.

pub use crate::host::kv_read::Entry;
use crate::host::{kv_read, kv_write};
use crate::value::{Error, PageReq};
use alloc::string::String;
use alloc::vec::Vec;

/// The value of a key.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    kv_read::get(key).map(|entry| entry.val)
}

/// The value of a key as text; none where it is not UTF-8.
#[must_use]
pub fn text(key: &str) -> Option<String> {
    String::from_utf8(get(key)?).ok()
}

/// The value of a key as a number, as [`increment`] writes it.
#[must_use]
pub fn number(key: &str) -> Option<i64> {
    text(key)?.parse().ok()
}

/// The value of a key with its version.
#[must_use]
pub fn entry(key: &str) -> Option<Entry> {
    kv_read::get(key)
}

/// Entries whose key begins with `prefix` and comes after `after`, by key; at most `limit`, which is 256 or less.
#[must_use]
pub fn scan(prefix: &str, after: Option<&str>, limit: u32) -> Vec<Entry> {
    kv_read::scan(prefix, &PageReq { after: after.map(String::from), limit })
}

/// Writes a key; its version after the call.
///
/// # Errors
/// `limit` over the bytes of the grant.
pub fn put(key: &str, value: &[u8]) -> Result<u64, Error> {
    kv_write::put(key, value, None)
}

/// Writes a key that goes by itself after `ttl_ms`.
///
/// # Errors
/// As [`put`].
pub fn put_for(key: &str, value: &[u8], ttl_ms: u64) -> Result<u64, Error> {
    kv_write::put(key, value, Some(ttl_ms))
}

/// Writes a key only when it has this version; 0: only when there is none.
///
/// # Errors
/// `conflict` where it has another; as [`put`].
pub fn compare_and_put(key: &str, expect: u64, value: &[u8]) -> Result<u64, Error> {
    kv_write::compare_and_put(key, expect, value)
}

/// Removes a key.
///
/// # Errors
/// `not-found` where there is none.
pub fn remove(key: &str) -> Result<(), Error> {
    kv_write::remove(key)
}

/// Adds to a key that holds a decimal number; the sum.
///
/// # Errors
/// `conflict` where it holds something else.
pub fn increment(key: &str, by: i64) -> Result<i64, Error> {
    kv_write::increment(key, by)
}
