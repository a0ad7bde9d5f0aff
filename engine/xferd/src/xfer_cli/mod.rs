//! The command line of the client: one command, one file.
//!
//! Every run ends through one door, [`finish`]: with `--json` that is exactly one `result`, also for a
//! command line that could not be read.

mod call;
mod copy;
mod flags;
mod join;
mod location;
mod ls;
mod rate;
mod remotes;
mod rm;
mod status;
mod sync;
mod unsupported;
mod verify;

pub use location::{Ends, Location, RemotePath};

use crate::escape::Shown;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter, Verbosity};
use base::codes::exit;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// The client's command line.
#[derive(Parser, Debug)]
#[command(name = "xfer", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = AFTER_HELP,
    disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Xfer {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const ABOUT: &str = "File transfer client: encrypted, verified, resumable, durable";
const LONG_ABOUT: &str = "\
xfer moves files between this machine and a daemon (xferd) it joined: every byte encrypted, every file verified by \
BLAKE3 before it gets its name, every transfer resumable by running the same command again. Exit 0 means that \
everything is in place at the other end, as durable as asked for, and a signed receipt says so.

A remote is written NAME:PATH, where NAME is what 'xfer join' was given; ./a:b is a local name with a colon.";

const AFTER_HELP: &str = "\
EXAMPLES
  xfer join TOKEN --name lab                    once; 'xferd invite --account NAME' prints the token
  xfer copy -P bigfile dir/ lab:/incoming/      push, as cp -r
  xfer copy lab:/incoming/bigfile .             pull
  xfer sync -a --delete ./tree lab:/tree        make lab:/tree equal ./tree
  xfer ls -l lab:/

JSON
  --json writes one object a line on stdout: schema, seq, utc_ms, event (start, file, progress, warning, retry, entry,
  result). The last is always exactly one 'result' with ok, exit, code, message and next. A path that is not
  UTF-8 is path_base64 instead of path.

EXIT STATUS
  0   success                                   23  some files failed, the rest is in place
  1   wrong flags or arguments                  24  some sources vanished meanwhile
  2   protocol error or no common version       25  --delete-max stopped the deletions
  3   no such source or bad path                30  a deadline passed, or a rate limit
  5   could not start                           41  authentication failed
  10  the remote could not be reached           42  denied by a rule or policy
  11  a file could not be read or written       43  content is not what was signed
  12  the connection ended in mid-transfer
  20  ended by a signal

ENVIRONMENT
  XFER_STATE   as --state

FILES
  $XDG_STATE_HOME/xfer or ~/.local/state/xfer
      State: device key, trust roots, remotes, journals, receipts. Only its owner may read it.";

/// Flags that every command takes, before or after its name.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Common {
    /// State directory [default: $XDG_STATE_HOME/xfer, else ~/.local/state/xfer]
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
    /// Write events and the result as JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    Join(join::Join),
    Copy(copy::Copy),
    Sync(sync::Sync),
    Ls(ls::Ls),
    Rm(rm::Rm),
    Status(status::Status),
    Call(call::Call),
    Remotes(remotes::Remotes),
    Verify(verify::Verify),
}

/// Runs the program `xfer`; the arguments include its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed =
        crate::usage::wrapped(Xfer::command()).try_get_matches_from(&arguments).and_then(|matches| {
            let parsed = Xfer::from_arg_matches(&matches)?;
            Ok((parsed, matches))
        });
    match parsed {
        Ok((parsed, matches)) => {
            let mut reporter = Reporter::new(parsed.common.json, parsed.verbosity());
            let result = parsed.execute(&matches, &mut reporter);
            finish(&mut reporter, result)
        }
        Err(error) => unreadable(&arguments, &error),
    }
}

fn finish(reporter: &mut Reporter, result: Result<Outcome, Failure>) -> ExitCode {
    ExitCode::from(reporter.end(&result.unwrap_or_else(Outcome::failed)))
}

/// A command line that clap refused, or that only asks for help.
fn unreadable(arguments: &[OsString], error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return crate::usage::end(error);
    }
    let refused = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if error.kind() == ErrorKind::UnknownArgument => refusal(flag),
        _ => None,
    };
    let wants_json = arguments.iter().take_while(|a| *a != "--").any(|a| a == "--json");
    match (refused, wants_json) {
        (Some(failure), _) => finish(&mut Reporter::new(wants_json, Verbosity::default()), Err(failure)),
        (None, true) => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            let message = first.strip_prefix("error: ").unwrap_or(first).to_owned();
            let failure = Failure::usage(message, "'xfer --help' lists commands and flags");
            finish(&mut Reporter::new(true, Verbosity::default()), Err(failure))
        }
        (None, false) => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            ExitCode::from(exit::USAGE)
        }
    }
}

fn refusal(flag: &str) -> Option<Failure> {
    let (name, refused) = unsupported::find(flag)?;
    Some(Failure::usage(format!("{name} is not supported: {}", refused.reason), refused.next))
}

fn too_few_paths() -> Failure {
    Failure::usage("sources and a destination are needed", "xfer copy SRC.. DST")
}

fn not_remote(argument: &OsStr, what: &str) -> Failure {
    Failure::usage(
        format!("\"{}\" is local; {what}", Shown(argument.as_bytes())),
        "write NAME:PATH ('xfer remotes' lists the names)",
    )
}

impl Xfer {
    fn verbosity(&self) -> Verbosity {
        match &self.command {
            Command::Copy(command) => command.verbosity(),
            Command::Sync(command) => command.verbosity(),
            _ => Verbosity::default(),
        }
    }

    fn execute(self, matches: &ArgMatches, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        let common = &self.common;
        let own = matches.subcommand().map_or(matches, |(_, own)| own);
        match self.command {
            Command::Join(command) => command.execute(common, reporter),
            Command::Copy(command) => command.execute(common, own, reporter),
            Command::Sync(command) => command.execute(common, own, reporter),
            Command::Ls(command) => command.execute(common, reporter),
            Command::Rm(command) => command.execute(common, reporter),
            Command::Status(command) => command.execute(common, reporter),
            Command::Call(command) => command.execute(common, reporter),
            Command::Remotes(command) => command.execute(common, reporter),
            Command::Verify(command) => command.execute(common, reporter),
        }
    }
}

impl Common {
    /// Flag over environment over default.
    pub(crate) fn state_dir(&self) -> PathBuf {
        let variable = |name: &str| std::env::var_os(name);
        let named = self
            .state
            .clone()
            .or_else(|| variable("XFER_STATE").filter(|v| !v.is_empty()).map(PathBuf::from));
        let path = named.unwrap_or_else(|| crate::state_dir::xdg_state_home(&variable).join("xfer"));
        std::path::absolute(&path).unwrap_or(path)
    }
}
