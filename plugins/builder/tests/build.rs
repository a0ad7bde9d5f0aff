//! What the template unpacks becomes a component, in an empty folder, without a registry.

use plugin_builder::{BuildError, Order, Toolchain, build, template, write};
use std::path::{Path, PathBuf};

/// Where plugins of this workspace are built, so that the core library is built once.
fn shared() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")).join("plugin-build")
}

fn unpack(folder: &Path, world: &str) {
    for (path, text) in template::files("night-shift", world) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("in the folder")).expect("folders are made");
        std::fs::write(path, text).expect("files are written");
    }
}

// proves: E4
#[test]
fn the_template_becomes_a_component_that_imports_only_ours() {
    let toolchain = match Toolchain::find() {
        Ok(toolchain) => toolchain,
        Err(missing) => {
            println!(
                "skipped: the_template_becomes_a_component_that_imports_only_ours: {missing}; {}",
                missing.next()
            );
            return;
        }
    };
    let home = tempfile::tempdir().expect("a scratch folder");
    unpack(home.path(), "policy");
    let shared = shared();
    let roundabout = home.path().join("src/..");
    let order = Order::new(&roundabout, &shared);
    let built = build(&toolchain, &order).expect("the template builds");
    assert_eq!(built.name, "night-shift");
    assert!(built.component.imports.iter().all(|name| name.starts_with("xferd:plugin/")));
    let exports = ["xferd:plugin/authorizer@0.1.0", "xferd:plugin/setup@0.1.0"];
    assert_eq!(built.component.exports, exports);
    assert!(built.component.imports.contains(&"xferd:plugin/context@0.1.0".to_owned()));
    assert!(!built.component.imports.contains(&"xferd:plugin/quota@0.1.0".to_owned()), "only what is used");
    let path = write(&built, home.path()).expect("written");
    assert_eq!(path, home.path().join("night-shift.wasm"));

    let small = build(&toolchain, &Order { bytes_max: 1024, ..order.clone() });
    assert!(matches!(small, Err(BuildError::TooLarge { most: 1024, .. })));
    let source = home.path().join("src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("its source");
    std::fs::write(&source, text.replace("xferd_plugin_sdk::export_policy!(KeepOut);", "")).expect("changed");
    let error = build(&toolchain, &order).expect_err("no export");
    assert!(matches!(error, BuildError::NotAPlugin(_)), "{error}");
    assert!(error.next().contains("export_policy!"));
}

// proves: E4
#[test]
fn the_templates_of_other_worlds_become_components_of_theirs() {
    let Ok(toolchain) = Toolchain::find() else { return };
    for (world, export) in [("handler", "command"), ("observer", "observer-events")] {
        let home = tempfile::tempdir().expect("a scratch folder");
        unpack(home.path(), world);
        let built = build(&toolchain, &Order::new(home.path(), &shared())).expect("the template builds");
        let exports = [format!("xferd:plugin/{export}@0.1.0"), "xferd:plugin/setup@0.1.0".to_owned()];
        assert_eq!(built.component.exports, exports);
        let imports = &built.component.imports;
        assert!(imports.iter().all(|name| name.starts_with("xferd:plugin/")), "{imports:?}");
        assert!(!imports.iter().any(|name| name.contains("messages")), "only what is used: {imports:?}");
    }
}

#[test]
fn a_folder_without_a_crate_is_named() {
    let Ok(toolchain) = Toolchain::find() else { return };
    let home = tempfile::tempdir().expect("a scratch folder");
    let error = build(&toolchain, &Order::new(home.path(), home.path())).expect_err("nothing there");
    assert!(matches!(error, BuildError::NoCrate(_)) && error.next().contains("xferd plugin new"));
}
