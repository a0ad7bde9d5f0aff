//! The words of all interfaces, and how Rust's own types become them.

pub use crate::bindings::imports::xferd::plugin::types::{
    Attr, Digest, Error, Event, GroupId, Id32, PageReq, PeerId, Ticket, Value,
};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

impl Value {
    /// The text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one and not negative.
    #[must_use]
    pub fn as_uint(&self) -> Option<u64> {
        match self {
            Self::Uint(number) => Some(*number),
            Self::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number, where it is one and fits.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Uint(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The flag, where it is one.
    #[must_use]
    pub fn as_flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The texts, where it is a list of them.
    #[must_use]
    pub fn as_texts(&self) -> Option<&[String]> {
        match self {
            Self::Texts(texts) => Some(texts),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Uint(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Id32> for Value {
    fn from(id: Id32) -> Self {
        Self::Id(id)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[&str]> for Value {
    fn from(texts: &[&str]) -> Self {
        Self::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(texts: [&str; N]) -> Self {
        Self::from(&texts[..])
    }
}

impl Attr {
    /// A key and its value.
    pub fn new(key: &str, val: impl Into<Value>) -> Self {
        Self { key: key.to_owned(), val: val.into() }
    }
}

impl Event {
    /// An event for a test.
    pub fn of(topic: &str, attrs: impl IntoIterator<Item = Attr>) -> Self {
        let (topic, attrs) = (topic.to_owned(), attrs.into_iter().collect());
        Self { seq: 1, at_ms: 0, topic, subject: None, ticket: None, attrs, body: Vec::new() }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attr(&self, key: &str) -> Option<&Value> {
        self.attrs.iter().find(|attr| attr.key == key).map(|attr| &attr.val)
    }

    /// An attribute that is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attr(key)?.as_text()
    }
}

#[allow(clippy::derivable_impls, reason = "the type is generated, and its derives are those of all types")]
impl Default for Id32 {
    fn default() -> Self {
        Self { a: 0, b: 0, c: 0, d: 0 }
    }
}

impl Id32 {
    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut words = [0u64; 4];
        let mut at = 0;
        while at < 32 {
            words[at / 8] = words[at / 8] << 8 | bytes[at] as u64;
            at += 1;
        }
        Self { a: words[0], b: words[1], c: words[2], d: words[3] }
    }

    /// The id of 64 hexadecimal digits; none where there are other characters or another number of them.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return None;
        }
        let mut bytes = [0u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |byte: u8| (byte as char).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        Some(Self::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn an_id_is_its_bytes_big_endian() {
        let mut bytes = [0u8; 32];
        bytes[0] = 1;
        bytes[31] = 2;
        assert_eq!(Id32::from_bytes(bytes), Id32 { a: 1 << 56, b: 0, c: 0, d: 2 });
        let hex = "01".to_string() + &"00".repeat(30) + "02";
        assert_eq!(Id32::from_hex(&hex), Some(Id32::from_bytes(bytes)));
        assert_eq!(Id32::from_hex(&hex[1..]), None);
        assert_eq!(Id32::from_hex(&hex.replace('2', "+")), None);
    }

    #[test]
    fn numbers_cross_where_they_fit() {
        assert_eq!(Value::Int(-1).as_uint(), None);
        assert_eq!(Value::Uint(u64::MAX).as_int(), None);
        assert_eq!(Value::from(7u64).as_int(), Some(7));
        assert_eq!(Value::from("a").as_flag(), None);
        assert_eq!(Value::from(["a", "b"]).as_texts().map(<[String]>::len), Some(2));
    }
}
