//! Asks the running daemon; without one, does it on the state directory itself.

use super::wire::{Answer, Command, Request, SCHEMA, SOCKET};
use crate::config::Flags;
use crate::failure::{Failure, plain};
use base::codes::Code;
use base::limits::Limits;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Performs a command, by the daemon or in its place.
///
/// # Errors
/// What the daemon refused, or that neither way is open.
pub fn perform(state: PathBuf, flags: &Flags, command: &Command) -> Result<Value, Failure> {
    match connect(&state) {
        Ok(stream) => ask(stream, command),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            crate::server::offline(&state, flags, command)
        }
        Err(error) => {
            Err(Failure::io(format!("{} of the running daemon", state.join(SOCKET).display()), &error))
        }
    }
}

/// A path longer than a socket address holds is reached through its directory's descriptor.
fn connect(state: &Path) -> std::io::Result<UnixStream> {
    let directory = std::fs::File::open(state)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd()));
    UnixStream::connect(short)
}

fn ask(stream: UnixStream, command: &Command) -> Result<Value, Failure> {
    let lost = |error: &std::io::Error| {
        let next = "look at the daemon's log";
        Failure::new(Code::ConnectionLost, format!("the daemon did not answer: {}", plain(error)), next)
    };
    let request = Request { schema: SCHEMA, id: 1, command: command.clone() };
    let mut line = serde_json::to_string(&request).map_err(|error| lost(&error.into()))?;
    line.push('\n');
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(|error| lost(&error))?;
    (&stream).write_all(line.as_bytes()).map_err(|error| lost(&error))?;
    let most = u64::from(Limits::DEFAULT.control_bytes_max);
    let mut text = String::new();
    let mut reader = BufReader::new((&stream).take(most));
    let read = reader.read_line(&mut text).map_err(|error| lost(&error))?;
    if read == 0 && matches!(command, Command::Stop { .. }) {
        // It was gone before its answer: what was asked for.
        return Ok(Value::Null);
    }
    let answer: Answer = serde_json::from_str(&text).map_err(|error| lost(&error.into()))?;
    let data = answer.into_result()?;
    if matches!(command, Command::Stop { .. }) {
        wait_for_the_end(&stream).map_err(|error| lost(&error))?;
    }
    Ok(data)
}

/// The daemon holds the connection until it is gone: its end is the daemon's end.
fn wait_for_the_end(stream: &UnixStream) -> std::io::Result<()> {
    stream.set_read_timeout(None)?;
    let mut rest = [0; 64];
    loop {
        match (&mut &*stream).read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
