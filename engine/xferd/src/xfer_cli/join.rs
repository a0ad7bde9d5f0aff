//! `xfer join`: enrol this device with a token.

use super::{Common, flags::EngineFlags};
use crate::client;
use crate::config::is_plain_name;
use crate::escape::shown;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};
use base::limits::Limits;
use std::io::{IsTerminal, Read, Write};

/// Enrol this device with a token
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Enrols this device with a token that 'xferd invite' printed: makes this device's key if there is none, proves the \
daemon to be the one that made the token, and keeps its trust root, this device's certificate and its addresses under a \
name of your choice. The key never leaves this machine. A token is good once.")]
#[command(after_long_help = "\
EXAMPLES
  xfer join xferd1-... --name lab
  ssh server xferd invite --account alice | xfer join - --name lab
  xfer join --name lab                          asks for the token on the terminal

EXIT STATUS
  0 joined; 1 not a token; 10 the daemon could not be reached; 41 the token is used, expired or altered, or the
  daemon is not the one that made it")]
pub(super) struct Join {
    #[command(flatten)]
    engine: EngineFlags,
    /// Token; - or none reads it from stdin or asks on the terminal
    token: Option<String>,
    /// Name by which this machine calls the remote
    #[arg(long, value_name = "NAME")]
    name: String,
}

impl Join {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        if !is_plain_name(&self.name) {
            return Err(Failure::usage(
                format!("\"{}\" cannot be the name of a remote", shown(&self.name)),
                "use 1 to 64 bytes without spaces, control characters, / : * or quotes",
            ));
        }
        let token = match self.token.as_deref() {
            None | Some("-") => read_token()?,
            Some(token) => token.to_owned(),
        };
        client::join(&self.engine.engine(common), &self.name, token.trim(), reporter)
    }
}

/// One line of stdin; a terminal is asked first.
fn read_token() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let _ = write!(std::io::stderr(), "Token: ");
        let mut line = String::new();
        stdin.read_line(&mut line).map_err(|error| Failure::io("stdin", &error))?;
        return Ok(line);
    }
    let most = u64::from(Limits::DEFAULT.token_text_bytes_max);
    let mut text = String::new();
    stdin.take(most + 1).read_to_string(&mut text).map_err(|error| Failure::io("stdin", &error))?;
    match text.trim().is_empty() {
        true => Err(Failure::usage("no token on stdin", "'xferd invite --account NAME' prints one")),
        false => Ok(text),
    }
}
