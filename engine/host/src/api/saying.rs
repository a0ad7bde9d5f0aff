//! What a plugin says: lines and numbers.

use crate::bindings::xferd::plugin::types::Attr;
use crate::bindings::xferd::plugin::{log, metrics};
use crate::guest::{Guest, Level, LogLine};
use crate::value::Value;
use wasmtime::Result;

impl From<log::Level> for Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Self::Trace,
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
            log::Level::Error => Self::Error,
        }
    }
}

/// Cuts a text at a character's border.
fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

impl log::Host for Guest {
    fn enabled(&mut self, at: log::Level) -> Result<bool> {
        self.charge(0)?;
        Ok(Level::from(at) >= self.log_from)
    }

    fn emit(&mut self, at: log::Level, msg: String, fields: Vec<Attr>) -> Result<()> {
        self.charge(msg.len())?;
        self.several("fields", fields.len())?;
        let level = Level::from(at);
        let (limits, gauges) = (&self.plugin.limits, &self.plugin.gauges);
        let mut left = limits.plugin_log_line_bytes_max as usize;
        let mut message = msg;
        cut(&mut message, left);
        if level == Level::Error {
            let mut text = message.clone();
            cut(&mut text, limits.plugin_detail_bytes_max as usize);
            self.last_error = Some(text);
        }
        if level < self.log_from || !gauges.may_log(self.now.utc_ms, limits.plugin_log_lines_per_second) {
            return Ok(());
        }
        left -= message.len();
        let mut kept = Vec::new();
        for field in fields {
            let value = Value::from(field.val).to_string();
            let Some(rest) = left.checked_sub(field.key.len() + value.len()) else { break };
            left = rest;
            kept.push((field.key, value));
        }
        let plugin = self.plugin.name.clone();
        self.lines.push(LogLine { plugin, level, message, fields: kept });
        Ok(())
    }
}

impl metrics::Host for Guest {
    fn add(&mut self, counter: String, delta: u64) -> Result<()> {
        self.charge_name(&counter)?;
        self.plugin.gauges.add(&counter, delta);
        Ok(())
    }

    fn observe(&mut self, histogram: String, sample: f64) -> Result<()> {
        self.charge_name(&histogram)?;
        self.plugin.gauges.sample(&histogram, sample);
        Ok(())
    }
}
