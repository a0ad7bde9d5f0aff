//! `xferd plugin explain`: how one decision came about.

use crate::admin::{self, Command};
use crate::escape::shown;
use crate::failure::Failure;
use crate::xferd_cli::Common;
use serde_json::Value;
use std::fmt::Write as _;

/// Tell how a decision came about
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Prints a decision from the audit log: who asked for what, which rule or plugin decided and in which words, what it read, \
what is enforced, how long it took, and whether the answer was known already. A refusal names its decision; so does \
each line of the daemon's log about one. Works on the state directory as well when no daemon runs.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin explain 19a2f04c1e00
  xferd plugin explain 19a2f04c1e00 --json | jq .reads

EXIT STATUS
  0 told; 1 no name of a decision; 3 nothing is kept under it; 5 the state directory cannot be used")]
pub(super) struct Explain {
    /// The decision, as a refusal names it
    decision: String,
}

impl Explain {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let ask = Command::Explain { decision: self.decision };
        let data = admin::perform(common.state_dir()?, &common.flags(), &ask)?;
        common.print(&data, || text(&data))
    }
}

fn text(data: &Value) -> String {
    let mut out = String::new();
    let of = |key: &str| shown(data[key].as_str().filter(|text| !text.is_empty()).unwrap_or("-"));
    let time = crate::report::date(data["utc_ms"].as_u64().unwrap_or_default());
    let share = data["share"].as_str().map_or(String::new(), |share| format!(" on /{}", shown(share)));
    let path = data["path"].as_str().filter(|path| !path.is_empty()).map(|path| format!(" at {path}"));
    let _ = writeln!(out, "decision   {} of {time}", of("decision"));
    let _ = writeln!(out, "asked      {}{share}{}", of("action"), path.unwrap_or_default());
    let _ = writeln!(out, "by         {} from {} (device {})", of("account"), of("address"), of("device"));
    let code = data["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
    let _ = writeln!(out, "answer     {}{code}: {}", of("effect"), of("reason"));
    let _ = writeln!(out, "decided by {}", of("by"));
    for (head, key) in [("read", "reads"), ("enforced", "obligations")] {
        for (at, item) in data[key].as_array().into_iter().flatten().enumerate() {
            let head = if at == 0 { head } else { "" };
            let _ = writeln!(out, "{head:<10} {}", shown(item.as_str().unwrap_or_default()));
        }
    }
    let took = data["took_ns"].as_u64().unwrap_or_default();
    let _ = writeln!(out, "took       {} us, cache {}", took.div_ceil(1000), of("cache"));
    out
}
