//! The files of this repository, as they lie on disk.

use crate::lexer::Source;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The workspace's own folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("tests/tidy lies two levels below the workspace").to_owned()
}

/// Every file of the repository, relative to [`root`], sorted; without `.git` and build output.
pub fn files() -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let path = entry.expect("a folder of the repository can be read").path();
            let name = path.file_name().unwrap_or_default();
            if name == ".git" || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(&root).expect("found below the root").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// One Rust file.
pub struct RustFile {
    /// Its path relative to [`root`].
    pub path: PathBuf,
    /// Its text, taken apart.
    pub source: Source,
    /// Whether all of it is test code.
    pub is_test: bool,
}

impl RustFile {
    /// The room of `engine/` or `plugins/` it belongs to, or the first folder of its path.
    pub fn room(&self) -> &str {
        let mut parts = self.path.iter().filter_map(|part| part.to_str());
        match parts.next() {
            Some("engine" | "plugins") => parts.next().unwrap_or(""),
            Some(first) => first,
            None => "",
        }
    }

    /// Whether it lies in `engine/`.
    pub fn in_engine(&self) -> bool {
        self.path.starts_with("engine")
    }

    /// Code lines that are not tests: (number from 1, text without comments and literals).
    pub fn lines(&self) -> Vec<(usize, &str)> {
        if self.is_test { Vec::new() } else { self.source.lines_outside_tests().collect() }
    }

    /// Code lines that are tests.
    pub fn test_lines(&self) -> Vec<(usize, &str)> {
        if self.is_test {
            self.source.code.lines().enumerate().map(|(index, line)| (index + 1, line)).collect()
        } else {
            self.source.lines_of_tests().collect()
        }
    }
}

/// What is generated: held to its generator by a test of its own (`plugins/builder/tests/bindings.rs`), not to the
/// rules for what people write.
const GENERATED: &str = "plugins/sdk/src/bindings";

/// Every Rust file of the repository that people write.
pub fn rust_files() -> Vec<RustFile> {
    let root = root();
    let mut found = Vec::new();
    let mut declared_tests = BTreeSet::new();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    for path in files().into_iter().filter(|path| is_rust(path) && !path.starts_with(GENERATED)) {
        let text = std::fs::read_to_string(root.join(&path)).expect("a source file is UTF-8");
        let source = Source::new(&text);
        for module in source.test_modules() {
            let folder = module_folder(&path);
            declared_tests.insert(folder.join(format!("{module}.rs")));
            declared_tests.insert(folder.join(&module));
        }
        let is_test =
            path.starts_with("tests") || path.iter().any(|part| part == "tests" || part == "tests.rs");
        found.push(RustFile { path, source, is_test });
    }
    for file in &mut found {
        file.is_test |= file.path.ancestors().any(|above| declared_tests.contains(above));
    }
    found
}

/// Where the submodules of a file lie.
fn module_folder(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new(""));
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") | None => folder.to_owned(),
        Some(stem) => folder.join(stem),
    }
}
