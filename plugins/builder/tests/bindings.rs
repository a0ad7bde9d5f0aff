//! The SDK's generated bindings are those of `wit/xferd.wit`. `GOLDEN=write cargo test -p xferd-plugin-builder --test bindings`
//! writes them again.

use std::path::{Path, PathBuf};
use std::process::Command;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};
use wit_parser::Resolve;

/// Where the SDK's own `cabi_realloc`, `Cleanup` and flags lie.
const RUNTIME: &str = "crate::guest::rt";

/// Worlds that a plugin may fit, each behind the SDK's feature of its name.
const WORLDS: &[&str] = &["policy", "batch-policy", "handler", "discovery", "observer"];

#[test]
fn bindings_are_those_of_the_wit() {
    let sdk = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    let wit = std::fs::read_to_string(sdk.join("../../wit/xferd.wit")).expect("wit/xferd.wit");
    let home = tempfile::tempdir().expect("a scratch folder");
    put(home.path(), "imports", &["xferd", "plugin"], &imports(&wit));
    for world in WORLDS {
        let path = ["exports", "xferd", "plugin"];
        put(home.path(), &world.replace('-', "_"), &path, &exports(&wit, world));
    }
    compare(home.path(), &sdk.join("src/bindings"));
}

/// Writes a generated file with one file for each interface, as the house's rustfmt has them. `path` are the modules
/// around the interfaces.
fn put(folder: &Path, name: &str, path: &[&str], text: &str) {
    let indent = " ".repeat(path.len() * 4);
    let below = path.iter().fold(folder.join(name), |folder, module| folder.join(module));
    std::fs::create_dir_all(&below).expect("folders are made");
    let text = text.replace("#[rustfmt::skip]\n", "");
    let (mut head, mut lines) = (String::new(), text.lines());
    while let Some(line) = lines.next() {
        let module =
            line.strip_prefix(&indent).and_then(|line| line.strip_prefix("pub mod ")?.strip_suffix(" {"));
        let Some(module) = module else {
            head.push_str(&format!("{line}\n"));
            continue;
        };
        head.push_str(&format!("{indent}pub mod {module};\n"));
        let end = format!("{indent}}}");
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        std::fs::write(below.join(format!("{module}.rs")), body.join("\n") + "\n").expect("written");
    }
    let file = folder.join(format!("{name}.rs"));
    std::fs::write(&file, head).expect("written");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config-path"]).arg(root).arg(file);
    // What the first pass makes of long chains the second still changes.
    for _ in 0..2 {
        assert!(rustfmt.status().expect("rustfmt runs").success());
    }
}

/// Every file there is one here, and the other way round.
fn compare(made: &Path, here: &Path) {
    let (mut files, there) = (listed(made), listed(here));
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        for file in &files {
            let to = here.join(file);
            std::fs::create_dir_all(to.parent().expect("in a folder")).expect("folders are made");
            std::fs::copy(made.join(file), to).expect("bindings written");
        }
        there.iter().filter(|file| !files.contains(file) && **file != Path::new("mod.rs")).for_each(|file| {
            std::fs::remove_file(here.join(file)).expect("removed");
        });
    }
    files.push(PathBuf::from("mod.rs"));
    files.sort();
    assert_eq!(listed(here), files, "plugins/sdk/src/bindings; if that is meant: GOLDEN=write");
    for file in files.iter().filter(|file| **file != Path::new("mod.rs")) {
        let text = |folder: &Path| std::fs::read_to_string(folder.join(file)).expect("a file");
        let same = text(made) == text(here);
        assert!(same, "{} is not what wit/xferd.wit gives; if that is meant: GOLDEN=write", file.display());
    }
}

/// Files below a folder, sorted.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push(path.strip_prefix(folder).expect("below it").to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// The imports of all worlds, once, without the section that names a component's type: the worlds bring it.
fn imports(wit: &str) -> String {
    let (resolve, world) = parsed(wit, "handler");
    let package = resolve.worlds[world].package.expect("worlds are in a package");
    let exported: Vec<_> = WORLDS
        .iter()
        .flat_map(|name| {
            let world = resolve.packages[package].worlds[*name];
            resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>()
        })
        .collect();
    let all = resolve.packages[package].interfaces.iter().filter(|(name, id)| {
        let full = resolve.id_of(**id).expect("interfaces have names");
        !exported.contains(&full) && *name != "handover"
    });
    let all: Vec<String> = all.map(|(name, _)| format!("import {name};")).collect();
    let text =
        generated(&format!("{wit}\nworld all-imports {{ {} }}\n", all.join(" ")), "all-imports", false);
    let section = text.find("\"component-type:").expect("the section that names the type");
    let begin = text[..section].rfind("#[rustfmt::skip]").expect("its attributes");
    let end = text.find("#[inline(never)]\n#[doc(hidden)]\npub fn __link_custom_section").expect("its link");
    format!("{}{}", &text[..begin], &text[end..])
}

/// What one world exports; its imports are those of [`imports`]. Macros of all worlds lie in one crate's root, so
/// each carries its world's name.
fn exports(wit: &str, world: &str) -> String {
    let own = format!("__export_{}_xferd_plugin_", world.replace('-', "_"));
    generated(wit, world, true).replace("__export_xferd_plugin_", &own)
}

fn generated(wit: &str, world: &str, is_world: bool) -> String {
    let (mut resolve, id) = parsed(wit, world);
    let module = world.replace('-', "_");
    let with = match is_world {
        false => Vec::new(),
        true => resolve.worlds[id].imports.keys().map(|key| resolve.name_world_key(key)).map(ours).collect(),
    };
    let options = Opts {
        format: true,
        runtime_path: Some(RUNTIME.into()),
        bitflags_path: Some(format!("{RUNTIME}::bitflags")),
        pub_export_macro: is_world,
        default_bindings_module: Some(format!("$crate::bindings::{module}")),
        export_macro_name: Some(format!("export_{module}")),
        generate_all: true,
        generate_unused_types: true,
        disable_run_ctors_once_workaround: true,
        additional_derive_attributes: vec!["Clone".into(), "PartialEq".into()],
        with,
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, id, &mut files).expect("bindings");
    let (_, bytes) = files.iter().next().expect("one file");
    String::from_utf8(bytes.to_vec()).expect("Rust is UTF-8")
}

fn ours(interface: String) -> (String, WithOption) {
    let name = interface.trim_start_matches("xferd:plugin/").split('@').next().unwrap_or_default();
    let path = format!("crate::bindings::imports::xferd::plugin::{}", name.replace('-', "_"));
    (interface, WithOption::Path(path))
}

fn parsed(wit: &str, world: &str) -> (Resolve, wit_parser::WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("xferd.wit", wit).expect("wit/xferd.wit parses");
    let world = resolve.select_world(&[package], Some(world)).expect("the world is there");
    (resolve, world)
}
