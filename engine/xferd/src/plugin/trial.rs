//! Runs a plugin's cases by the daemon's own host code, with every instruction counted.

use super::cases::{Case, Cases};
use crate::failure::Failure;
use base::codes::Code;
use base::io::Now;
use base::limits::Limits;
use host::{
    Buckets, Decider, Instance, Kv, Manifest, Metering, Obligation, Opinion, PluginError, PolicySet,
    PolicySource, Read, Request, Runtime,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What became of one case.
#[derive(Debug)]
pub struct Outcome {
    /// Its file.
    pub file: PathBuf,
    /// Its name.
    pub name: String,
    /// What is not as expected; none: it passed.
    pub problems: Vec<String>,
    /// Instructions it took.
    pub fuel: Option<u64>,
}

/// A component that is ready to be asked.
pub(super) struct Trial {
    pub(super) runtime: Runtime,
    pub(super) manifest: Manifest,
    loaded: host::Loaded,
}

/// Runs every case of these files, in their order.
///
/// # Errors
/// The component does not fit its manifest, or a file of cases cannot be read.
pub fn run(component: &Path, manifest: &Path, files: &[PathBuf]) -> Result<Vec<Outcome>, Failure> {
    let trial = Trial::new(component, manifest, Metering::Fuel)?;
    let mut outcomes = Vec::new();
    for file in files {
        let cases = read(file)?;
        for case in &cases.cases {
            let (problems, fuel) = match trial.ask(case, &cases.settings) {
                Ok(opinion) => (unexpected(case, &opinion), opinion.fuel),
                Err(problem) => (vec![problem], None),
            };
            outcomes.push(Outcome { file: file.clone(), name: case.name.clone(), problems, fuel });
        }
    }
    if outcomes.is_empty() {
        return Err(no_case());
    }
    Ok(outcomes)
}

/// The cases of a file.
pub(super) fn read(file: &Path) -> Result<Cases, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io(file.display(), &error))?;
    toml::from_str(&text).map_err(|error| {
        let message = format!("{}: {}", file.display(), error.to_string().trim_end());
        Failure::new(Code::InvalidRequest, message, "correct the file")
    })
}

/// There is nothing to ask.
pub(super) fn no_case() -> Failure {
    let next = "write [[case]] tables into tests/*.toml, as in what 'xferd plugin new' unpacks";
    Failure::new(Code::NotFound, "there is no case to run", next)
}

impl Trial {
    pub(super) fn new(component: &Path, manifest: &Path, metering: Metering) -> Result<Self, Failure> {
        let bytes = std::fs::read(component).map_err(|error| Failure::io(component.display(), &error))?;
        let text =
            std::fs::read_to_string(manifest).map_err(|error| Failure::io(manifest.display(), &error))?;
        let refused = |what: String| Failure::new(Code::InvalidRequest, what, "");
        let manifest = Manifest::parse(&text).map_err(|error| refused(error.to_string()))?;
        if !manifest.world.is_policy() {
            return Err(Failure::usage(
                format!("{} is no policy: its world is {}", manifest.name, manifest.world.name()),
                "cases ask policies; test others natively, with the SDK's double",
            ));
        }
        let shape =
            host::inspect(&bytes).map_err(|error| refused(format!("{}: {error}", component.display())))?;
        shape.check(&manifest).map_err(|error| refused(format!("{}: {error}", component.display())))?;
        let internal = |what: String| Failure::new(Code::InternalError, what, "");
        let runtime =
            Runtime::new(&Limits::DEFAULT, metering).map_err(|error| internal(error.to_string()))?;
        let compiled = runtime.compile(&bytes).map_err(|error| refused(error.to_string()))?;
        let loaded = runtime.load(&compiled).map_err(|error| internal(error.to_string()))?;
        Ok(Self { runtime, manifest, loaded })
    }

    /// The policy alone, with the settings and keys of a case; `None`: it may not be reused.
    pub(super) fn set(
        &self,
        case: &Case,
        settings: &toml::Table,
        instance: Instance,
        kv: &Kv,
    ) -> Result<Option<PolicySet>, String> {
        let mut given = settings.clone();
        given.extend(case.settings.clone());
        let source = PolicySource {
            manifest: Manifest { instance, ..self.manifest.clone() },
            loaded: self.loaded.clone(),
            settings: self.manifest.settings(&given).map_err(|error| error.to_string())?,
            kv: kv.clone(),
        };
        let buckets = Arc::new(Buckets::new(self.runtime.limits().plugin_buckets_max));
        match PolicySet::new(&self.runtime, 1, vec![source], &buckets, None) {
            Ok(set) => Ok(Some(set)),
            Err(PluginError::Reused { .. }) if instance != self.manifest.instance => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// One case in a world of its own.
    pub(super) fn ask(&self, case: &Case, settings: &toml::Table) -> Result<Arc<Opinion>, String> {
        let question = case.question()?;
        let set = self.set(case, settings, self.manifest.instance, &question.kv)?;
        let set = set.ok_or("the policy was not asked")?;
        let request = Request { subject: &question.subject, action: question.action, root: question.root };
        let now = Now { mono_ns: case.now.saturating_mul(1_000_000), utc_ms: case.now };
        let verdict =
            Decider::new(Arc::new(set)).decide_anew(&request, &question.facts, &question.identity, now);
        let answered = verdict.answers.into_iter().next().ok_or("the policy was not asked")?;
        Ok(answered.opinion)
    }
}

/// What an answer has that was not expected.
fn unexpected(case: &Case, opinion: &Opinion) -> Vec<String> {
    let mut problems = Vec::new();
    let expect = &case.expect;
    let effect = opinion.effect.name();
    if effect != expect.effect {
        let why = opinion.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        problems.push(format!("effect is {effect}, code {}{why}; expected {}", opinion.code, expect.effect));
    }
    if let Some(code) = expect.code.as_ref().filter(|code| **code != opinion.code) {
        problems.push(format!("code is {}, expected {code}", opinion.code));
    }
    if let Some(expected) = &expect.obligations {
        let there: Vec<String> = opinion.obligations.iter().flat_map(shown).collect();
        if there != *expected {
            problems.push(format!("obligations are {there:?}, expected {expected:?}"));
        }
    }
    if let Some(expected) = &expect.reads {
        let mut there: Vec<String> = opinion.reads.iter().map(Read::render).map(|(what, _)| what).collect();
        let mut expected = expected.clone();
        there.sort();
        expected.sort();
        if there != expected {
            problems.push(format!("it read {there:?}, expected {expected:?}"));
        }
    }
    if let (Some(most), Some(fuel)) = (case.fuel_max, opinion.fuel.filter(|fuel| Some(*fuel) > case.fuel_max))
    {
        problems.push(format!("it took {fuel} instructions, at most {most} are allowed"));
    }
    problems
}

/// An obligation as cases write it; rules for paths one by one.
fn shown(obligation: &Obligation) -> Vec<String> {
    match obligation {
        Obligation::MaxBytes(bytes) => vec![format!("max-bytes {bytes}")],
        Obligation::MaxFiles(files) => vec![format!("max-files {files}")],
        Obligation::BytesPerSecond(rate) => vec![format!("bytes-per-second {rate}")],
        Obligation::MaxStoredBytes(bytes) => vec![format!("max-stored-bytes {bytes}")],
        Obligation::NotAfterMs(at) => vec![format!("not-after-ms {at}")],
        Obligation::ReadOnly => vec!["read-only".into()],
        Obligation::StoreAs(path) => vec![format!("store-as {path}")],
        Obligation::Label(label) => vec![format!("label {label}")],
        Obligation::Notify(topic) => vec![format!("notify {topic}")],
        Obligation::Paths(rules) => rules
            .iter()
            .map(|rule| {
                let most = rule.bytes_max.map(|bytes| format!(" max-bytes {bytes}")).unwrap_or_default();
                let place =
                    rule.store_as.as_ref().map(|place| format!(" store-as {place}")).unwrap_or_default();
                format!("path {} {}{most}{place}", rule.glob, rule.effect.name())
            })
            .collect(),
    }
}
