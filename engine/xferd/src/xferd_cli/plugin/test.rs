//! `xferd plugin test`: a policy's cases.

use super::Common;
use crate::escape::shown;
use crate::failure::Failure;
use crate::plugin::{author, trial};
use base::codes::Code;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Run a policy's cases
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Runs the cases in tests/*.toml of a policy's folder by the code that decides in the daemon, after building the policy. \
Each case says what is asked, what the answer has to be, and how many instructions it may take: counted exactly, so the \
bound holds on every machine.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin test
  xferd plugin test plugins/acl --component target/plugins/acl/acl.wasm

EXIT STATUS
  0 every case passed; 2 the plugin does not fit its manifest, or a file of cases is wrong; 3 nothing to run; 23 a case \
failed; else as 'xferd plugin build'")]
pub(super) struct Test {
    /// Folder with plugin.toml and tests/ [default: the current one]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Component that is there already: do not build
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
}

impl Test {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let folder = self.folder.as_deref().unwrap_or(Path::new("."));
        let component = match self.component {
            Some(component) => component,
            None => author::build(folder)?.0,
        };
        let outcomes = trial::run(&component, &folder.join("plugin.toml"), &cases(&folder.join("tests"))?)?;
        let failed = outcomes.iter().filter(|outcome| !outcome.problems.is_empty()).count();
        let rows: Vec<_> = outcomes
            .iter()
            .map(|outcome| {
                serde_json::json!({
                    "file": outcome.file, "case": outcome.name, "ok": outcome.problems.is_empty(),
                    "problems": outcome.problems, "fuel": outcome.fuel,
                })
            })
            .collect();
        common.print(&serde_json::json!({ "cases": rows, "failed": failed }), || table(&outcomes, failed))?;
        match failed {
            0 => Ok(()),
            _ => {
                Err(Failure::new(Code::Conflict, format!("{failed} of {} cases failed", outcomes.len()), ""))
            }
        }
    }
}

/// Files of cases, by name.
pub(super) fn cases(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io(folder.display(), &error)),
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect();
    files.sort();
    Ok(files)
}

fn table(outcomes: &[trial::Outcome], failed: usize) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let verdict = if outcome.problems.is_empty() { "ok" } else { "FAILED" };
        let fuel = outcome.fuel.map(|fuel| format!("  {fuel} instructions")).unwrap_or_default();
        let _ = writeln!(out, "{verdict:<6}  {}{fuel}", shown(&outcome.name));
        for problem in &outcome.problems {
            let _ = writeln!(out, "        {}", shown(problem));
        }
    }
    let _ = write!(out, "{} passed, {failed} failed", outcomes.len() - failed);
    out
}
