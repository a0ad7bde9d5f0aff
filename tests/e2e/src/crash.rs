//! Deaths at named points: binaries built with the feature `crash-points` end themselves by SIGKILL where a
//! variable says, and write down which points they pass.

use crate::client::Client;
use crate::daemon::Start;
use crate::program;
use base::points::Point;
use std::collections::BTreeSet;
use std::path::Path;

/// The variable that names a point and its passing.
const VARIABLE: &str = concat!("XFERD", "_CRASH");
/// The variable that names a file for the points that are passed.
const LOG_VARIABLE: &str = concat!("XFERD", "_CRASH_LOG");

/// Whether the binaries under test answer to the variable; else it is printed why `test` is skipped.
pub fn is_compiled_in(test: &str) -> bool {
    let bytes = std::fs::read(program::binary("xferd")).expect("a binary can be read");
    let found = bytes.windows(VARIABLE.len()).any(|window| window == VARIABLE.as_bytes());
    if !found {
        println!("skipped: {test}: the binaries were built without the feature crash-points");
    }
    found
}

/// The `nth` passing of a point, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Death {
    /// Where.
    pub point: Point,
    /// At which passing.
    pub nth: u32,
}

impl Death {
    /// At the first passing.
    pub fn at(point: Point) -> Self {
        Self { point, nth: 1 }
    }

    fn value(self) -> String {
        format!("{}:{}", self.point.name(), self.nth)
    }
}

/// A daemon that notes the points it passes in `log`, and dies at one of them.
pub fn daemon(start: &Start, log: &Path, death: Option<Death>) -> Start {
    let noting = start.clone().environment(LOG_VARIABLE, &log.display().to_string());
    match death {
        Some(death) => noting.environment(VARIABLE, &death.value()),
        None => noting,
    }
}

/// A client that notes the points it passes in `log`, and dies at one of them.
pub fn client(client: &Client, log: &Path, death: Option<Death>) -> Client {
    let noting = client.environment(LOG_VARIABLE, &log.display().to_string());
    match death {
        Some(death) => noting.environment(VARIABLE, &death.value()),
        None => noting,
    }
}

/// The points that a log names.
pub fn passed(log: &Path) -> BTreeSet<Point> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(Point::from_name).collect()
}
