//! Values on the host's side of the boundary, and how they are shown.

use crate::bindings::xferd::plugin::types;
use base::hooks::Fact;
use base::ids::DeviceId;
use std::fmt;

/// One value, as in the interface `types`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// A key that is known and empty.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A signed number.
    Int(i64),
    /// A number.
    Uint(u64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// An id.
    Id([u8; 32]),
    /// Several texts.
    Texts(Vec<String>),
}

impl Value {
    /// Bytes it takes on its way through the boundary, roughly.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
            Self::Texts(texts) => texts.iter().map(|text| text.len() + 8).sum(),
            _ => 32,
        }
    }
}

/// Bytes that are UTF-8 become text: a plugin compares paths as text unless it must not.
impl From<Fact> for Value {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Number(number) => Self::Uint(number),
            Fact::Text(text) => Self::Text(text),
            Fact::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Self::Text(text),
                Err(error) => Self::Blob(error.into_bytes()),
            },
        }
    }
}

impl From<Value> for types::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Nothing => Self::Nothing,
            Value::Flag(flag) => Self::Flag(flag),
            Value::Int(number) => Self::Int(number),
            Value::Uint(number) => Self::Uint(number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
            Value::Id(id) => Self::Id(id_to_guest(&id)),
            Value::Texts(texts) => Self::Texts(texts),
        }
    }
}

impl From<types::Value> for Value {
    fn from(value: types::Value) -> Self {
        match value {
            types::Value::Nothing => Self::Nothing,
            types::Value::Flag(flag) => Self::Flag(flag),
            types::Value::Int(number) => Self::Int(number),
            types::Value::Uint(number) => Self::Uint(number),
            types::Value::Text(text) => Self::Text(text),
            types::Value::Blob(bytes) => Self::Blob(bytes),
            types::Value::Id(id) => Self::Id(id_of_guest(id)),
            types::Value::Texts(texts) => Self::Texts(texts),
        }
    }
}

/// Escaped, so that no value brings a line break or a terminal's codes into a log.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Uint(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Blob(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::Id(id) => write!(f, "{}", DeviceId(*id)),
            Self::Texts(texts) => write!(f, "{texts:?}"),
        }
    }
}

/// An id as the guest sees it: four big-endian words.
pub(crate) fn id_to_guest(id: &[u8; 32]) -> types::Id32 {
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&id[at * 8..at * 8 + 8]);
        u64::from_be_bytes(bytes)
    };
    types::Id32 { a: word(0), b: word(1), c: word(2), d: word(3) }
}

/// An id as the guest wrote it.
pub(crate) fn id_of_guest(id: types::Id32) -> [u8; 32] {
    let mut out = [0; 32];
    for (part, word) in out.chunks_exact_mut(8).zip([id.a, id.b, id.c, id.d]) {
        part.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_the_boundary_and_text_is_escaped() {
        let mut id = [0; 32];
        for (index, byte) in id.iter_mut().enumerate() {
            *byte = index as u8;
        }
        assert_eq!(id_of_guest(id_to_guest(&id)), id);
        assert_eq!(id_to_guest(&id).a, 0x0001_0203_0405_0607);
        assert_eq!(Value::Text("a\n\u{1b}[1m".into()).to_string(), "\"a\\n\\u{1b}[1m\"");
        assert_eq!(Value::from(Fact::Bytes(vec![0xff])), Value::Blob(vec![0xff]));
        assert_eq!(Value::from(Fact::Bytes(b"a/b".to_vec())), Value::Text("a/b".into()));
    }
}
