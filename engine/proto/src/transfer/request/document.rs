//! One BSON document of a request: fields by name and type, anything else refused. It is scanned before it
//! is read, so nesting, lengths and duplicate keys are no concern here.

use super::super::{Malformed, at_most};
use crate::message::scan;
use alloc::vec::Vec;
use base::limits::Limits;
use bson::raw::{CStr, RawArrayBuf, RawBinaryRef, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::spec::BinarySubtype;

/// A document from a peer.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a RawDocument);

impl<'a> Fields<'a> {
    /// Reads a whole request, which holds no other fields than `known`.
    pub(super) fn parse(bytes: &'a [u8], known: &[&str], limits: &Limits) -> Result<Self, Malformed> {
        at_most("request", bytes.len() as u64, u64::from(limits.control_bytes_max))?;
        scan(bytes, limits)?;
        let document = RawDocument::from_bytes(bytes).map_err(|_| Malformed::Bson { field: "" })?;
        Self::checked(document, known)
    }

    fn checked(document: &'a RawDocument, known: &[&str]) -> Result<Self, Malformed> {
        for element in document {
            let (key, _) = element.map_err(|_| Malformed::Bson { field: "" })?;
            if !known.contains(&key.as_str()) {
                return Err(Malformed::Unknown);
            }
        }
        Ok(Self(document))
    }

    fn value(&self, field: &'static str) -> Result<Option<RawBsonRef<'a>>, Malformed> {
        self.0.get(field).map_err(|_| Malformed::Bson { field })
    }

    fn typed<T>(
        &self,
        field: &'static str,
        as_type: impl FnOnce(RawBsonRef<'a>) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        self.value(field)?.map(|value| as_type(value).ok_or(Malformed::Bson { field })).transpose()
    }

    pub(super) fn text(&self, field: &'static str) -> Result<Option<&'a str>, Malformed> {
        self.typed(field, RawBsonRef::as_str)
    }

    pub(super) fn bool(&self, field: &'static str) -> Result<bool, Malformed> {
        Ok(self.typed(field, RawBsonRef::as_bool)?.unwrap_or(false))
    }

    pub(super) fn bytes(&self, field: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
        self.typed(field, binary)
    }

    pub(super) fn u64(&self, field: &'static str) -> Result<Option<u64>, Malformed> {
        self.typed(field, |value| {
            let number = value.as_i64().or_else(|| value.as_i32().map(i64::from))?;
            u64::try_from(number).ok()
        })
    }

    pub(super) fn u32(&self, field: &'static str) -> Result<Option<u32>, Malformed> {
        let most = u64::from(u32::MAX);
        self.u64(field)?.map(|got| at_most(field, got, most).map(|()| got as u32)).transpose()
    }

    pub(super) fn u16(&self, field: &'static str) -> Result<Option<u16>, Malformed> {
        let most = u64::from(u16::MAX);
        self.u64(field)?.map(|got| at_most(field, got, most).map(|()| got as u16)).transpose()
    }

    pub(super) fn inner(&self, field: &'static str, known: &[&str]) -> Result<Option<Fields<'a>>, Malformed> {
        let document = self.typed(field, RawBsonRef::as_document)?;
        document.map(|document| Self::checked(document, known)).transpose()
    }

    /// An array of byte strings; none where the field is absent.
    pub(super) fn byte_list(&self, field: &'static str) -> Result<Vec<&'a [u8]>, Malformed> {
        let Some(array) = self.typed(field, RawBsonRef::as_array)? else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for value in array {
            let value = value.map_err(|_| Malformed::Bson { field })?;
            out.push(binary(value).ok_or(Malformed::Bson { field })?);
        }
        Ok(out)
    }

    /// A text that stands for one of a few values; `None` where the field is absent.
    pub(super) fn choice<T>(
        &self,
        field: &'static str,
        from_name: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        self.text(field)?.map(|name| from_name(name).ok_or(Malformed::Unknown)).transpose()
    }
}

fn binary(value: RawBsonRef<'_>) -> Option<&[u8]> {
    value.as_binary().filter(|binary| binary.subtype == BinarySubtype::Generic).map(|binary| binary.bytes)
}

/// A document for a peer. Numbers are 64-bit.
#[derive(Default)]
pub(super) struct Builder(pub(super) RawDocumentBuf);

impl Builder {
    pub(super) fn number(&mut self, key: &CStr, value: u64) -> &mut Self {
        // numbers of requests are counts, sizes and times: none reaches 2^63
        self.0.append(key, i64::try_from(value).unwrap_or(i64::MAX));
        self
    }

    pub(super) fn optional(&mut self, key: &CStr, value: Option<u64>) -> &mut Self {
        if let Some(value) = value {
            self.number(key, value);
        }
        self
    }

    pub(super) fn bool(&mut self, key: &CStr, value: bool) -> &mut Self {
        self.0.append(key, value);
        self
    }

    pub(super) fn text(&mut self, key: &CStr, value: &str) -> &mut Self {
        self.0.append(key, value);
        self
    }

    pub(super) fn bytes(&mut self, key: &CStr, value: &[u8]) -> &mut Self {
        self.0.append(key, as_binary(value));
        self
    }

    pub(super) fn byte_list<T: AsRef<[u8]>>(
        &mut self,
        key: &CStr,
        list: impl Iterator<Item = T>,
    ) -> &mut Self {
        let mut array = RawArrayBuf::new();
        for bytes in list {
            array.push(as_binary(bytes.as_ref()));
        }
        self.0.append(key, array);
        self
    }

    pub(super) fn inner(&mut self, key: &CStr, document: Builder) -> &mut Self {
        self.0.append(key, document.0);
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

fn as_binary(bytes: &[u8]) -> RawBinaryRef<'_> {
    RawBinaryRef { subtype: BinarySubtype::Generic, bytes }
}
