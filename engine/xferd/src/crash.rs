//! Crash points: in a build with the feature `crash-points`, `XFERD_CRASH=name:n` ends the process by SIGKILL
//! at the n-th passing of a point. Without the feature nothing here remains.

use base::points::Point;

/// A point was passed.
#[cfg(not(feature = "crash-points"))]
pub fn reach(_: Point) {}

/// A point was passed.
#[cfg(feature = "crash-points")]
pub fn reach(point: Point) {
    armed::reach(point);
}

/// Refuses a value of `XFERD_CRASH` that would never fire.
///
/// # Errors
/// It names no point or no number.
#[cfg(feature = "crash-points")]
pub fn check() -> Result<(), crate::failure::Failure> {
    armed::check()
}

/// Nothing to check.
///
/// # Errors
/// Never.
#[cfg(not(feature = "crash-points"))]
pub fn check() -> Result<(), crate::failure::Failure> {
    Ok(())
}

#[cfg(feature = "crash-points")]
mod armed {
    use crate::failure::Failure;
    use base::points::Point;
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    const VARIABLE: &str = "XFERD_CRASH";
    const LOG_VARIABLE: &str = "XFERD_CRASH_LOG";

    struct Armed {
        at: Option<(Point, u64)>,
        passed: AtomicU64,
        log: Option<std::path::PathBuf>,
    }

    static ARMED: LazyLock<Armed> = LazyLock::new(|| Armed {
        at: std::env::var(VARIABLE).ok().and_then(|text| parse(&text)),
        passed: AtomicU64::new(0),
        log: std::env::var_os(LOG_VARIABLE).map(Into::into),
    });

    fn parse(text: &str) -> Option<(Point, u64)> {
        let (name, count) = text.split_once(':').unwrap_or((text, "1"));
        Some((Point::from_name(name)?, count.parse().ok().filter(|count| *count > 0)?))
    }

    pub(super) fn check() -> Result<(), Failure> {
        match std::env::var(VARIABLE) {
            Ok(text) if parse(&text).is_none() => {
                let names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
                Err(Failure::usage(format!("{VARIABLE}={text} names no crash point"), names.join(" ")))
            }
            _ => Ok(()),
        }
    }

    /// Each point that is passed is also appended to `XFERD_CRASH_LOG`, so that a test can list those that no run
    /// passed.
    pub(super) fn reach(point: Point) {
        let armed = &*ARMED;
        if let Some(path) = &armed.log
            && let Ok(mut file) = std::fs::File::options().create(true).append(true).open(path)
        {
            let _ = file.write_all(format!("{}\n", point.name()).as_bytes());
        }
        let Some((at, count)) = armed.at else { return };
        if at == point && armed.passed.fetch_add(1, Ordering::Relaxed) + 1 == count {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}
