//! `xfer call`: a protocol that a plugin of the daemon serves.

use super::{Common, flags::EngineFlags};
use crate::client::{self, ProtocolCall};
use crate::duration;
use crate::escape::Shown;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter, bytes_fields};
use base::limits::Limits;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// Call a protocol that a plugin of a remote serves
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Sends one request to a handler plugin of a remote and writes its answer to stdout, byte for byte. What is sent is the \
content of FILE, of stdin with -, or nothing. The remote asks its rules and policies whether this account may 'invoke' \
the protocol. A call is made again by itself only where nothing can have come of it: the remote was busy, or this \
device had too many calls without an answer.

With --json the answer is in the result: data.answer, or data.answer_base64 where it is not UTF-8.")]
#[command(after_long_help = "\
EXAMPLES
  xfer call lab echo greeting.txt
  echo hello | xfer call lab echo -
  xfer call lab backlog --timeout 5s --json | jq -r .data.answer

EXIT STATUS
  0 answered; 2 refused by the handler; 3 no such protocol (404); 12 the handler failed; 23 too large (413);
  30 no answer in time, or too many calls (429); 42 denied (403); others: 'xfer --help'")]
pub(super) struct Call {
    #[command(flatten)]
    engine: EngineFlags,
    /// How long the answer may take, such as 500ms, 10s or 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration::parse)]
    timeout: Duration,
    /// Name of the remote ('xfer remotes' lists them)
    remote: String,
    /// Name of the protocol, as the handler calls it
    protocol: String,
    /// What is sent: a file, or - for stdin
    file: Option<OsString>,
}

impl Call {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        let remote = self.remote.strip_suffix(':').unwrap_or(&self.remote);
        let body = self.file.as_ref().map(read).transpose()?.unwrap_or_default();
        let call = ProtocolCall { remote, protocol: &self.protocol, body, within: self.timeout };
        let answer = client::call(&self.engine.engine(common), call, reporter)?;
        if !reporter.is_json() {
            let mut stdout = std::io::stdout();
            let written = stdout.write_all(&answer).and_then(|()| stdout.flush());
            written.map_err(|error| Failure::io("stdout", &error))?;
        }
        Ok(Outcome { data: Some(bytes_fields("answer", &answer).into()), ..Outcome::ok() })
    }
}

/// What is sent; no more than fits is read.
fn read(file: &OsString) -> Result<Vec<u8>, Failure> {
    let most = u64::from(Limits::DEFAULT.control_bytes_max) + 1;
    let mut body = Vec::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut body)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut body))
    };
    read.map_err(|error| Failure::io(Shown(file.as_bytes()), &error))?;
    Ok(body)
}
