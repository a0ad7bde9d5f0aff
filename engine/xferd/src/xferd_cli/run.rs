//! The default command: the daemon itself.

use super::Common;
use crate::config::{Durability, Flags, IoChoice, LogFormat};
use crate::failure::Failure;
use std::path::PathBuf;

/// Flags of the daemon. Each also is a key of the configuration and a variable of the environment.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Daemon")]
pub(super) struct RunFlags {
    /// Cores: each a thread with its own ring, buffers and listeners [default: one per CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    cores: Option<u16>,
    /// Directory to serve as / (to serve several, name [[share]]s in the configuration)
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Address to listen on, repeatable; port 0 takes a free one [default: 0.0.0.0:7440]
    #[arg(long, value_name = "IP:PORT")]
    listen: Vec<String>,
    /// How the kernel is asked: io_uring, blocking threads, or io_uring where it works [default: auto]
    #[arg(long, value_name = "WAY", hide_possible_values = true)]
    io: Option<IoChoice>,
    /// Least durability of what is received: none, file or tree; a client may ask for more [default: none]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    durability: Option<Durability>,
    /// What to log, as RUST_LOG: error, warn, info, debug, trace, or xferd::audit=debug,info [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Shape of the log on stderr: text or json [default: text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    log_format: Option<LogFormat>,
    /// Set one bound of [limits], repeatable ('xferd check-config --limits' lists them)
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    limits: Vec<String>,
}

impl RunFlags {
    /// The first flag that was given, by name.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        let given = [
            (self.cores.is_some(), "--cores"),
            (self.root.is_some(), "--root"),
            (!self.listen.is_empty(), "--listen"),
            (self.io.is_some(), "--io"),
            (self.durability.is_some(), "--durability"),
            (self.log.is_some(), "--log"),
            (self.log_format.is_some(), "--log-format"),
            (!self.limits.is_empty(), "--limit"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }

    /// Runs until told to stop.
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let flags = Flags {
            cores: self.cores,
            root: self.root,
            listen: self.listen,
            io: self.io,
            durability: self.durability,
            log: self.log,
            log_format: self.log_format,
            limits: self.limits,
            ..common.flags()
        };
        let config = super::load(&flags)?;
        crate::server::run(config, flags)
    }
}
