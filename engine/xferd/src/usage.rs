//! Ends a program on what `clap` says: help and version are results, the rest is exit 1.

use base::codes::exit;
use clap::error::ErrorKind;
use std::io::Write as _;
use std::process::ExitCode;

/// Prints the message where it belongs and gives the exit status.
pub fn end(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = write!(std::io::stdout(), "{}", error.render());
            ExitCode::from(exit::OK)
        }
        _ => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            ExitCode::from(exit::USAGE)
        }
    }
}
