//! The rules that one file can break, each a function from a file to its findings.

use crate::lexer::has_word;
use crate::repository::RustFile;

/// Rooms that decide and never do: no clock, socket, file, thread, randomness or environment.
pub const PURE: &[&str] = &["base", "proto", "disk"];

/// Rooms in which `unsafe` may be written.
pub const UNSAFE: &[&str] = &["ring", "host", "sdk"];

/// File stems that say nothing.
pub const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "misc", "helper", "helpers"];

/// Most lines of a file, tests included.
pub const FILE_LINES_MAX: usize = 800;
/// Lines outside tests above which a file is named in the list of long ones.
pub const FILE_LINES_WARN: usize = 400;
/// Most lines of a function outside tests.
pub const FUNCTION_LINES_MAX: usize = 100;
/// Lines of a function above which it is named in the list of long ones.
pub const FUNCTION_LINES_WARN: usize = 70;

fn finding(file: &RustFile, line: usize, text: &str) -> String {
    format!("{}:{line}: {text}", file.path.display())
}

/// `unsafe` outside the rooms that may.
pub fn stray_unsafe(file: &RustFile) -> Vec<String> {
    if UNSAFE.contains(&file.room()) {
        return Vec::new();
    }
    let all = file.lines().into_iter().chain(file.test_lines());
    all.filter(|(_, line)| has_word(line, "unsafe"))
        .map(|(number, _)| finding(file, number, "unsafe outside engine/ring, engine/host and plugins/sdk"))
        .collect()
}

/// `unsafe` blocks and impls without a `SAFETY:` comment on the same or one of the eight lines above.
pub fn unexplained_unsafe(file: &RustFile) -> Vec<String> {
    let text: Vec<&str> = file.source.text.lines().collect();
    let explained =
        |number: usize| text[number.saturating_sub(9)..number].iter().any(|line| line.contains("SAFETY:"));
    file.lines()
        .into_iter()
        .filter(|(_, line)| has_word(line, "unsafe") && (line.contains('{') || line.contains("impl")))
        .filter(|(_, line)| {
            !line.contains("unsafe fn") && !line.contains("unsafe extern") && !line.contains("unsafe trait")
        })
        .filter(|(number, _)| !explained(*number))
        .map(|(number, _)| finding(file, number, "unsafe without a SAFETY comment"))
        .collect()
}

/// What a pure room may not name outside its tests.
pub fn impure(file: &RustFile) -> Vec<String> {
    const WORDS: &[&str] = &["std", "getrandom", "rand", "libc", "rustix", "Instant", "SystemTime", "OsRng"];
    if !PURE.contains(&file.room()) || !file.in_engine() {
        return Vec::new();
    }
    named(file, WORDS, "a pure room names")
}

/// What the core's loop may not name: it sees the world through `Io` and `Hooks` only.
pub fn around_the_seam(file: &RustFile) -> Vec<String> {
    const WORDS: &[&str] = &[
        "std::fs",
        "std::io",
        "std::net",
        "std::thread",
        "std::process",
        "std::env",
        "Instant",
        "SystemTime",
        "rustix",
        "libc",
    ];
    if file.room() != "shard" {
        return Vec::new();
    }
    named(file, WORDS, "the core's loop goes around its seam:")
}

fn named(file: &RustFile, words: &[&str], why: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in file.lines() {
        for word in words.iter().filter(|word| has_word(line, word)) {
            found.push(finding(file, number, &format!("{why} {word}")));
        }
    }
    found
}

/// A crate root without the attributes its room needs; one of a line or two has nothing to forbid yet.
pub fn missing_attributes(file: &RustFile) -> Vec<String> {
    let is_root = file.path.ends_with("src/lib.rs")
        || file.path.ends_with("src/main.rs")
        || file.path.iter().any(|part| part == "bin");
    if !is_root || file.source.code.lines().count() < 3 {
        return Vec::new();
    }
    let has = |attribute: &str| file.source.code.contains(attribute);
    let mut found = Vec::new();
    if !UNSAFE.contains(&file.room()) && !has("#![forbid(unsafe_code)]") {
        found.push(finding(file, 1, "#![forbid(unsafe_code)] is missing"));
    }
    if file.in_engine() && PURE.contains(&file.room()) && !has("#![no_std]") {
        found.push(finding(file, 1, "#![no_std] is missing"));
    }
    found
}

/// `unwrap()` in the engine outside tests.
pub fn unwraps(file: &RustFile) -> Vec<String> {
    if !file.in_engine() {
        return Vec::new();
    }
    let lines = file.lines().into_iter().filter(|(_, line)| line.contains(".unwrap()"));
    lines.map(|(number, _)| finding(file, number, "unwrap outside tests")).collect()
}

/// What is unfinished: `todo!`, `unimplemented!`, `dbg!`.
pub fn unfinished(file: &RustFile) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in file.lines().into_iter().chain(file.test_lines()) {
        for word in ["todo", "unimplemented", "dbg"] {
            if has_word(line, word) && line.contains(&format!("{word}!")) {
                found.push(finding(file, number, &format!("{word}!")));
            }
        }
    }
    found
}

/// Tests that are switched off or wait for a time instead of an event.
pub fn weak_tests(file: &RustFile) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in file.test_lines() {
        if line.contains("#[ignore") {
            found.push(finding(file, number, "an ignored test"));
        }
        if ["sleep(", "sleep_ms(", "sleep_until(", "park_timeout("].iter().any(|word| line.contains(word)) {
            found.push(finding(file, number, "a test that sleeps"));
        }
    }
    found
}

/// A bound of the core's loop that `base/limits.rs` does not know: a constant named as one.
pub fn stray_bounds(file: &RustFile) -> Vec<String> {
    if file.room() != "shard" {
        return Vec::new();
    }
    let is_bound = |line: &str| {
        let name = line.split("const ").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
        name.ends_with("_MAX") || name.ends_with("_MIN")
    };
    let lines = file.lines().into_iter().filter(|(_, line)| is_bound(line));
    lines.map(|(number, _)| finding(file, number, "a bound outside base/limits.rs")).collect()
}

/// A file whose name says nothing, or that is too long.
pub fn bad_shape(file: &RustFile) -> Vec<String> {
    let mut found = Vec::new();
    let stem = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        found.push(finding(file, 1, "a name that says nothing"));
    }
    let lines = file.source.text.lines().count();
    if lines > FILE_LINES_MAX {
        found.push(finding(file, 1, &format!("{lines} lines, at most {FILE_LINES_MAX}")));
    }
    if !file.is_test {
        for (line, name, length) in file.source.functions() {
            if length > FUNCTION_LINES_MAX {
                found.push(finding(
                    file,
                    line,
                    &format!("fn {name}: {length} lines, at most {FUNCTION_LINES_MAX}"),
                ));
            }
        }
    }
    found
}

/// What is longer than it should be and still allowed: for the reader of the test's output.
pub fn long(file: &RustFile) -> Vec<String> {
    if file.is_test {
        return Vec::new();
    }
    let mut found = Vec::new();
    let lines = file.lines().len();
    if lines > FILE_LINES_WARN {
        found.push(finding(file, 1, &format!("{lines} lines outside tests")));
    }
    for (line, name, length) in file.source.functions() {
        if length > FUNCTION_LINES_WARN {
            found.push(finding(file, line, &format!("fn {name}: {length} lines")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::Source;

    fn file(path: &str, text: &str) -> RustFile {
        RustFile { path: path.into(), source: Source::new(text), is_test: path.starts_with("tests") }
    }

    #[test]
    fn each_rule_finds_what_it_forbids_and_nothing_else() {
        type Rule = fn(&RustFile) -> Vec<String>;
        let planted: &[(Rule, &str, &str, usize)] = &[
            (stray_unsafe, "engine/disk/src/a.rs", "fn f() { unsafe { g() } }", 1),
            (stray_unsafe, "engine/ring/src/a.rs", "fn f() { unsafe { g() } }", 0),
            (stray_unsafe, "engine/disk/src/a.rs", "// unsafe\n#![forbid(unsafe_code)]", 0),
            (unexplained_unsafe, "engine/ring/src/a.rs", "fn f() { unsafe { g() } }", 1),
            (unexplained_unsafe, "engine/ring/src/a.rs", "// SAFETY: fine\nlet a = unsafe { g() };", 0),
            (unexplained_unsafe, "engine/ring/src/a.rs", "unsafe impl Send for A {}", 1),
            (impure, "engine/proto/src/a.rs", "use std::time::Instant;", 2),
            (impure, "engine/proto/src/a.rs", "#[cfg(test)]\nmod t { use std::vec; }", 0),
            (impure, "engine/xferd/src/a.rs", "use std::vec;", 0),
            (around_the_seam, "engine/shard/src/a.rs", "std::fs::read(x);", 1),
            (around_the_seam, "engine/shard/src/a.rs", "use std::collections::VecDeque;", 0),
            (missing_attributes, "engine/base/src/lib.rs", "#![no_std]\nmod a;\nmod b;", 1),
            (missing_attributes, "engine/base/src/lib.rs", "#![no_std]\n#![forbid(unsafe_code)]\nmod a;", 0),
            (missing_attributes, "engine/disk/src/lib.rs", "#![forbid(unsafe_code)]\nmod a;\nmod b;", 1),
            (missing_attributes, "engine/ring/src/lib.rs", "mod a;\nmod b;\nmod c;", 0),
            (unwraps, "engine/disk/src/a.rs", "a.unwrap(); b.unwrap_or(1);", 1),
            (unwraps, "engine/disk/src/a.rs", "#[cfg(test)]\nmod t { fn x() { a.unwrap() } }", 0),
            (stray_bounds, "engine/shard/src/a.rs", "pub(crate) const QUEUE_MAX: usize = 4;", 1),
            (stray_bounds, "engine/shard/src/a.rs", "const KIND: u8 = 4; x.QUEUE_MAX", 0),
            (unfinished, "engine/disk/src/a.rs", "todo!()", 1),
            (unfinished, "tests/e2e/tests/a.rs", "unimplemented!()", 1),
            (weak_tests, "tests/e2e/tests/a.rs", "#[ignore]\nfn a() { std::thread::sleep(x) }", 2),
            (weak_tests, "engine/ring/src/a.rs", "fn a() { sleep(x) }", 0),
            (weak_tests, "engine/ring/src/a.rs", "#[cfg(test)]\nmod t {\n fn a() { sleep(x) }\n}", 1),
            (bad_shape, "engine/ring/src/util.rs", "", 1),
            (bad_shape, "engine/ring/src/socket.rs", "", 0),
        ];
        for (rule, path, text, findings) in planted {
            assert_eq!(rule(&file(path, text)).len(), *findings, "{path}: {text}");
        }
        assert_eq!(bad_shape(&file("engine/ring/src/a.rs", &"//\n".repeat(801))).len(), 1);
        assert_eq!(
            bad_shape(&file("engine/ring/src/a.rs", &format!("fn a() {{\n{}}}\n", "x();\n".repeat(100))))
                .len(),
            1
        );
        assert_eq!(
            long(&file("engine/ring/src/a.rs", &format!("fn a() {{\n{}}}\n", "x();\n".repeat(70)))).len(),
            1
        );
    }
}
