//! Lines in the daemon's log, under the plugin's name: at most 64 a second, 4 KiB each.
//!
//! ```
//! # use xferd_plugin_sdk::{double::Double, log};
//! # let mut world = Double::default();
//! # world.run(|| {
//! log::info!("{} of {} left", 3, 10);
//! # });
//! assert_eq!(world.lines(), ["3 of 10 left"]);
//! ```

use crate::host::log as host;
pub use crate::host::log::Level;

/// Whether a line of this level would be kept.
#[must_use]
pub fn enabled(level: Level) -> bool {
    host::enabled(level)
}

/// Writes a line, if its level is kept; the text is made only then.
pub fn line(level: Level, text: core::fmt::Arguments<'_>) {
    if host::enabled(level) {
        match text.as_str() {
            Some(text) => host::emit(level, text, &[]),
            None => host::emit(level, &alloc::fmt::format(text), &[]),
        }
    }
}

/// Writes a line of level debug, as `format!` makes it.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($word:tt)*) => { $crate::log::line($crate::log::Level::Debug, format_args!($($word)*)) };
}
/// Writes a line of level info, as `format!` makes it.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($word:tt)*) => { $crate::log::line($crate::log::Level::Info, format_args!($($word)*)) };
}
/// Writes a line of level warn, as `format!` makes it.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($word:tt)*) => { $crate::log::line($crate::log::Level::Warn, format_args!($($word)*)) };
}
/// Writes a line of level error, as `format!` makes it.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($word:tt)*) => { $crate::log::line($crate::log::Level::Error, format_args!($($word)*)) };
}

pub use crate::{__log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn};
