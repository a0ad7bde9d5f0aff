//! Filters: which names take part, as rsync's `--include` and `--exclude` say it.
//!
//! The first pattern that matches a name decides; none: it takes part. A directory that is left out is not
//! entered, so what is in it needs no pattern. Each name is asked for with its path in the transfer.
//!
//! | pattern | matches |
//! |---|---|
//! | `foo` | a last component `foo`, anywhere |
//! | `foo/bar` | the last two components |
//! | `/foo` | `foo` at the root of the transfer |
//! | `foo/` | a directory `foo` |
//! | `?` `*` `[a-z]` `[!a]` `[[:digit:]]` | one, any number of, one of the bytes, never `/` |
//! | `**` | anything, `/` included; the pattern then stands for the whole path, or what follows any `/` |
//! | `foo/***` | the directory `foo` and all in it |
//!
//! A backslash escapes, but only in a pattern with a wildcard. Matching runs all ways through a pattern at
//! once (Thompson 1968): time is at most length of pattern times length of path, whatever the pattern.

use super::super::{Malformed, at_most};
use alloc::vec::Vec;
use base::limits::Limits;
use base::name::PATH_BYTES_MAX;

/// One pattern and what it decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterRule {
    /// Whether a name that matches takes part.
    pub include: bool,
    /// The pattern.
    pub pattern: Vec<u8>,
}

impl FilterRule {
    /// As it travels: `+` or `-`, then the pattern.
    pub(super) fn to_line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(1 + self.pattern.len());
        line.push(if self.include { b'+' } else { b'-' });
        line.extend_from_slice(&self.pattern);
        line
    }

    fn from_line(line: &[u8]) -> Result<Self, Malformed> {
        match line.split_first() {
            Some((b'+', pattern)) => Ok(Self { include: true, pattern: pattern.to_vec() }),
            Some((b'-', pattern)) => Ok(Self { include: false, pattern: pattern.to_vec() }),
            _ => Err(Malformed::Pattern),
        }
    }
}

/// Patterns in order, ready to match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filters {
    rules: Vec<FilterRule>,
    patterns: Vec<Pattern>,
}

impl Filters {
    /// Checks and compiles patterns.
    ///
    /// # Errors
    /// Too many, one too long, or one that is no pattern: empty, `/` alone, a class without its end, an
    /// unknown class name, a backslash at the end.
    pub fn compile(rules: Vec<FilterRule>, limits: &Limits) -> Result<Self, Malformed> {
        at_most("filters", rules.len() as u64, u64::from(limits.filters_max))?;
        let mut patterns = Vec::with_capacity(rules.len());
        for rule in &rules {
            at_most("pattern", rule.pattern.len() as u64, u64::from(limits.path_bytes_max))?;
            patterns.push(Pattern::compile(&rule.pattern)?);
        }
        Ok(Self { rules, patterns })
    }

    pub(super) fn from_lines(lines: &[&[u8]], limits: &Limits) -> Result<Self, Malformed> {
        at_most("filters", lines.len() as u64, u64::from(limits.filters_max))?;
        let rules: Result<Vec<_>, _> = lines.iter().map(|line| FilterRule::from_line(line)).collect();
        Self::compile(rules?, limits)
    }

    /// The patterns, in order.
    pub fn rules(&self) -> &[FilterRule] {
        &self.rules
    }

    /// Whether every name takes part.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a name takes part whose parents do. `path` is relative to the transfer's root, without a
    /// leading `/`; the root itself always takes part.
    pub fn includes(&self, path: &[u8], directory: bool) -> bool {
        if path.is_empty() {
            return true;
        }
        self.first(path, directory).and_then(|at| self.rules.get(at)).is_none_or(|rule| rule.include)
    }

    /// Which pattern is the first that matches, from 0.
    pub fn first(&self, path: &[u8], directory: bool) -> Option<usize> {
        self.patterns.iter().position(|pattern| pattern.matches(path, directory))
    }

    /// Whether a name and every directory that leads to it take part.
    pub fn includes_with_parents(&self, path: &[u8], directory: bool) -> bool {
        let mut slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.all(|(at, _)| self.includes(&path[..at], true)) && self.includes(path, directory)
    }
}

/// Which part of a path a pattern stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    /// The last components, as many.
    Last(usize),
    /// The whole path.
    Whole,
    /// The whole path behind a `/`.
    Rooted,
    /// The path, or what follows any `/` of it.
    AnyTail,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Pattern {
    steps: Vec<Step>,
    classes: Vec<Class>,
    scope: Scope,
    directories_only: bool,
    /// Ends in `***`: a directory is matched as if its path ended in `/`.
    with_contents: bool,
}

/// One step: a byte 0 to 255, a wildcard, or the class `CLASS + index`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step(u16);

impl Step {
    const ONE: Self = Self(256);
    const STAR: Self = Self(257);
    const DEEP: Self = Self(258);
    const CLASS: u16 = 512;

    /// Whether it also matches nothing.
    fn is_star(self) -> bool {
        self == Self::STAR || self == Self::DEEP
    }
}

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Class([u64; 4]);

impl Class {
    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

impl Pattern {
    fn compile(text: &[u8]) -> Result<Self, Malformed> {
        let directories_only = text.len() > 1 && text.ends_with(b"/");
        let body = if directories_only { &text[..text.len() - 1] } else { text };
        let (anchored, body) = match body.strip_prefix(b"/") {
            Some(rest) => (true, rest),
            None => (false, body),
        };
        if body.is_empty() {
            return Err(Malformed::Pattern);
        }
        let wild = body.iter().any(|byte| b"*?[".contains(byte));
        let deep = body.windows(2).any(|pair| pair == b"**");
        let slashes = body.iter().filter(|byte| **byte == b'/').count();
        let scope = match (anchored, deep) {
            (true, _) => Scope::Whole,
            (false, true) if body.starts_with(b"**") => Scope::Rooted,
            (false, true) => Scope::AnyTail,
            (false, false) => Scope::Last(slashes + 1),
        };
        let (steps, classes) = if wild { Compiler::run(body)? } else { (literal(body), Vec::new()) };
        Ok(Self { steps, classes, scope, directories_only, with_contents: body.ends_with(b"***") })
    }

    fn matches(&self, path: &[u8], directory: bool) -> bool {
        if self.directories_only && !directory {
            return false;
        }
        let path = match self.scope {
            Scope::Last(count) => match last_components(path, count) {
                Some(tail) => tail,
                None => return false,
            },
            _ => path,
        };
        let slash = |wanted: bool| if wanted { &b"/"[..] } else { b"" };
        let before = slash(self.scope == Scope::Rooted).iter();
        let after = slash(self.with_contents && directory).iter();
        let text = before.chain(path).chain(after).copied();
        if self.steps.len() < 64 {
            States::<1>::run(self, text)
        } else {
            States::<STATE_WORDS>::run(self, text)
        }
    }

    fn takes(&self, step: Step, byte: u8) -> bool {
        match step {
            Step::DEEP => true,
            Step::ONE | Step::STAR => byte != b'/',
            Step(other) if other < 256 => other == u16::from(byte),
            Step(other) => byte != b'/' && self.classes[usize::from(other - Step::CLASS)].has(byte),
        }
    }
}

fn literal(body: &[u8]) -> Vec<Step> {
    body.iter().map(|byte| Step(u16::from(*byte))).collect()
}

/// The last `count` components of a path; `None` when it has fewer.
fn last_components(path: &[u8], count: usize) -> Option<&[u8]> {
    let mut slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
    match slashes.nth(count - 1) {
        Some(start) => Some(&path[start..]),
        None => (path.iter().filter(|byte| **byte == b'/').count() + 1 == count).then_some(path),
    }
}

const STATE_WORDS: usize = PATH_BYTES_MAX / 64 + 1;

/// The places in a pattern that a prefix of the path can have reached: a set of `W` words.
struct States<'a, const W: usize> {
    pattern: &'a Pattern,
    at: [u64; W],
}

impl<'a, const W: usize> States<'a, W> {
    /// Whether the pattern matches all of `text`.
    fn run(pattern: &'a Pattern, mut text: impl Iterator<Item = u8>) -> bool {
        let mut states = Self { pattern, at: [0; W] };
        states.enter(0);
        text.all(|byte| states.step(byte)) && states.accepts()
    }

    /// Reaches a place, and what is behind the stars that follow.
    fn enter(&mut self, place: usize) {
        let mut place = place;
        loop {
            self.at[place / 64] |= 1 << (place % 64);
            if !self.pattern.steps.get(place).is_some_and(|step| step.is_star()) {
                return;
            }
            place += 1;
        }
    }

    /// Takes one byte; `false` when no way through the pattern is left, nor can begin again.
    fn step(&mut self, byte: u8) -> bool {
        let before = core::mem::replace(&mut self.at, [0; W]);
        for (index, mut word) in before.into_iter().enumerate() {
            while word != 0 {
                let place = index * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                let Some(step) = self.pattern.steps.get(place) else { continue };
                if self.pattern.takes(*step, byte) {
                    self.enter(if step.is_star() { place } else { place + 1 });
                }
            }
        }
        let any_tail = self.pattern.scope == Scope::AnyTail;
        if any_tail && byte == b'/' {
            self.enter(0);
        }
        any_tail || self.at.iter().any(|word| *word != 0)
    }

    fn accepts(&self) -> bool {
        let end = self.pattern.steps.len();
        self.at[end / 64] >> (end % 64) & 1 == 1
    }
}

/// Turns a pattern with wildcards into steps.
struct Compiler<'a> {
    rest: &'a [u8],
    steps: Vec<Step>,
    classes: Vec<Class>,
}

impl<'a> Compiler<'a> {
    fn run(body: &'a [u8]) -> Result<(Vec<Step>, Vec<Class>), Malformed> {
        let mut compiler = Self { rest: body, steps: Vec::with_capacity(body.len()), classes: Vec::new() };
        while let Some(byte) = compiler.next() {
            let step = match byte {
                b'?' => Step::ONE,
                b'*' => compiler.star(),
                b'[' => compiler.class()?,
                b'\\' => Step(u16::from(compiler.next().ok_or(Malformed::Pattern)?)),
                other => Step(u16::from(other)),
            };
            compiler.steps.push(step);
        }
        Ok((compiler.steps, compiler.classes))
    }

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Behind a star: two and more are one that crosses `/`.
    fn star(&mut self) -> Step {
        let more = self.rest.iter().take_while(|byte| **byte == b'*').count();
        self.rest = &self.rest[more..];
        if more > 0 { Step::DEEP } else { Step::STAR }
    }

    /// Behind a `[`. A `]` that comes first stands for itself.
    fn class(&mut self) -> Result<Step, Malformed> {
        let negated = matches!(self.rest.first(), Some(b'!' | b'^'));
        if negated {
            self.rest = &self.rest[1..];
        }
        let mut class = Class::default();
        let mut range_from = None;
        let mut first = true;
        loop {
            let byte = self.next().ok_or(Malformed::Pattern)?;
            match byte {
                b']' if !first => break,
                b'-' if range_from.is_some() && !matches!(self.rest, [] | [b']', ..]) => {
                    let to = self.member()?;
                    (range_from.take().unwrap_or(to)..=to).for_each(|byte| class.add(byte));
                }
                b'[' if self.rest.first() == Some(&b':') && self.named(&mut class)? => range_from = None,
                b'\\' => {
                    let byte = self.next().ok_or(Malformed::Pattern)?;
                    class.add(byte);
                    range_from = Some(byte);
                }
                other => {
                    class.add(other);
                    range_from = Some(other);
                }
            }
            first = false;
        }
        if negated {
            class.0.iter_mut().for_each(|word| *word = !*word);
        }
        self.classes.push(class);
        Ok(Step(Step::CLASS + self.classes.len() as u16 - 1))
    }

    /// One byte of a class, escaped or not.
    fn member(&mut self) -> Result<u8, Malformed> {
        match self.next().ok_or(Malformed::Pattern)? {
            b'\\' => self.next().ok_or(Malformed::Pattern),
            byte => Ok(byte),
        }
    }

    /// Behind `[` and before `:`; `false` when no `:]` closes a name before the next `]`, so that the `[` stands
    /// for itself.
    fn named(&mut self, class: &mut Class) -> Result<bool, Malformed> {
        let Some(end) = self.rest.iter().position(|byte| *byte == b']') else {
            return Err(Malformed::Pattern);
        };
        if end < 2 || self.rest[end - 1] != b':' {
            return Ok(false);
        }
        let test: fn(&u8) -> bool = match &self.rest[1..end - 1] {
            b"alnum" => u8::is_ascii_alphanumeric,
            b"alpha" => u8::is_ascii_alphabetic,
            b"blank" => |byte| matches!(byte, b' ' | b'\t'),
            b"cntrl" => u8::is_ascii_control,
            b"digit" => u8::is_ascii_digit,
            b"graph" => u8::is_ascii_graphic,
            b"lower" => u8::is_ascii_lowercase,
            b"print" => |byte| byte.is_ascii_graphic() || *byte == b' ',
            b"punct" => u8::is_ascii_punctuation,
            b"space" => |byte| byte.is_ascii_whitespace() || *byte == 0x0b,
            b"upper" => u8::is_ascii_uppercase,
            b"xdigit" => u8::is_ascii_hexdigit,
            _ => return Err(Malformed::Pattern),
        };
        (0..=255).filter(test).for_each(|byte| class.add(byte));
        self.rest = &self.rest[end + 1..];
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    /// Rules as rsync takes them with `--filter`, `|` between two; a path, with `/` at its end for a directory;
    /// whether it takes part, its parents considered. Each row was also given to rsync 3.5.
    const ROWS: &[(&str, &str, bool)] = &[
        // no slash: the last component, anywhere
        ("- foo", "foo", false),
        ("- foo", "a/foo", false),
        ("- foo", "foo/a", false),
        ("- foo", "foobar", true),
        ("- foo", "a/xfoo", true),
        ("- *.o", "a.o", false),
        ("- *.o", "x/y/a.o", false),
        ("- *.o", "a.oo", true),
        ("- *.o", ".o", false),
        // a slash inside: the last components
        ("- foo/bar", "foo/bar", false),
        ("- foo/bar", "x/foo/bar", false),
        ("- foo/bar", "xfoo/bar", true),
        ("- foo/bar", "foo/x/bar", true),
        ("- a/b/c", "z/a/b/c", false),
        ("- a/b/c", "b/c", true),
        // anchored
        ("- /foo", "foo", false),
        ("- /foo", "a/foo", true),
        ("- /a/foo", "a/foo", false),
        ("- /a/foo", "b/a/foo", true),
        ("- /*.c", "x.c", false),
        ("- /*.c", "d/x.c", true),
        ("- /*/x", "d/x", false),
        ("- /*/x", "d/e/x", true),
        // directories only
        ("- foo/", "foo", true),
        ("- foo/", "foo/", false),
        ("- foo/", "a/foo/b", false),
        ("- /foo/", "a/foo/", true),
        ("- */", "a", true),
        ("- */", "a/", false),
        ("- a/b/", "a/b", true),
        ("- a/b/", "x/a/b/", false),
        // one star stays within a component
        ("- a*z", "abcz", false),
        ("- a*z", "az", false),
        ("- /a*z", "ab/cz", true),
        ("- foo/*/bar", "foo/x/bar", false),
        ("- foo/*/bar", "foo/x/y/bar", true),
        ("- foo/*/bar", "q/foo/x/bar", false),
        ("- foo/*/bar", "foo/bar", true),
        // two stars cross
        ("- /foo/**/bar", "foo/x/bar", false),
        ("- /foo/**/bar", "foo/x/y/bar", false),
        ("- /foo/**/bar", "foo/bar", true),
        ("- **/bar", "bar", false),
        ("- **/bar", "a/b/bar", false),
        ("- **bar", "a/xbar", false),
        ("- **bar", "a/barx", true),
        ("- foo/**", "foo/", true),
        ("- foo/**", "foo/a", false),
        ("- foo/**", "x/foo/a/b", false),
        ("- foo/**", "xfoo/a", true),
        ("- a**z", "a/b/z", false),
        ("- a**z", "q/a/b/z", false),
        ("- a**z", "qa/b/z", true),
        ("- /a**z", "q/a/b/z", true),
        ("- **", "a", false),
        // three stars: the directory too
        ("- foo/***", "foo/", false),
        ("- foo/***", "foo", true),
        ("- foo/***", "foo/a", false),
        ("- /foo/***", "a/foo/b", true),
        // one byte
        ("- a?c", "abc", false),
        ("- a?c", "ac", true),
        ("- /a?c", "a/c", true),
        // classes
        ("- [abc]x", "bx", false),
        ("- [abc]x", "dx", true),
        ("- [a-c]x", "cx", false),
        ("- [!a-c]x", "cx", true),
        ("- [!a-c]x", "dx", false),
        ("- [^a]x", "bx", false),
        ("- []x]y", "]y", false),
        ("- [!]]y", "ay", false),
        ("- [a-]y", "-y", false),
        ("- [[:digit:]]", "7", false),
        ("- [[:digit:]]", "a", true),
        ("- [[:upper:]_]", "_", false),
        ("- /a[!b]c", "a/c", true),
        // a backslash escapes only beside a wildcard
        ("- a\\b", "a\\b", false),
        ("- a\\*b*", "a*bc", false),
        ("- a\\*b*", "axbc", true),
        ("- [\\]]z", "]z", false),
        // the first that matches decides
        ("+ *.c|- *", "a.c", true),
        ("+ *.c|- *", "a.h", false),
        ("+ *.c|- *", "d/a.c", false),
        ("+ */|+ *.c|- *", "d/a.c", true),
        ("+ */|+ *.c|- *", "d/a.h", false),
        ("+ foo/|+ foo/bar.c|- *", "foo/bar.c", true),
        ("+ foo/|+ foo/bar.c|- *", "foo/baz.c", false),
        ("+ foo/|+ foo/bar.c|- *", "x/bar.c", false),
        ("- *.tmp|+ keep.tmp", "keep.tmp", false),
        ("+ keep.tmp|- *.tmp", "keep.tmp", true),
        ("- a|+ a/b", "a/b", false),
    ];

    fn rules(text: &str) -> Vec<FilterRule> {
        let rule = |line: &str| FilterRule { include: line.starts_with('+'), pattern: line[2..].into() };
        text.split('|').map(rule).collect()
    }

    // proves: L3
    #[test]
    fn patterns_decide_as_rsync_says() {
        for (text, path, takes_part) in ROWS {
            let filters = Filters::compile(rules(text), &Limits::DEFAULT).expect("valid patterns");
            let name = path.strip_suffix('/').unwrap_or(path);
            let got = filters.includes_with_parents(name.as_bytes(), name != *path);
            assert_eq!(got, *takes_part, "{text} {path}");
        }
        assert!(ROWS.len() >= 60);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "/", "[", "a[b", "[]", "[[:nope:]]", "a*\\", "[a\\"] {
            let rule = FilterRule { include: false, pattern: bad.into() };
            assert_eq!(Filters::compile(vec![rule], &Limits::DEFAULT), Err(Malformed::Pattern), "{bad}");
        }
        let many = vec![FilterRule { include: true, pattern: b"a".to_vec() }; 9];
        assert!(matches!(
            Filters::compile(many, &Limits::TINY),
            Err(Malformed::Over { field: "filters", .. })
        ));
        let long = FilterRule { include: true, pattern: vec![b'a'; 257] };
        assert!(matches!(
            Filters::compile(vec![long], &Limits::TINY),
            Err(Malformed::Over { field: "pattern", .. })
        ));
        assert_eq!(Filters::from_lines(&[b"*.o"], &Limits::TINY), Err(Malformed::Pattern));
    }

    /// Matching by trying every way, the plain meaning of the wildcards.
    fn slow(steps: &[Step], pattern: &Pattern, text: &[u8]) -> bool {
        match steps.split_first() {
            None => text.is_empty(),
            Some((step, rest)) if step.is_star() => {
                slow(rest, pattern, text)
                    || text
                        .split_first()
                        .is_some_and(|(byte, left)| pattern.takes(*step, *byte) && slow(steps, pattern, left))
            }
            Some((step, rest)) => text
                .split_first()
                .is_some_and(|(byte, left)| pattern.takes(*step, *byte) && slow(rest, pattern, left)),
        }
    }

    proptest! {
        #[test]
        fn all_ways_at_once_equals_every_way_in_turn(pattern in "/[ab/?*]{1,8}", path in "[ab/]{1,12}") {
            if let Ok(pattern) = Pattern::compile(pattern.trim_end_matches('/').as_bytes()) {
                let text = [path.as_bytes(), if pattern.with_contents { b"/" } else { b"" }].concat();
                prop_assert_eq!(pattern.matches(path.as_bytes(), true), slow(&pattern.steps, &pattern, &text));
            }
        }

        #[test]
        fn foreign_patterns_never_panic(pattern in prop::collection::vec(any::<u8>(), 0..100), path in "[a-c/]{0,40}") {
            if let Ok(pattern) = Pattern::compile(&pattern) {
                let _ = pattern.matches(path.as_bytes(), true);
            }
        }
    }

    #[test]
    fn patterns_longer_than_a_word_match_in_steps_not_in_powers() {
        let limits = Limits::DEFAULT;
        let rule = |pattern: Vec<u8>| vec![FilterRule { include: false, pattern }];
        let hostile = [b"/".to_vec(), b"*a".repeat(1000), b"**a".repeat(500), b"b".to_vec()].concat();
        let filters = Filters::compile(rule(hostile), &limits).expect("a valid pattern");
        assert!(filters.includes(&b"a".repeat(4096), false));
        assert!(!filters.includes(&[b"a".repeat(4095), b"b".to_vec()].concat(), false));
        let literal = Filters::compile(rule(b"x".repeat(200)), &limits).expect("a valid pattern");
        assert!(!literal.includes(&b"x".repeat(200), false));
        assert!(literal.includes(&b"x".repeat(199), false));
    }
}
