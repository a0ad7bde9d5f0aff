//! What a command tells: to a person, or as JSON to a program.
//!
//! A [`Reporter`] takes owned [`Told`] events in order on one thread and ends with exactly one [`Outcome`].
//! Results go to stdout; progress and failures of human runs go to stderr, progress only when that is a
//! terminal.

mod amount;
mod human;
mod json;
mod outcome;
mod told;

pub use amount::{bytes, date, duration, lines};
pub use json::{bytes_fields, path_fields};
pub use outcome::{Files, Outcome};
pub use told::{Start, Told};

use human::Human;
use json::JsonLines;
use std::io::Write;

/// How much a person wants to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verbosity {
    /// `-v`: every name; in JSON also the unchanged ones.
    pub names: bool,
    /// `-q`: failures only.
    pub quiet: bool,
    /// `-P`: a progress bar, when stderr is a terminal.
    pub progress: bool,
}

/// Writes events and the outcome of one command.
pub struct Reporter {
    sink: Sink,
    verbosity: Verbosity,
}

enum Sink {
    Json(JsonLines<Box<dyn Write + Send>>),
    Human(Box<Human>),
}

impl Reporter {
    /// A reporter of this process: JSON on stdout, or text for a person.
    pub fn new(json: bool, verbosity: Verbosity) -> Self {
        let sink = match json {
            true => Sink::Json(JsonLines::new(Box::new(std::io::stdout()))),
            false => Sink::Human(Box::new(Human::new(verbosity))),
        };
        Self { sink, verbosity }
    }

    /// Whether it writes JSON.
    pub fn is_json(&self) -> bool {
        matches!(self.sink, Sink::Json(_))
    }

    /// Whether it writes every name that changes.
    pub fn tells_names(&self) -> bool {
        self.is_json() || self.verbosity.names && !self.verbosity.quiet
    }

    /// Tells one event.
    pub fn tell(&mut self, told: &Told) {
        if told.is_unchanged() && !self.verbosity.names {
            return;
        }
        match &mut self.sink {
            Sink::Json(lines) => lines.tell(told),
            Sink::Human(human) => human.tell(told),
        }
    }

    /// Tells how it ended and gives the exit status. Only the first outcome is told.
    pub fn end(&mut self, outcome: &Outcome) -> u8 {
        match &mut self.sink {
            Sink::Json(lines) => lines.end(outcome),
            Sink::Human(human) => human.end(outcome),
        }
        outcome.exit
    }
}
