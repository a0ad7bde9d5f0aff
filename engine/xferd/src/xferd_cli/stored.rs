//! `xferd stored`: what each account stores.

use super::Common;
use crate::admin::{self, Command};
use crate::escape::shown;
use crate::failure::Failure;
use std::fmt::Write as _;

/// Show what each account stores, or count it again
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Shows files and bytes that each account stores on each share with 'count-stored = true'. A \
file belongs to the account that pushed it last; removing or replacing it takes it from that account. What was \
there before counting began belongs to nobody.

Only what goes through the daemon is seen. After work in a share's directory by other means, --recount looks at \
every file that is counted: what is gone is taken off, another size is corrected."
)]
#[command(after_long_help = "\
EXAMPLES
  xferd stored
  xferd stored /home --account alice
  xferd stored --recount

EXIT STATUS
  0 shown; 3 no such share; 5 the state directory cannot be used; 11 a share cannot be read")]
pub(super) struct Stored {
    /// Only this share
    share: Option<String>,
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Look at every file that is counted, and correct
    #[arg(long)]
    recount: bool,
}

impl Stored {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let Self { share, account, recount } = self;
        let perform = |command: &Command| admin::perform(common.state_dir()?, &common.flags(), command);
        let show = Command::Stored { share: share.clone(), account };
        let mut data = perform(&show)?;
        if recount {
            let named = data["shares"].as_array().into_iter().flatten();
            let all = named.filter_map(|share| Some(share["share"].as_str()?.to_owned()));
            let shares: Vec<String> = share.map_or_else(|| all.collect(), |share| vec![share]);
            let mut corrected = 0;
            for share in shares {
                let mut after = None;
                loop {
                    let told = perform(&Command::Recount { share: share.clone(), after })?;
                    corrected += told["corrected"].as_u64().unwrap_or_default();
                    after = serde_json::from_value(told["next"].clone()).unwrap_or_default();
                    if after.is_none() {
                        break;
                    }
                }
            }
            data = perform(&show)?;
            data["corrected"] = corrected.into();
        }
        common.print(&data, || table(&data))
    }
}

fn table(data: &serde_json::Value) -> String {
    let mut out = String::new();
    if let Some(corrected) = data["corrected"].as_u64() {
        let _ = writeln!(out, "{corrected} files corrected");
    }
    let rows = data["stored"].as_array().map_or(&[][..], Vec::as_slice);
    for row in rows {
        let text = |key: &str| shown(row[key].as_str().unwrap_or("-"));
        let number = |key: &str| row[key].as_u64().unwrap_or_default();
        let bytes = crate::report::bytes(number("bytes"));
        let _ = writeln!(
            out,
            "{:<16}  {:<20}  {:>10} files  {bytes:>10}",
            text("share"),
            text("account"),
            number("files")
        );
    }
    if let Some(left @ 1..) = data["left_out"].as_u64() {
        let _ = writeln!(out, "and {left} more; name a share or --account");
    }
    if rows.is_empty() {
        let counted = data["shares"].as_array().into_iter().flatten().any(|share| share["counted"] == true);
        out.push_str(if counted {
            "nothing is stored by anybody"
        } else {
            "nothing is counted; set count-stored = true for a share, or for all at the top of the configuration"
        });
    }
    out
}
