//! How long a policy takes: its cases, asked many times by the daemon's own host code.
//!
//! Instructions are counted by code that counts them; times are taken of code that does not, as the daemon runs it.

use super::cases::Case;
use super::trial::{Trial, no_case, read};
use crate::failure::Failure;
use base::codes::Code;
use base::io::Now;
use host::{Decider, Instance, Metering, Request, Verdict};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Nanoseconds: of half of the samples at most the first, of 99 in 100 at most the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// Half.
    pub p50_ns: u64,
    /// 99 of 100.
    pub p99_ns: u64,
}

/// What one case took.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its file.
    pub file: PathBuf,
    /// Its name.
    pub name: String,
    /// Instructions, exact: the same on every machine.
    pub fuel: Option<u64>,
    /// With memory of its own for each decision, made and configured.
    pub fresh: Times,
    /// One instance for all decisions; `None`: it reads more than `context` and `kv-read`.
    pub reused: Option<Times>,
    /// Decisions that were kept; `None`: it says they shall not be.
    pub kept: Option<Times>,
}

/// What a component took.
#[derive(Clone, Debug)]
pub struct Measured {
    /// An instance made and configured, with the settings of the first case.
    pub instance: Times,
    /// Every case.
    pub rows: Vec<Row>,
}

/// The two ways of running one component.
struct Both {
    counted: Trial,
    timed: Trial,
}

/// Asks every case of these files so many times.
///
/// # Errors
/// The component does not fit its manifest, there is no case, or one that the policy fails at.
pub fn run(component: &Path, manifest: &Path, files: &[PathBuf], samples: u32) -> Result<Measured, Failure> {
    let both = Both {
        counted: Trial::new(component, manifest, Metering::Fuel)?,
        timed: Trial::new(component, manifest, Metering::Deadlines)?,
    };
    let (mut instance, mut rows) = (None, Vec::new());
    for file in files {
        let cases = read(file)?;
        for case in &cases.cases {
            let failed = |what: String| {
                let message = format!("{}: {}: {what}", file.display(), case.name);
                Failure::new(Code::Conflict, message, "'xferd plugin test' runs each case once")
            };
            if instance.is_none() {
                instance = Some(both.timed.instance(case, &cases.settings, samples).map_err(failed)?);
            }
            rows.push(both.row(file, case, &cases.settings, samples).map_err(failed)?);
        }
    }
    match instance {
        Some(instance) => Ok(Measured { instance, rows }),
        None => Err(no_case()),
    }
}

impl Both {
    fn row(&self, file: &Path, case: &Case, settings: &toml::Table, samples: u32) -> Result<Row, String> {
        let opinion = self.counted.ask(case, settings)?;
        if let Some(fault) = &opinion.fault {
            return Err(fault.to_string());
        }
        let timed = &self.timed;
        Ok(Row {
            file: file.to_owned(),
            name: case.name.clone(),
            fuel: opinion.fuel,
            fresh: timed.anew(case, settings, Instance::Fresh, samples)?.ok_or("it was not asked")?,
            reused: timed.anew(case, settings, Instance::Reused, samples)?,
            kept: timed.kept(case, settings, samples)?,
        })
    }
}

impl Trial {
    fn instance(&self, case: &Case, settings: &toml::Table, samples: u32) -> Result<Times, String> {
        let set = self.set(case, settings, Instance::Fresh, &case.question()?.kv)?;
        let set = set.ok_or("it was not asked")?;
        times(samples, || set.instantiate().map_err(|error| error.to_string()))
    }

    /// Decisions that run the policy each time.
    fn anew(
        &self,
        case: &Case,
        settings: &toml::Table,
        instance: Instance,
        samples: u32,
    ) -> Result<Option<Times>, String> {
        self.decisions(case, settings, instance, samples, false)
    }

    /// Decisions that are kept; `None` where none is.
    fn kept(&self, case: &Case, settings: &toml::Table, samples: u32) -> Result<Option<Times>, String> {
        self.decisions(case, settings, Instance::Fresh, samples, true)
    }

    fn decisions(
        &self,
        case: &Case,
        settings: &toml::Table,
        instance: Instance,
        samples: u32,
        keeps: bool,
    ) -> Result<Option<Times>, String> {
        let question = case.question()?;
        let Some(set) = self.set(case, settings, instance, &question.kv)? else { return Ok(None) };
        let request = Request { subject: &question.subject, action: question.action, root: question.root };
        let now = Now { mono_ns: case.now.saturating_mul(1_000_000), utc_ms: case.now };
        let mut decider = Decider::new(Arc::new(set));
        let mut decide = || -> Verdict {
            match keeps {
                true => decider.decide(&request, &question.facts, &question.identity, now),
                false => decider.decide_anew(&request, &question.facts, &question.identity, now),
            }
        };
        let cached = |verdict: &Verdict| verdict.answers.iter().all(|answered| answered.cached);
        decide();
        if keeps && !cached(&decide()) {
            return Ok(None);
        }
        let measured = times(samples, || {
            let verdict = decide();
            let fault = verdict.answers.iter().find_map(|answered| answered.opinion.fault.as_ref());
            fault.map_or(Ok(()), |fault| Err(fault.to_string()))
        });
        measured.map(Some)
    }
}

/// Takes so many samples, after a tenth of them that do not count.
fn times(samples: u32, mut act: impl FnMut() -> Result<(), String>) -> Result<Times, String> {
    for _ in 0..samples.div_ceil(10) {
        act()?;
    }
    let mut taken = Vec::with_capacity(samples as usize);
    for _ in 0..samples.max(1) {
        let began = Instant::now();
        act()?;
        taken.push(began.elapsed().as_nanos() as u64);
    }
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() * percent / 100).min(taken.len() - 1)];
    Ok(Times { p50_ns: at(50), p99_ns: at(99) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_ninety_nine_of_a_hundred_are_told_and_the_first_failure_ends_it() {
        let mut calls = 0;
        let measured = times(200, || {
            calls += 1;
            Ok(())
        });
        let measured = measured.expect("nothing failed");
        assert_eq!(calls, 220);
        assert!(measured.p50_ns <= measured.p99_ns);
        assert_eq!(times(5, || Err("no".to_owned())), Err("no".to_owned()));
    }
}
