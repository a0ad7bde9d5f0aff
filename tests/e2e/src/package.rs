//! A plugin as its author ships it, and `xferd plugin` on a world's daemon.

use crate::world::World;
use std::path::PathBuf;
use std::process::Output;

/// A folder with a component and its `plugin.toml`.
pub struct Package {
    /// Where it lies.
    pub folder: PathBuf,
    /// `owner/name`.
    pub name: String,
}

/// What a command of `xferd` said.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended with 0.
    pub ok: bool,
    /// Its exit code.
    pub code: Option<i32>,
    /// Both outputs.
    pub text: String,
}

impl Said {
    /// Asserts that it did what it was told.
    pub fn ok(self) -> Self {
        assert!(self.ok, "{}", self.text);
        self
    }

    /// Asserts that it ended with this code and named the plugin in one line that holds `what`.
    pub fn refused(self, code: i32, plugin: &str, what: &str) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        let lines = self.text.lines().filter(|line| line.contains(plugin) && line.contains(what));
        assert_eq!(lines.count(), 1, "one line with {plugin} and {what}: {}", self.text);
        assert!(!self.text.contains("panicked at"), "{}", self.text);
        self
    }
}

impl Package {
    /// A package of this name, world and component in the world's scratch directory; `more` are lines of its
    /// `plugin.toml`.
    pub fn new(world: &World, name: &str, kind: &str, component: &[u8], more: &str) -> Self {
        let text = format!(
            "plugin.name = \"{name}\"\nplugin.version = \"1.0.0\"\nplugin.world = \"xferd:plugin/{kind}\"\n{more}"
        );
        Self::with_manifest(world, name, &text, component)
    }

    /// The same with this `plugin.toml`.
    pub fn with_manifest(world: &World, name: &str, text: &str, component: &[u8]) -> Self {
        let folder = world.path(&format!("package-{}", name.replace('/', "+")));
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join("plugin.toml"), text).expect("written");
        let short = name.rsplit('/').next().unwrap_or(name);
        std::fs::write(folder.join(format!("{short}.wasm")), component).expect("written");
        Self { folder, name: name.to_owned() }
    }

    /// Installs it with all grants, although nobody signed it.
    pub fn install(&self, world: &World) -> Said {
        self.install_with(world, &["--unsigned", "--grant", "all"])
    }

    /// Installs it with these arguments.
    pub fn install_with(&self, world: &World, arguments: &[&str]) -> Said {
        let folder = self.folder.display().to_string();
        xferd(world, &[&["plugin", "install", &folder], arguments].concat())
    }
}

/// A command of `xferd` on the world's daemon.
pub fn xferd(world: &World, arguments: &[&str]) -> Said {
    let Output { status, stdout, stderr } = world.daemon().command(arguments).output().expect("xferd runs");
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    Said { ok: status.success(), code: status.code(), text }
}
