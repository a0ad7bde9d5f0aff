//! TOML tables that know their lines and remember which keys were read.

use super::{ManifestError, Problem};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text.
pub(super) struct Reader<'t> {
    text: &'t str,
}

/// A table of it.
pub(super) struct Table<'t> {
    text: &'t str,
    path: String,
    at: usize,
    rows: Vec<(String, usize, DeValue<'t>)>,
    read: Vec<(&'static str, usize)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text }
    }

    pub(super) fn document(&self) -> Result<Table<'t>, ManifestError> {
        match DeTable::parse(self.text) {
            Ok(table) => Ok(Table::new(self.text, String::new(), 0, table.into_inner())),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let problem = Problem::NotToml(error.message().to_owned());
                Err(ManifestError { line: line_of(self.text, at), key: String::new(), problem })
            }
        }
    }
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u32
}

impl<'t> Table<'t> {
    fn new(text: &'t str, path: String, at: usize, table: DeTable<'t>) -> Self {
        let mut rows: Vec<_> = table
            .into_iter()
            .map(|(key, value): (Spanned<_>, Spanned<DeValue<'t>>)| {
                (key.get_ref().to_string(), key.span().start, value.into_inner())
            })
            .collect();
        rows.sort_by_key(|(_, at, _)| *at);
        Self { text, path, at, rows, read: Vec::new() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The row of this key, taken out.
    fn take(&mut self, key: &'static str) -> Option<DeValue<'t>> {
        let index = self.rows.iter().position(|(name, ..)| name == key);
        let Some(index) = index else {
            self.read.push((key, self.at));
            return None;
        };
        let (_, at, value) = self.rows.remove(index);
        self.read.push((key, at));
        Some(value)
    }

    /// An error about a key that was read.
    pub(super) fn wrong(&self, key: &str, problem: Problem) -> ManifestError {
        let at = self.read.iter().rev().find(|(name, _)| *name == key).map_or(self.at, |(_, at)| *at);
        ManifestError { line: line_of(self.text, at), key: self.path_of(key), problem }
    }

    /// The error of a key that has to be there.
    pub(super) fn missing(&self, key: &str) -> ManifestError {
        self.wrong(key, Problem::Missing)
    }

    /// The table under this key.
    pub(super) fn table(&mut self, key: &'static str) -> Result<Option<Table<'t>>, ManifestError> {
        match self.take(key) {
            None => Ok(None),
            Some(DeValue::Table(table)) => {
                let at = self.read.last().map_or(self.at, |(_, at)| *at);
                Ok(Some(Table::new(self.text, self.path_of(key), at, table)))
            }
            Some(_) => Err(self.wrong(key, Problem::Type("a table"))),
        }
    }

    /// Every table in here, under names the author chose.
    pub(super) fn tables(mut self) -> Result<Vec<(String, Table<'t>)>, ManifestError> {
        let mut found = Vec::new();
        for (key, at, value) in std::mem::take(&mut self.rows) {
            let path = self.path_of(&key);
            let DeValue::Table(table) = value else {
                let line = line_of(self.text, at);
                return Err(ManifestError { line, key: path, problem: Problem::Type("a table") });
            };
            found.push((key, Table::new(self.text, path, at, table)));
        }
        Ok(found)
    }

    /// The text under this key.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, ManifestError> {
        match self.take(key) {
            None => Ok(None),
            Some(DeValue::String(text)) => Ok(Some(text.into_owned())),
            Some(_) => Err(self.wrong(key, Problem::Type("text"))),
        }
    }

    /// The text under this key, which has to be there.
    pub(super) fn required_text(&mut self, key: &'static str) -> Result<String, ManifestError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// The flag under this key.
    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, ManifestError> {
        match self.take(key) {
            None => Ok(None),
            Some(DeValue::Boolean(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(key, Problem::Type("true or false"))),
        }
    }

    /// The number under this key, from 1.
    pub(super) fn number(&mut self, key: &'static str, most: u64) -> Result<Option<u64>, ManifestError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = match &value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match number {
            Some(number) if number > most => Err(self.wrong(key, Problem::TooMuch { asked: number, most })),
            Some(number) if number > 0 => Ok(Some(number)),
            _ => Err(self.wrong(key, Problem::Type("a number from 1"))),
        }
    }

    /// Bytes under this key: a number, or text such as `64KiB`.
    pub(super) fn bytes(&mut self, key: &'static str, most: u64) -> Result<Option<u64>, ManifestError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let bytes = match &value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::String(text) => bytes_of(text),
            _ => None,
        };
        match bytes {
            Some(asked) if asked > most => Err(self.wrong(key, Problem::TooMuch { asked, most })),
            Some(bytes) if bytes > 0 => Ok(Some(bytes)),
            _ => {
                Err(self
                    .wrong(key, Problem::Form("a number of bytes, or text such as \"64KiB\" or \"4MiB\"")))
            }
        }
    }

    /// The list of texts under this key.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, ManifestError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let DeValue::Array(array) = value else {
            return Err(self.wrong(key, Problem::Type("a list of texts")));
        };
        let mut found = Vec::new();
        for item in array {
            match item.into_inner() {
                DeValue::String(text) => found.push(text.into_owned()),
                _ => return Err(self.wrong(key, Problem::Type("a list of texts"))),
            }
        }
        Ok(Some(found))
    }

    /// Whatever is under this key, as plain TOML.
    pub(super) fn any(&mut self, key: &'static str) -> Result<Option<toml::Value>, ManifestError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let expected = Problem::Type("text, a whole number, true, false or a list of texts");
        plain(value).map(Some).ok_or_else(|| self.wrong(key, expected))
    }

    /// Nothing else may be here.
    pub(super) fn end(self) -> Result<(), ManifestError> {
        let Some((key, at, _)) = self.rows.first() else { return Ok(()) };
        let known = self.read.iter().map(|(key, _)| *key).collect();
        let line = line_of(self.text, *at);
        Err(ManifestError { line, key: self.path_of(key), problem: Problem::Unknown(known) })
    }
}

/// Without the spans; `None` for what no setting can be: dates, floats and tables.
fn plain(value: DeValue<'_>) -> Option<toml::Value> {
    Some(match value {
        DeValue::String(text) => toml::Value::String(text.into_owned()),
        DeValue::Integer(number) => {
            toml::Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()?)
        }
        DeValue::Boolean(flag) => toml::Value::Boolean(flag),
        DeValue::Array(array) => {
            toml::Value::Array(array.into_iter().map(|item| plain(item.into_inner())).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// `4MiB`, `64 KiB`, `100B`.
fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match text[digits..].trim() {
        "B" | "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}
