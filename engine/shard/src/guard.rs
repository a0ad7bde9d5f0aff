//! Path rules of a decision, compiled: asked per file, by its path beneath the share.

use crate::command::Failure;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::{Effect, PathRule};
use base::limits::Limits;
use base::name::join;
use disk::paths::SharePath;
use proto::transfer::filter::{FilterRule, Filters};
use std::sync::Arc;

/// Rules that all have to let a file pass; none lets every file pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(Vec<List>);

#[derive(Clone, Debug)]
struct List {
    rules: Arc<[PathRule]>,
    globs: Filters,
}

impl Guard {
    /// Adds the rules of one more decision.
    ///
    /// # Errors
    /// More than are looked through per file, or a glob or a path to store at that breaks a rule: what cannot be
    /// enforced is denied.
    pub(crate) fn add(&mut self, rules: &Arc<[PathRule]>, by: &str, limits: &Limits) -> Result<(), Failure> {
        if self.0.iter().any(|list| list.rules == *rules) {
            return Ok(());
        }
        let broken = |what: &str| Failure {
            code: Code::AccessDenied,
            message: format!("denied: {by} demands path rules that cannot be enforced: {what}"),
        };
        let globs: Vec<FilterRule> = rules
            .iter()
            .map(|rule| FilterRule { include: false, pattern: rule.glob.as_bytes().to_vec() })
            .collect();
        let globs = Filters::compile(globs, limits).map_err(|error| broken(&format!("{error:?}")))?;
        for place in rules.iter().filter_map(|rule| rule.store_as.as_deref()) {
            SharePath::parse(place.as_bytes(), limits)
                .map_err(|refused| broken(&format!("store-as {place}: {:?}", refused.rule)))?;
        }
        self.0.push(List { rules: rules.clone(), globs });
        Ok(())
    }

    /// Whether every file passes as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of each list the first rule that matches.
    fn matching(&self, path: &[u8]) -> impl Iterator<Item = &PathRule> {
        self.0.iter().filter_map(move |list| list.rules.get(list.globs.first(path, false)?))
    }

    /// Why a name does not pass: the code of the rule that says so. Directories pass.
    pub(crate) fn refusal(&self, path: &[u8], kind: Kind, size: u64) -> Option<&str> {
        if self.is_empty() || kind == Kind::Directory {
            return None;
        }
        let denies = |rule: &&PathRule| rule.effect == Effect::Deny || size > rule.bytes_max;
        self.matching(path).find(denies).map(|rule| &*rule.code)
    }

    /// Whether a rule puts a file at one path, where no other file of the transfer may be put as well.
    pub(crate) fn is_exact(&self, path: &[u8]) -> bool {
        let place = self.matching(path).find_map(|rule| rule.store_as.as_deref());
        place.is_some_and(|place| !place.ends_with('/'))
    }

    /// Where a file is stored beneath the share instead of at `path`.
    pub(crate) fn store_as(&self, path: &[u8], kind: Kind) -> Option<Vec<u8>> {
        if self.is_empty() || kind == Kind::Directory {
            return None;
        }
        let place = self.matching(path).find_map(|rule| rule.store_as.as_deref())?;
        let place = place.strip_prefix('/').unwrap_or(place).as_bytes();
        Some(match place.strip_suffix(b"/") {
            Some(directory) => join(directory, path),
            None => place.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(glob: &str, effect: Effect, bytes_max: u64, store_as: Option<&str>) -> PathRule {
        let code = format!("rule:{glob}").into();
        PathRule { glob: glob.into(), bytes_max, effect, store_as: store_as.map(Into::into), code }
    }

    fn guard(lists: &[&[PathRule]]) -> Result<Guard, Failure> {
        let mut guard = Guard::default();
        for rules in lists {
            guard.add(&Arc::from(rules.to_vec()), "a test", &Limits::DEFAULT)?;
        }
        Ok(guard)
    }

    #[test]
    fn the_first_rule_that_matches_decides_and_every_list_is_asked() {
        let keep = rule("/keep/**", Effect::Allow, 10, None);
        let exe = rule("*.exe", Effect::Deny, u64::MAX, None);
        let big = rule("**", Effect::Allow, 100, None);
        let guard = guard(&[&[keep, exe], &[big]]).expect("compiles");
        let file = |path: &str, size| guard.refusal(path.as_bytes(), Kind::File, size);
        assert_eq!(file("a/b.exe", 1), Some("rule:*.exe"));
        assert_eq!(file("keep/b.exe", 1), None);
        assert_eq!(file("keep/b.exe", 11), Some("rule:/keep/**"));
        assert_eq!(file("a/b", 101), Some("rule:**"));
        assert_eq!(guard.refusal(b"a.exe", Kind::Directory, 0), None);
        assert_eq!(guard.refusal(b"a.exe", Kind::Symlink, 3), Some("rule:*.exe"));
    }

    #[test]
    fn a_file_is_stored_at_a_path_or_below_a_directory() {
        let one = rule("/a", Effect::Allow, u64::MAX, Some("other/place"));
        let all = rule("*.doc", Effect::Allow, u64::MAX, Some("checked/"));
        let guard = guard(&[&[one, all]]).expect("compiles");
        let place = |path: &str| guard.store_as(path.as_bytes(), Kind::File);
        assert_eq!(place("a").as_deref(), Some(&b"other/place"[..]));
        assert_eq!(place("x/y.doc").as_deref(), Some(&b"checked/x/y.doc"[..]));
        assert_eq!(place("x/y"), None);
    }

    #[test]
    fn what_cannot_be_enforced_is_denied() {
        for bad in [
            rule("[", Effect::Allow, 0, None),
            rule("", Effect::Deny, 0, None),
            rule("*", Effect::Allow, 0, Some("../out")),
            rule("*", Effect::Allow, 0, Some("a/.xferd-0/b")),
        ] {
            let failure = guard(&[&[bad]]).expect_err("refused");
            assert_eq!(failure.code, Code::AccessDenied, "{}", failure.message);
        }
    }
}
