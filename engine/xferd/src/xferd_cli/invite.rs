//! `xferd invite`: one join token.

use super::Common;
use crate::admin::{self, Command};
use crate::failure::Failure;

/// Make a token with which one device joins as an account
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Makes a token with which one device joins as an account, and prints it alone on stdout. The token is good \
once and for a limited time; whoever holds it until then becomes that account, so send it over a channel you \
trust. It holds the addresses at which this daemon is reached and the identity it must prove.")]
#[command(after_long_help = "\
EXAMPLES
  xferd invite --account alice
  xferd invite --account backup --ttl 2h --address backup.example.org:7440
  xferd invite --account alice | ssh laptop xfer join - --name lab

EXIT STATUS
  0 a token is on stdout; 1 wrong arguments; 5 the state directory cannot be used; 41 no such authority here")]
pub(super) struct Invite {
    /// Account the device will belong to
    #[arg(long, value_name = "NAME")]
    account: String,
    /// How long the token is good: 90s, 15m, 2h (limits.token_ttl_ms_max bounds it)
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = crate::duration::parse)]
    ttl: std::time::Duration,
    /// Address clients reach this daemon at, repeatable [default: what it listens on; for a wildcard every
    /// global address of this machine]
    #[arg(long = "address", value_name = "HOST:PORT")]
    addresses: Vec<String>,
}

impl Invite {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        if !crate::config::is_plain_name(&self.account) {
            return Err(Failure::usage(
                format!("\"{}\" cannot be the name of an account", crate::escape::shown(&self.account)),
                "use 1 to 64 bytes without spaces, control characters, / : * or quotes",
            ));
        }
        let command = Command::Invite {
            account: self.account,
            ttl_ms: u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX),
            addresses: self.addresses,
        };
        let data = admin::perform(common.state_dir()?, &common.flags(), &command)?;
        common.print(&data, || data["token"].as_str().unwrap_or_default().to_owned())
    }
}
