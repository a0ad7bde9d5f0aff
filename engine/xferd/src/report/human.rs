//! Text for a person: names, warnings, a progress bar, a summary.

use super::Verbosity;
use super::amount::{bytes, duration};
use super::outcome::{Files, Outcome};
use super::told::Told;
use crate::escape::Shown;
use base::entry::Kind;
use base::hooks::FileAction;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

/// Writes for one command.
pub(super) struct Human {
    verbosity: Verbosity,
    bar: Option<ProgressBar>,
    ended: bool,
}

impl Human {
    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, bar: None, ended: false }
    }

    pub(super) fn tell(&mut self, told: &Told) {
        match told {
            Told::Start(_) => self.start(),
            Told::File { path, kind, action, code, .. } => {
                if *action == FileAction::Failed {
                    let code = code.map_or("", |code| code.name());
                    self.error_line(&format!("xfer: {}: {code}", Shown(path)));
                } else if self.verbosity.names && !self.verbosity.quiet {
                    let slash = if *kind == Some(Kind::Directory) && !path.is_empty() { "/" } else { "" };
                    let path = if path.is_empty() { &b"./"[..] } else { path };
                    self.result_line(&format!("{:<9} {}{slash}", action.name(), Shown(path)));
                }
            }
            Told::Progress { bytes, bytes_total, files, files_total, limiting } => {
                let Some(bar) = &self.bar else { return };
                bar.set_length((*bytes_total).max(*bytes));
                bar.set_position(*bytes);
                let stage = limiting.map_or(String::new(), |stage| format!(", {}", stage.name()));
                bar.set_message(format!("{files}/{files_total} files{stage}"));
            }
            Told::Warning { message, path, .. } => {
                let about = path.as_ref().map_or(String::new(), |path| format!("{}: ", Shown(path)));
                self.error_line(&format!("xfer: warning: {about}{}", Shown(message.as_bytes())));
            }
            Told::Retry { what, attempt, wait_ms, code } => {
                let wait = duration(*wait_ms as f64 / 1000.0);
                let does = if *what == "request" { "asking" } else { "connecting" };
                self.error_line(&format!("xfer: {}; {does} again in {wait} (retry {attempt})", code.name()));
            }
            Told::Row { line, .. } => self.result_line(line),
        }
    }

    pub(super) fn end(&mut self, outcome: &Outcome) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if outcome.transfer && !self.verbosity.quiet && worth_a_summary(outcome) {
            self.result_line(&summary(outcome));
        }
        if let Some(failure) = &outcome.failure {
            self.error_line(&format!("xfer: {failure}"));
        }
    }

    fn start(&mut self) {
        let wanted = self.verbosity.progress && !self.verbosity.quiet && std::io::stderr().is_terminal();
        if !wanted {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template(
            "{bar:24} {percent:>3}%  {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  ETA {eta}  {msg}",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        self.bar = Some(bar);
    }

    fn result_line(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stdout(), "{line}");
        };
        self.bar.as_ref().map_or_else(write, |bar| bar.suspend(write));
    }

    fn error_line(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        self.bar.as_ref().map_or_else(write, |bar| bar.suspend(write));
    }
}

/// A transfer that failed before anything was decided or moved has nothing to sum up: its error says it all.
fn worth_a_summary(outcome: &Outcome) -> bool {
    let moved = outcome.bytes > 0
        || outcome.bytes_resumed + outcome.bytes_reused > 0
        || outcome.files != Files::default();
    outcome.failure.is_none() || moved
}

fn summary(outcome: &Outcome) -> String {
    let files = outcome.files;
    let mut text = String::new();
    if outcome.dry_run {
        text.push_str("would be: ");
    }
    let counts = [
        (files.created, "created"),
        (files.replaced, "replaced"),
        (files.unchanged, "unchanged"),
        (files.deleted, "deleted"),
        (files.failed, "failed"),
    ];
    let told: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let nothing = if outcome.failure.is_some() { "nothing is in place" } else { "nothing to do" };
    text.push_str(&if told.is_empty() { nothing.to_owned() } else { told.join(", ") });
    if outcome.dry_run {
        return text;
    }
    let rate = outcome.bytes as f64 / outcome.seconds.max(1e-6);
    let _ = write!(text, "; {} in {}", bytes(outcome.bytes), duration(outcome.seconds));
    if outcome.bytes > 0 {
        let _ = write!(text, ", {}/s", bytes(rate as u64));
    }
    if outcome.bytes_reused > 0 {
        let _ = write!(text, " ({} found there)", bytes(outcome.bytes_reused));
    }
    if outcome.bytes_resumed > 0 {
        let _ = write!(text, " ({} kept from before)", bytes(outcome.bytes_resumed));
    }
    if let Some(stage) = outcome.limiting() {
        let _ = write!(text, "; limited by {}", stage.name());
    }
    if outcome.verify == "transport" {
        text.push_str("; not hashed by the receiver");
    }
    match (outcome.durability, outcome.inplace) {
        ("none", _) => text.push_str("; not synced to disk"),
        (_, true) => text.push_str("; written in place, not atomic"),
        _ => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use base::codes::Code;
    use base::hooks::{Stage, StageTimes};

    #[test]
    fn a_transfer_that_failed_before_anything_moved_has_no_summary() {
        let failure = || Some(Failure::new(Code::NotFound, "no such file", ""));
        let mut outcome = Outcome { failure: failure(), transfer: true, ..Outcome::default() };
        assert!(!worth_a_summary(&outcome));
        outcome.files.failed = 1;
        assert!(worth_a_summary(&outcome));
        assert!(worth_a_summary(&Outcome { bytes: 1, failure: failure(), ..Outcome::default() }));
        assert!(worth_a_summary(&Outcome::default()), "nothing to do is worth saying");
    }

    #[test]
    fn a_summary_names_counts_rate_and_stage() {
        let mut stages = StageTimes::default();
        stages.add(Stage::Write, 5);
        let mut outcome = Outcome {
            bytes: 2_000_000,
            seconds: 2.0,
            files: Files { created: 3, failed: 1, ..Files::default() },
            stages,
            durability: "tree",
            transfer: true,
            ..Outcome::default()
        };
        assert_eq!(summary(&outcome), "3 created, 1 failed; 2.0 MB in 2.00 s, 1.0 MB/s; limited by write");
        outcome.dry_run = true;
        assert_eq!(summary(&outcome), "would be: 3 created, 1 failed");
        let cut = Outcome {
            bytes: 5,
            failure: Some(Failure::new(Code::AccessDenied, "no longer", "")),
            ..Outcome::default()
        };
        assert_eq!(summary(&cut), "nothing is in place; 5 B in 0.00 s, 5.0 MB/s");
        let unhashed = Outcome { verify: "transport", ..Outcome::default() };
        assert_eq!(summary(&unhashed), "nothing to do; 0 B in 0.00 s; not hashed by the receiver");
        let idle = Outcome { durability: "none", ..Outcome::default() };
        assert_eq!(summary(&idle), "nothing to do; 0 B in 0.00 s; not synced to disk");
    }
}
