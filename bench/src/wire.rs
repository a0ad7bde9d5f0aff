//! Bytes that crossed the loopback device, as the kernel counts them for the network namespace.
//!
//! Whatever a tool does, its bytes pass here, headers of TCP and IP and acknowledgements included, both directions
//! summed; a segment that the kernel did not have to cut counts one header. In a namespace of its own nobody else's
//! traffic is among them.

use std::os::unix::process::CommandExt;
use std::process::Command;

const MARK: &str = "XFERD_BENCH_OWN_NETWORK";

/// Where the count comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// A namespace that only this bench is in.
    Own,
    /// The machine's: other programs' loopback traffic is counted too.
    Shared,
}

impl Network {
    /// In one sentence for the report.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Own => "counters of lo in a network namespace of its own, both directions with headers",
            Self::Shared => {
                "counters of lo, both directions with headers; the namespace is shared with other programs"
            }
        }
    }
}

/// Replaces this process by itself in a network namespace of its own, where that is possible; where it was done,
/// or cannot be, returns.
pub fn enter_own_network() -> Network {
    if std::env::var_os(MARK).is_some() {
        return Network::Own;
    }
    let raise = "ip link set lo up";
    let possible = Command::new("unshare").args(["--net", "sh", "-c", raise]).output();
    if possible.is_ok_and(|out| out.status.success())
        && let Ok(this) = std::env::current_exe()
    {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", &format!("{raise} && exec \"$@\""), "sh"]).arg(this);
        command.args(std::env::args_os().skip(1)).env(MARK, "1");
        // Only returns when it failed.
        let error = command.exec();
        eprintln!("bench: no network namespace of its own: {error}");
    }
    Network::Shared
}

/// Bytes sent over lo so far.
pub fn bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    sent(&text).unwrap_or(0)
}

fn sent(table: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix("lo:"))?;
    line.split_whitespace().nth(8)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninth_number_of_lo_is_what_was_sent() {
        let table =
            " face |bytes\n eth0: 9 9 9 9 9 9 9 9 9 9\n    lo:    100 2 0 0 0 0 0 0 12345 2 0 0 0 0 0 0\n";
        assert_eq!(sent(table), Some(12345));
    }
}
