//! Benches, in release.

use crate::setup;
use crate::shell::{Outcome, cargo, shown, target};

/// `cargo xtask bench`.
pub(crate) fn run(quick: bool) -> Outcome<()> {
    setup::ensure();
    shown(cargo().args(["build", "--release", "-p", "xferd", "--bins"]))?;
    let mut command = cargo();
    command.args(["bench", "-p", "xferd-bench"]).env("XFERD_BIN_DIR", target().join("release"));
    if quick {
        command.env("XFERD_BENCH_QUICK", "1");
    }
    shown(&mut command)
}
