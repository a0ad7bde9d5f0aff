//! Words that have no place in the repository.

use std::path::Path;
use xferd_tidy::repository::{files, root};

/// Folders of one machine, and notes to oneself; each is written in two halves so that this file stays clean.
const FORBIDDEN: &[(&str, &str)] =
    &[("../sha", "red"), ("/wo", "rk/"), ("FIX", "ME"), ("XX", "X:"), ("TO", "DO")];

#[test]
fn no_path_of_one_machine_and_no_note_to_oneself() {
    let mut found = Vec::new();
    for path in files() {
        if path == Path::new("Cargo.lock") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (head, tail) in FORBIDDEN {
                if line.contains(&format!("{head}{tail}")) {
                    found.push(format!("{}:{}: {head}{tail}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// Documents that a reader of the repository does not have; each is written in two halves.
const ELSEWHERE: &[(&str, &str)] = &[
    ("proto", "col.md"),
    ("secu", "rity.md"),
    ("deci", "sions.md"),
    ("perfor", "mance.md"),
    ("feat", "ures.md"),
];

#[test]
fn every_document_referred_to_is_here() {
    let mut found = Vec::new();
    for path in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (head, tail) in
                ELSEWHERE.iter().filter(|(head, tail)| line.contains(&format!("{head}{tail}")))
            {
                found.push(format!(
                    "{}:{}: {head}{tail} is not in this repository",
                    path.display(),
                    number + 1
                ));
            }
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn text_files_end_with_a_newline_and_have_no_carriage_returns() {
    let texts = ["rs", "md", "toml", "wit"];
    for path in files() {
        if !path.extension().and_then(|end| end.to_str()).is_some_and(|end| texts.contains(&end)) {
            continue;
        }
        let text = std::fs::read_to_string(root().join(&path)).expect("text is UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'), "{}: no newline at the end", path.display());
        assert!(!text.contains('\r'), "{}: a carriage return", path.display());
    }
}
