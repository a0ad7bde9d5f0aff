//! `xferd check-config`: the configuration in force, or all its mistakes.

use super::Common;
use crate::config::{Flags, effective};
use crate::failure::Failure;
use base::limits::Limits;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Check a configuration and print what would be in force
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Reads a configuration as the daemon would, and prints every value in force with who set it: a file and line, a \
variable, or the default. What it prints is valid TOML. Mistakes are told all at once, each with file and line. \
Shares are not opened: 'xferd doctor' looks at them.")]
#[command(after_long_help = "\
EXAMPLES
  xferd check-config
  xferd check-config ./xferd.toml
  xferd check-config --limits

KEYS
  cores = 8                                # one thread and ring each; default one per CPU
  listen = [\"0.0.0.0:7440\", \"[::]:7440\"]
  root = \"/srv/data\"                       # one directory as /; or [[share]]s, not both
  state = \"/var/lib/xferd\"
  io = \"auto\"                              # auto, uring, threads
  durability = \"none\"                      # least durability of shares: none, file, tree
  count-stored = false                     # count what each account stores (xferd stored)
  [log]
  level = \"info\"                           # as RUST_LOG
  format = \"text\"                          # text, json
  [limits]
  sessions_per_core_max = 4096
  [[share]]                                # mounted at /name
  name = \"lab\"
  path = \"/srv/lab\"
  read-only = false
  owners = false                           # apply owners, groups and setuid bits
  allow = [\"alice:rw\", \"@ops:rw\", \"*:r\"]   # when given, nobody else may; @ops is a group
  deny = [\"mallory\"]
  durability-min = \"tree\"
  count-stored = true
  [[rule]]                                 # tried in order; the first that fits decides
  effect = \"deny\"                          # allow, deny
  account = \"alice\"                        # or device = \"64 hexadecimal digits\"
  group = \"ops\"                            # whose accounts 'xferd group' keeps
  action = [\"push\", \"remove\"]              # connect browse pull push replace remove invoke
  share = \"lab\"
  protocol = \"xferd.status\"                # of an invoke
  [[rule]]                                 # what is allowed can be bounded
  effect = \"allow\"
  max-bytes = 1000000000                   # of one transfer; also max-files
  bytes-per-second = 10000000
  max-stored-bytes = 50000000000           # of the account on the share, which is counted
  not-after = 2027-01-31T18:00:00Z         # then it ends
  read-only = false
  store-as = \"inbox\"                     # pushed there instead, beneath the share
  label = \"guest\"                        # in the log, and for later decisions of a session
  notify = \"a guest pushes\"              # a warning in the log
  [[rule.path]]                            # per file, the first glob that matches; as --exclude
  glob = \"*.exe\"
  effect = \"deny\"                        # default allow
  max-bytes = 1000000
  store-as = \"checked/\"                  # with a / at its end the file keeps its path below it
  code = \"no-programs\"                   # what a refused file is told
  [plugin]
  keys = [\"64 hexadecimal digits\"]        # whose signatures 'xferd plugin install' takes
  enabled = [\"acme/hours\"]               # asked in this order; default all that are installed
  [plugin.settings.\"acme/hours\"]
  hours = \"08-18\"

EXIT STATUS
  0 it is valid; 1 it is not")]
pub(super) struct CheckConfig {
    /// File or directory to check [default: --config, else /etc/xferd]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// List every bound of [limits] instead: value in force and ceiling
    #[arg(long)]
    limits: bool,
}

impl CheckConfig {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let flags = Flags { config: self.file.or_else(|| common.config.clone()), ..common.flags() };
        let config = super::load(&flags)?;
        if self.limits {
            let values = serde_json::json!({"limits": limits(&config.limits)});
            return common.print(&values, || table(&config.limits));
        }
        let text = effective(&config);
        common.print(&serde_json::json!({"valid": true, "effective": text}), || text.clone())
    }
}

fn limits(limits: &Limits) -> serde_json::Map<String, serde_json::Value> {
    limits
        .rows()
        .map(|(name, value, most)| (name.to_owned(), serde_json::json!({"value": value, "most": most})))
        .collect()
}

fn table(limits: &Limits) -> String {
    let mut out = String::new();
    for (name, value, most) in limits.rows() {
        let _ = writeln!(out, "{name} = {value:<14} # at most {most}");
    }
    out
}
