//! The settings of `plugin.toml` with the operator's values, as `configure` gets them.

use crate::value::{Attr, Value};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;

/// All settings. Every error names the setting: it is shown to the operator.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings(Vec<Attr>);

impl Settings {
    /// Settings as the host hands them over.
    #[must_use]
    pub fn new(settings: Vec<Attr>) -> Self {
        Self(settings)
    }

    /// Settings of a test: names and values.
    pub fn of<V: Into<Value>>(settings: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        Self(settings.into_iter().map(|(key, val)| Attr::new(key, val)).collect())
    }

    /// One more setting, or another value of one.
    #[must_use]
    pub fn with(mut self, key: &str, val: impl Into<Value>) -> Self {
        self.0.retain(|attr| attr.key != key);
        self.0.push(Attr::new(key, val));
        self
    }

    /// The value, whatever its type.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|attr| attr.key == key).map(|attr| &attr.val)
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        kind: &str,
        take: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T, String> {
        let value = self.get(key).ok_or_else(|| format!("{key}: not in [config] of plugin.toml"))?;
        take(value).ok_or_else(|| format!("{key}: has to be {kind}"))
    }

    /// A text.
    ///
    /// # Errors
    /// There is no such setting, or it is something else.
    pub fn text(&self, key: &str) -> Result<&str, String> {
        self.typed(key, "text", Value::as_text)
    }

    /// Texts.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn texts(&self, key: &str) -> Result<&[String], String> {
        self.typed(key, "a list of texts", Value::as_texts)
    }

    /// A number, 0 or more.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn uint(&self, key: &str) -> Result<u64, String> {
        self.typed(key, "a number, 0 or more", Value::as_uint)
    }

    /// A number.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn int(&self, key: &str) -> Result<i64, String> {
        self.typed(key, "a number", Value::as_int)
    }

    /// A flag.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn flag(&self, key: &str) -> Result<bool, String> {
        self.typed(key, "true or false", Value::as_flag)
    }

    /// A text that says something in the plugin's own way.
    ///
    /// # Errors
    /// As [`Self::text`], or what the parser said.
    pub fn parse<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T, String> {
        let text = self.text(key)?;
        text.parse().map_err(|error| format!("{key}: \"{text}\": {error}"))
    }

    /// Texts that each say something in the plugin's own way.
    ///
    /// # Errors
    /// As [`Self::parse`], for the first that does not parse.
    pub fn parse_all<T: FromStr<Err: Display>>(&self, key: &str) -> Result<Vec<T>, String> {
        let texts = self.texts(key)?.iter();
        texts.map(|text| text.parse().map_err(|error| format!("{key}: \"{text}\": {error}"))).collect()
    }
}

/// A number of bytes: digits, then nothing, `KiB`, `MiB`, `GiB` or `TiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u32); 5] = [("", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

impl FromStr for Bytes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let shift = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, shift)| *shift);
        let number = number.parse::<u64>().ok().zip(shift);
        let bytes = number.and_then(|(number, shift)| number.checked_mul(1 << shift));
        bytes.map(Self).ok_or("write bytes as 500, 64KiB, 100MiB, 10GiB or 2TiB")
    }
}

impl Display for Bytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let whole = |shift: u32| self.0 != 0 && self.0.is_multiple_of(1 << shift);
        let (name, shift) = UNITS.iter().rev().find(|(_, shift)| whole(*shift)).unwrap_or(&UNITS[0]);
        write!(f, "{}{name}", self.0 >> shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_names_its_setting() {
        let settings = Settings::of([("hours", "8")]).with("zone", 60u64);
        assert_eq!(settings.parse::<u8>("hours"), Ok(8));
        assert_eq!(settings.uint("zone"), Ok(60));
        assert_eq!(settings.text("zone").unwrap_err(), "zone: has to be text");
        assert_eq!(settings.flag("x").unwrap_err(), "x: not in [config] of plugin.toml");
        let settings = settings.with("hours", "x");
        assert!(settings.parse::<u8>("hours").unwrap_err().starts_with("hours: \"x\": "));
    }

    #[test]
    fn bytes_are_digits_and_a_unit() {
        for (text, bytes) in [("0", 0), ("1500", 1500), ("64KiB", 65536), ("3 GiB", 3 << 30)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "KiB", "1kb", "-1", "99999999TiB", "1.5GiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert_eq!(format!("{} {} {}", Bytes(0), Bytes(1500), Bytes(10 << 30)), "0 1500 10GiB");
    }
}
