//! What `xferd plugin new` unpacks: a crate that builds and passes its tests, with the SDK's sources beside it, so that
//! nothing is downloaded.

mod sdk;

pub use sdk::SDK;

/// Worlds there is a template for.
pub const WORLDS: &[&str] = &["policy", "handler", "observer"];

/// What every plugin has.
const COMMON: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../template/Cargo.toml.txt")),
    ("README.md", include_str!("../../template/README.md.txt")),
    (".gitignore", include_str!("../../template/gitignore.txt")),
    ("sdk/Cargo.toml", include_str!("../../template/sdk-Cargo.toml.txt")),
];

/// What one of this world has beside that.
fn own(world: &str) -> &'static [(&'static str, &'static str)] {
    match world {
        "handler" => &[
            ("plugin.toml", include_str!("../../template/handler.toml.txt")),
            ("src/lib.rs", include_str!("../../template/handler.rs.txt")),
        ],
        "observer" => &[
            ("plugin.toml", include_str!("../../template/observer.toml.txt")),
            ("src/lib.rs", include_str!("../../template/observer.rs.txt")),
        ],
        _ => &[
            ("plugin.toml", include_str!("../../template/plugin.toml.txt")),
            ("src/lib.rs", include_str!("../../template/lib.rs.txt")),
            ("tests/cases.toml", include_str!("../../template/cases.toml.txt")),
        ],
    }
}

/// The files of a plugin of this name and world, one of [`WORLDS`]: (path in its folder, text).
pub fn files(name: &str, world: &str) -> Vec<(String, String)> {
    let filled = |(path, text): &(&str, &str)| {
        let text = text.replace("@NAME@", name).replace("@WORLD@", world);
        ((*path).to_owned(), text.replace("@VERSION@", env!("CARGO_PKG_VERSION")))
    };
    let all = COMMON.iter().chain(own(world)).map(filled);
    all.chain(SDK.iter().map(|(path, text)| (format!("sdk/src/{path}"), (*text).to_owned()))).collect()
}

/// Whether a plugin may have this name: 1 to 63 of a-z, 0-9 and `-`, a letter first.
pub fn is_name(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (1..=63).contains(&name.len())
        && letters
        && name.as_bytes()[0].is_ascii_lowercase()
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_source_of_the_sdk_is_unpacked() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/src");
        let mut there = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of the SDK").flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => there.push(path.strip_prefix(&root).expect("below it").display().to_string()),
                }
            }
        }
        there.sort();
        let carried: Vec<String> = SDK.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(carried, there, "src/template/sdk.rs names every file, sorted");
    }

    #[test]
    fn names_are_those_of_crates_and_folders() {
        for name in ["a", "night-shift", "x2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "2x", "A", "a_b", "a/b", "..", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
        for world in WORLDS {
            let files = files("night-shift", world);
            let left = |text: &str| ["@NAME@", "@VERSION@", "@WORLD@"].iter().any(|word| text.contains(word));
            assert!(files.iter().all(|(_, text)| !left(text)), "{world}");
            assert!(files.iter().any(|(path, text)| path == "plugin.toml" && text.contains(world)));
        }
    }
}
