//! What an operator may set of a plugin: typed, with defaults.

use super::reader::Table;
use super::{Manifest, ManifestError, Problem};
use crate::value::Value;
use base::limits::Limits;
use std::fmt;

/// Type of a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A number from 0.
    Uint,
    /// A number.
    Int,
    /// Yes or no.
    Flag,
    /// Several texts.
    Texts,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 5] = [Kind::Text, Kind::Uint, Kind::Int, Kind::Flag, Kind::Texts];

    /// Its name in `plugin.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uint => "uint",
            Self::Int => "int",
            Self::Flag => "flag",
            Self::Texts => "texts",
        }
    }

    /// The value of this kind, if it is one.
    pub fn value(self, given: &toml::Value) -> Option<Value> {
        match (self, given) {
            (Self::Text, toml::Value::String(text)) => Some(Value::Text(text.clone())),
            (Self::Uint, toml::Value::Integer(number)) => u64::try_from(*number).ok().map(Value::Uint),
            (Self::Int, toml::Value::Integer(number)) => Some(Value::Int(*number)),
            (Self::Flag, toml::Value::Boolean(flag)) => Some(Value::Flag(*flag)),
            (Self::Texts, toml::Value::Array(items)) => {
                let text = |item: &toml::Value| item.as_str().map(str::to_owned);
                items.iter().map(text).collect::<Option<_>>().map(Value::Texts)
            }
            _ => None,
        }
    }
}

/// One setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its type.
    pub kind: Kind,
    /// What it is unless the operator says otherwise; `None`: the operator has to say.
    pub default: Option<Value>,
    /// One sentence.
    pub help: String,
}

/// What is wrong with an operator's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingError {
    /// The plugin has no such setting; it has these.
    Unknown {
        /// The key.
        key: String,
        /// Those it has.
        known: Vec<String>,
    },
    /// Of another type.
    Type {
        /// The key.
        key: String,
        /// The type it has.
        kind: Kind,
    },
    /// It has no default and was not given.
    Missing {
        /// The key.
        key: String,
        /// The type it has.
        kind: Kind,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { key, known } if known.is_empty() => {
                write!(f, "unknown setting `{key}`: this plugin has no settings")
            }
            Self::Unknown { key, known } => {
                write!(f, "unknown setting `{key}`: this plugin has {}", known.join(", "))
            }
            Self::Type { key, kind } => write!(f, "setting `{key}` has to be of type {}", kind.name()),
            Self::Missing { key, kind } => {
                write!(f, "setting `{key}` ({}) has no default: set it", kind.name())
            }
        }
    }
}

impl std::error::Error for SettingError {}

impl Manifest {
    /// Every setting in the order of `plugin.toml`, with what the operator gave or its default.
    ///
    /// # Errors
    /// The first one that is unknown, of another type, or missing.
    pub fn settings(&self, given: &toml::Table) -> Result<Vec<(String, Value)>, SettingError> {
        let known = || self.config.iter().map(|setting| setting.key.clone()).collect();
        if let Some(key) = given.keys().find(|key| self.config.iter().all(|setting| setting.key != **key)) {
            return Err(SettingError::Unknown { key: key.clone(), known: known() });
        }
        let value = |setting: &Setting| {
            let (key, kind) = (setting.key.clone(), setting.kind);
            let value = match given.get(&setting.key) {
                Some(given) => kind.value(given).ok_or(SettingError::Type { key: key.clone(), kind })?,
                None => setting.default.clone().ok_or(SettingError::Missing { key: key.clone(), kind })?,
            };
            Ok((key, value))
        };
        self.config.iter().map(value).collect()
    }
}

/// Reads `[config.*]`.
pub(super) fn read(table: Option<Table<'_>>, limits: &Limits) -> Result<Vec<Setting>, ManifestError> {
    let Some(table) = table else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (key, mut table) in table.tables()? {
        let name = table.required_text("type")?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            table.wrong("type", Problem::Form("\"text\", \"uint\", \"int\", \"flag\" or \"texts\""))
        })?;
        let default = match table.any("default")? {
            None => None,
            Some(given) => {
                Some(kind.value(&given).ok_or_else(|| table.wrong("default", Problem::Type(kind.name())))?)
            }
        };
        if key.is_empty() || key.len() > limits.plugin_name_bytes_max as usize {
            return Err(table.wrong("type", Problem::Form("a shorter key of the setting")));
        }
        let help = table.text("help")?.unwrap_or_default();
        table.end()?;
        found.push(Setting { key, kind, default, help });
    }
    Ok(found)
}
