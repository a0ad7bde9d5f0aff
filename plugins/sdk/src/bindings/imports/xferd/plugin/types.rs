#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
/// 32 bytes, big-endian: `a` holds the first eight.
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
pub struct Id32 {
    pub a: u64,
    pub b: u64,
    pub c: u64,
    pub d: u64,
}
impl ::core::fmt::Debug for Id32 {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Id32")
            .field("a", &self.a)
            .field("b", &self.b)
            .field("c", &self.c)
            .field("d", &self.d)
            .finish()
    }
}
/// A device: the hash of its public key.
pub type PeerId = Id32;
/// A group of accounts.
pub type GroupId = Id32;
/// A BLAKE3 root.
pub type Digest = Id32;
/// Something that finishes later. Unique within one instance of a plugin.
pub type Ticket = u64;
/// One value. `nothing` is a key that is known and empty.
#[derive(Clone, PartialEq)]
pub enum Value {
    Nothing,
    Flag(bool),
    Int(i64),
    Uint(u64),
    Text(_rt::String),
    Blob(_rt::Vec<u8>),
    Id(Id32),
    Texts(_rt::Vec<_rt::String>),
}
impl ::core::fmt::Debug for Value {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Value::Nothing => f.debug_tuple("Value::Nothing").finish(),
            Value::Flag(e) => f.debug_tuple("Value::Flag").field(e).finish(),
            Value::Int(e) => f.debug_tuple("Value::Int").field(e).finish(),
            Value::Uint(e) => f.debug_tuple("Value::Uint").field(e).finish(),
            Value::Text(e) => f.debug_tuple("Value::Text").field(e).finish(),
            Value::Blob(e) => f.debug_tuple("Value::Blob").field(e).finish(),
            Value::Id(e) => f.debug_tuple("Value::Id").field(e).finish(),
            Value::Texts(e) => f.debug_tuple("Value::Texts").field(e).finish(),
        }
    }
}
/// A key and its value. Keys are lower case with `-`; unknown ones are to be ignored, except in obligations.
#[derive(Clone, PartialEq)]
pub struct Attr {
    pub key: _rt::String,
    pub val: Value,
}
impl ::core::fmt::Debug for Attr {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Attr").field("key", &self.key).field("val", &self.val).finish()
    }
}
/// Why an import did not do it.
#[derive(Clone, PartialEq)]
pub enum Error {
    /// The grants of this plugin, or the rights of the caller it acts for, do not cover it.
    Denied,
    /// Nothing of this name.
    NotFound,
    /// It is there already, or is not what was expected.
    Conflict,
    /// A bound or a rate; the same call may succeed later.
    Limit,
    /// The engine has nothing behind this import, or it is shutting down.
    Unavailable,
    /// The arguments make no sense; the text says why, for people.
    Invalid(_rt::String),
}
impl ::core::fmt::Debug for Error {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Error::Denied => f.debug_tuple("Error::Denied").finish(),
            Error::NotFound => f.debug_tuple("Error::NotFound").finish(),
            Error::Conflict => f.debug_tuple("Error::Conflict").finish(),
            Error::Limit => f.debug_tuple("Error::Limit").finish(),
            Error::Unavailable => f.debug_tuple("Error::Unavailable").finish(),
            Error::Invalid(e) => f.debug_tuple("Error::Invalid").field(e).finish(),
        }
    }
}
impl ::core::fmt::Display for Error {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        write!(f, "{:?}", self)
    }
}
impl ::core::error::Error for Error {}
/// Something that happened. `seq` grows by one for each event of this plugin; a gap says how many were dropped
/// because the plugin did not keep up. `ticket` names what it answers.
#[derive(Clone, PartialEq)]
pub struct Event {
    pub seq: u64,
    pub at_ms: u64,
    pub topic: _rt::String,
    pub subject: ::core::option::Option<PeerId>,
    pub ticket: ::core::option::Option<Ticket>,
    pub attrs: _rt::Vec<Attr>,
    pub body: _rt::Vec<u8>,
}
impl ::core::fmt::Debug for Event {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Event")
            .field("seq", &self.seq)
            .field("at-ms", &self.at_ms)
            .field("topic", &self.topic)
            .field("subject", &self.subject)
            .field("ticket", &self.ticket)
            .field("attrs", &self.attrs)
            .field("body", &self.body)
            .finish()
    }
}
/// A page of a sorted list: what comes after this name, at most `limit` (1 to 256; more is cut) of it.
#[derive(Clone, PartialEq)]
pub struct PageReq {
    pub after: ::core::option::Option<_rt::String>,
    pub limit: u32,
}
impl ::core::fmt::Debug for PageReq {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("PageReq").field("after", &self.after).field("limit", &self.limit).finish()
    }
}
