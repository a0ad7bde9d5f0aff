//! The command line of the daemon: one command, one file.

mod check_config;
mod devices;
mod doctor;
mod group;
mod invite;
mod plugin;
mod reload;
mod run;
mod status;
mod stop;
mod stored;

use crate::config::{self, Config, Environment, Flags, Origin};
use crate::escape::shown;
use crate::failure::Failure;
use base::codes::{Code, exit};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// The daemon's command line.
#[derive(Parser, Debug)]
#[command(name = "xferd", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = AFTER_HELP,
    disable_help_subcommand = true)]
pub struct Xferd {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    run: run::RunFlags,
    #[command(subcommand)]
    command: Option<Command>,
}

const ABOUT: &str = "File transfer daemon: encrypted, verified, resumable, durable";
const LONG_ABOUT: &str = "\
xferd serves directories to enrolled devices (see xfer): every byte encrypted, every file verified by \
BLAKE3 before it gets its name, every transfer resumable, every acknowledgement durable.

Without a command it runs the daemon in the foreground. The first start makes the device key and the trust \
root in the state directory; 'xferd invite' then makes the tokens that clients join with. When it serves, \
it prints one line on stdout ('ready listen=... io=... cores=... state=...'); its log goes to stderr.

The other commands talk to the daemon that runs on the same state directory; without one, those that can \
(invite, devices, group, status, stored) take the state lock and work on the directory themselves.";

const AFTER_HELP: &str = "\
EXAMPLES
  xferd --cores 8 --root /srv/data --listen 0.0.0.0:7440
      Serve one directory as / to every enrolled account.
  xferd invite --account alice
      Print a token; alice runs 'xfer join TOKEN --name lab' once.
  xferd group create ops alice bob
      Let rules and policies be about several accounts by one name.
  xferd --config /etc/xferd
      Serve what the configuration names ('xferd check-config' checks it first).
  xferd reload && xferd status
      Read the configuration again, then look.

CONFIGURATION
  TOML; flags go over environment, environment over files. Keys (see 'xferd check-config --help'):
  cores, listen, root, state, io, durability, count-stored, [log] level format, [limits],
  [[share]] name path read-only owners allow deny durability-min count-stored,
  [[rule]] effect account group device action share protocol, and what it demands.
  Groups of accounts are kept by 'xferd group'; allow and deny name them as @NAME.

SIGNALS
  TERM, INT   stop accepting, finish what runs until limits.drain_ms, then end; a second one ends at once
  HUP         read the configuration again, as 'xferd reload'

EXIT STATUS
  0   served until it was told to stop
  1   wrong flags, arguments or configuration
  5   could not start: a port in use, a missing directory, another daemon on the same state
  10  no daemon to talk to
  11  a file could not be read or written
  20  ended at once by a second signal

ENVIRONMENT
  XFERD_CONFIG XFERD_STATE XFERD_CORES XFERD_ROOT XFERD_LISTEN XFERD_IO XFERD_DURABILITY XFERD_LOG
  XFERD_LOG_FORMAT
      As the flags of the same name; XFERD_LISTEN takes addresses separated by commas.

FILES
  /etc/xferd/xferd.toml, /etc/xferd/conf.d/*.toml
      Configuration, when --config names none.
  /var/lib/xferd (root), $XDG_STATE_HOME/xferd or ~/.local/state/xferd (others)
      State: keys, trust root, devices, journals, receipts. Only its owner may read it.";

/// Flags that every command takes, before or after its name.
#[derive(clap::Args, Clone, Debug)]
pub struct Common {
    /// State directory [default: /var/lib/xferd for root, else $XDG_STATE_HOME/xferd]
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
    /// Configuration file, or a directory with xferd.toml and conf.d/ [default: /etc/xferd]
    #[arg(long, value_name = "PATH", global = true)]
    config: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    Invite(invite::Invite),
    Status(status::Status),
    CheckConfig(check_config::CheckConfig),
    Doctor(doctor::Doctor),
    Devices(devices::Devices),
    Group(group::Group),
    Plugin(plugin::Plugin),
    Stored(stored::Stored),
    Reload(reload::Reload),
    Stop(stop::Stop),
}

/// Runs the program `xferd`; the arguments include its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = crate::usage::wrapped(Xferd::command())
        .try_get_matches_from(arguments)
        .and_then(|matches| Xferd::from_arg_matches(&matches));
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return crate::usage::end(&error),
    };
    match parsed.execute() {
        Ok(()) => ExitCode::from(exit::OK),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "xferd: {failure}");
            ExitCode::from(failure.exit)
        }
    }
}

impl Xferd {
    fn execute(self) -> Result<(), Failure> {
        if let (Some(flag), Some(_)) = (self.run.first_given(), &self.command) {
            return Err(Failure::usage(
                format!("{flag} is a flag of the daemon; it does not go with a command"),
                format!("leave {flag} out, or leave the command out to run the daemon"),
            ));
        }
        let common = &self.common;
        match self.command {
            None => self.run.execute(common),
            Some(Command::Invite(command)) => command.execute(common),
            Some(Command::Status(command)) => command.execute(common),
            Some(Command::CheckConfig(command)) => command.execute(common),
            Some(Command::Doctor(command)) => command.execute(common),
            Some(Command::Devices(command)) => command.execute(common),
            Some(Command::Group(command)) => command.execute(common),
            Some(Command::Plugin(command)) => command.execute(common),
            Some(Command::Stored(command)) => command.execute(common),
            Some(Command::Reload(command)) => command.execute(common),
            Some(Command::Stop(command)) => command.execute(common),
        }
    }
}

impl Common {
    fn flags(&self) -> Flags {
        Flags { config: self.config.clone(), state: self.state.clone(), ..Flags::default() }
    }

    /// The state directory; the configuration is read only when neither flag nor environment names it.
    fn state_dir(&self) -> Result<PathBuf, Failure> {
        let variable = |name: &str| std::env::var_os(name);
        let named = self
            .state
            .clone()
            .or_else(|| variable("XFERD_STATE").filter(|v| !v.is_empty()).map(PathBuf::from));
        match named {
            Some(path) => Ok(std::path::absolute(&path).unwrap_or(path)),
            None => Ok(load(&self.flags())?.state.value),
        }
    }

    /// Prints a result: JSON as one line, or what `text` makes of it.
    fn print(&self, data: &serde_json::Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let mut line = if self.json { data.to_string() } else { text() };
        if !line.ends_with('\n') {
            line.push('\n');
        }
        std::io::stdout().write_all(line.as_bytes()).map_err(|error| Failure::io("stdout", &error))
    }
}

/// Reads the configuration of this process's surroundings.
///
/// # Errors
/// All its mistakes in one message.
pub fn load(flags: &Flags) -> Result<Config, Failure> {
    let variable = |name: &str| std::env::var_os(name);
    let environment = Environment {
        variable: &variable,
        is_root: rustix::process::geteuid().is_root(),
        cpus: crate::server::cpus().len().try_into().unwrap_or(u16::MAX),
    };
    config::load(flags, &environment).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| shown(&problem.to_string())).collect();
        let next = match problems.iter().all(|problem| matches!(problem.origin, Origin::File { .. })) {
            true => "correct the file; 'xferd check-config FILE' checks it",
            false => "correct the flag or variable; 'xferd --help' lists them",
        };
        Failure { exit: exit::USAGE, ..Failure::new(Code::InvalidRequest, lines.join("\n  "), next) }
    })
}
