//! Why a program ends without success: one code, one exit status, one sentence, one next step.

use base::codes::{Code, TABLE, exit};
use std::fmt;

/// The one way a command fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Exit status.
    pub exit: u8,
    /// What kind.
    pub code: Code,
    /// What happened, to what.
    pub message: String,
    /// What to do next; empty when there is nothing to say.
    pub next: String,
}

impl Failure {
    /// A failure with its code's own exit status.
    pub fn new(code: Code, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit: code.exit(), code, message: message.into(), next: next.into() }
    }

    /// Wrong flags or arguments.
    pub fn usage(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit: exit::USAGE, ..Self::new(Code::InvalidRequest, message, next) }
    }

    /// The program could not start its work.
    pub fn start(code: Code, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit: exit::START, ..Self::new(code, message, next) }
    }

    /// An operating system error about a named thing.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        let code = match error.raw_os_error() {
            Some(number) => Code::from_errno(base::io::Errno(number)),
            None => Code::Io,
        };
        let next = match code {
            Code::AccessDenied => "run it as the user that owns it, or change its mode",
            Code::NotFound => "check the path",
            Code::NoSpace => "make room, then run it again",
            _ => "",
        };
        let exit = if code == Code::AccessDenied { Code::Io.exit() } else { code.exit() };
        Self { exit, ..Self::new(code, format!("{what}: {}", plain(error)), next) }
    }

    /// The code of this name; [`Code::InternalError`] for a name this build does not know.
    pub fn code_named(name: &str) -> Code {
        TABLE.iter().find(|row| row.name == name).map_or(Code::InternalError, |row| row.code)
    }
}

/// An error's text without Rust's "(os error 2)".
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.next.is_empty() {
            write!(f, "\n  next: {}", self.next)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_follow_the_table_except_at_start_and_for_usage() {
        assert_eq!(Failure::new(Code::AccessDenied, "x", "").exit, 42);
        assert_eq!(Failure::usage("x", "").exit, 1);
        assert_eq!(Failure::start(Code::Conflict, "x", "").exit, 5);
        let error = std::io::Error::from_raw_os_error(2);
        let failure = Failure::io("/nowhere", &error);
        assert_eq!((failure.exit, failure.code), (3, Code::NotFound));
        assert_eq!(failure.to_string(), "/nowhere: No such file or directory\n  next: check the path");
        assert_eq!(Failure::code_named("ACCESS_DENIED"), Code::AccessDenied);
    }
}
