//! What a component imports and exports, compared with `xferd.wit` item by item.
//!
//! A linker would say that two types differ; an author wants to know which function of which interface. So the
//! comparison is made on the interfaces themselves, before anything is compiled.

use crate::imports::interface_of;
use crate::manifest::{Manifest, World};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    Function, Interface, InterfaceId, Resolve, Type, TypeDefKind, UnresolvedPackageGroup, WorldId, WorldItem,
    WorldKey,
};

/// The interfaces this host speaks.
const TEXT: &str = include_str!("../../../wit/xferd.wit");

/// Interfaces and the functions of each that a component uses or offers.
pub type Items = BTreeMap<String, Vec<String>>;

/// What a component is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The worlds whose imports and exports it fits.
    pub worlds: Vec<World>,
    /// What it imports, without the package's name.
    pub imports: Items,
    /// What it exports.
    pub exports: Items,
}

/// One item that is otherwise than in `xferd.wit`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// `xferd.wit` has no such interface.
    Interface,
    /// The interface has no such function or type; it has these.
    Item {
        /// The name.
        item: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The item is there, and of another type.
    Type {
        /// The name.
        item: String,
        /// As the component has it.
        found: String,
        /// As `xferd.wit` has it.
        expected: String,
    },
}

/// Why a component is no plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShapeError {
    /// Not a component at all: what the decoder says.
    NotComponent(String),
    /// A core module, which has to be made a component first.
    CoreModule,
    /// It imports WASI.
    Wasi {
        /// The imports.
        imports: Vec<String>,
    },
    /// It imports what is not ours.
    Foreign {
        /// The imports.
        imports: Vec<String>,
    },
    /// It was built against another version of the interfaces.
    Version {
        /// The import or export.
        interface: String,
    },
    /// An interface is not as in `xferd.wit`.
    Interface {
        /// Whether it is exported; else imported.
        exported: bool,
        /// Its name.
        interface: String,
        /// What is otherwise.
        mismatch: Mismatch,
    },
    /// It imports what its world does not have.
    WorldImport {
        /// The world.
        world: World,
        /// The interface.
        interface: String,
    },
    /// It does not export what its world asks for.
    WorldExport {
        /// The world.
        world: World,
        /// The interface.
        interface: String,
        /// What it exports instead.
        found: Vec<String>,
    },
    /// It imports what its grants do not cover.
    Grants {
        /// (interface, line to add to `[grants]`).
        lacking: Vec<(String, &'static str)>,
    },
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotComponent(what) => write!(f, "not a WebAssembly component: {what}"),
            Self::CoreModule => {
                f.write_str("a core module, not a component: `xferd plugin build` makes a component of it")
            }
            Self::Wasi { imports } => write!(
                f,
                "it imports {}: a plugin gets no WASI; build it for wasm32-unknown-unknown",
                imports.join(", ")
            ),
            Self::Foreign { imports } => {
                write!(
                    f,
                    "it imports {}: a plugin gets the interfaces of xferd:plugin only",
                    imports.join(", ")
                )
            }
            Self::Version { interface } => write!(
                f,
                "it was built against {interface}, this host speaks xferd:plugin@{}: build it again with this version's SDK",
                version()
            ),
            Self::Interface { exported, interface, mismatch } => {
                let verb = if *exported { "exports" } else { "imports" };
                match mismatch {
                    Mismatch::Interface => {
                        write!(f, "it {verb} the interface {interface}, which xferd.wit has not")
                    }
                    Mismatch::Item { item, known } => write!(
                        f,
                        "it {verb} {interface}.{item}: the interface {interface} has {}",
                        known.join(", ")
                    ),
                    Mismatch::Type { item, found, expected } => {
                        write!(f, "it {verb} {interface}.{item} as {found}; xferd.wit has {expected}")
                    }
                }
            }
            Self::WorldImport { world, interface } => write!(
                f,
                "it imports {interface}, which the world {} does not have: another world, or another way",
                world.name()
            ),
            Self::WorldExport { world, interface, found } => write!(
                f,
                "the world {} exports {interface}, this component exports {}",
                world.name(),
                if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
            ),
            Self::Grants { lacking } => {
                f.write_str("it imports what is not granted; add to [grants] in plugin.toml:")?;
                lacking.iter().try_for_each(|(interface, line)| write!(f, "\n  {line}   # for {interface}"))
            }
        }
    }
}

impl std::error::Error for ShapeError {}

/// Looks at a component without compiling it.
///
/// # Errors
/// What no world of ours could ever fit, by interface and item.
pub fn inspect(component: &[u8]) -> Result<Shape, ShapeError> {
    if component.len() >= 8 && component[..4] == *b"\0asm" && component[4..8] == [1, 0, 0, 0] {
        return Err(ShapeError::CoreModule);
    }
    let (resolve, world) = match decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => {
            return Err(ShapeError::NotComponent("it holds interfaces only, no code".to_owned()));
        }
        Err(error) => return Err(ShapeError::NotComponent(format!("{error:#}"))),
    };
    foreign(&resolve, world)?;
    let imports = items(&resolve, world, false)?;
    let exports = items(&resolve, world, true)?;
    let mut shape = Shape { worlds: Vec::new(), imports, exports };
    shape.worlds = World::ALL.into_iter().filter(|world| shape.fits(*world).is_ok()).collect();
    Ok(shape)
}

impl Shape {
    /// Whether it fits this world.
    ///
    /// # Errors
    /// The first import the world has not, or export it has to have.
    pub fn fits(&self, world: World) -> Result<(), ShapeError> {
        let (imports, exports) = sides(world);
        if let Some(interface) = self.imports.keys().find(|name| !imports.contains(name)) {
            return Err(ShapeError::WorldImport { world, interface: interface.clone() });
        }
        if let Some(interface) = exports.iter().find(|name| !self.exports.contains_key(*name)) {
            let found = self.exports.keys().cloned().collect();
            return Err(ShapeError::WorldExport { world, interface: interface.clone(), found });
        }
        Ok(())
    }

    /// Whether it is what its manifest says, within its grants.
    ///
    /// # Errors
    /// The world does not fit, or every import that lacks its grant.
    pub fn check(&self, manifest: &Manifest) -> Result<(), ShapeError> {
        self.fits(manifest.world)?;
        let lacking = |name: &String| manifest.grants.lacking(name).map(|line| (name.clone(), line));
        let lacking: Vec<_> = self.imports.keys().filter_map(lacking).collect();
        if lacking.is_empty() { Ok(()) } else { Err(ShapeError::Grants { lacking }) }
    }
}

/// `xferd.wit`, parsed.
fn ours() -> &'static Resolve {
    static OURS: OnceLock<Resolve> = OnceLock::new();
    OURS.get_or_init(|| {
        let mut resolve = Resolve::default();
        let group = UnresolvedPackageGroup::parse("xferd.wit", TEXT).map_err(|(_, error)| error);
        let pushed = group.map(|group| resolve.push_group(group));
        debug_assert!(matches!(pushed, Ok(Ok(_))), "a test parses the same text");
        resolve
    })
}

fn version() -> String {
    let package = ours().packages.iter().find_map(|(_, package)| package.name.version.as_ref());
    package.map(ToString::to_string).unwrap_or_default()
}

/// Names of the interfaces a world of ours imports and exports.
pub(crate) fn sides(world: World) -> (Vec<String>, Vec<String>) {
    let resolve = ours();
    let Some((_, found)) = resolve.worlds.iter().find(|(_, found)| found.name == world.name()) else {
        return (Vec::new(), Vec::new());
    };
    let names = |items: &mut dyn Iterator<Item = &WorldKey>| {
        items
            .filter_map(|key| match key {
                WorldKey::Interface(id) => resolve.interfaces[*id].name.clone(),
                WorldKey::Name(_) => None,
            })
            .collect()
    };
    (names(&mut found.imports.keys()), names(&mut found.exports.keys()))
}

/// Imports of other packages.
fn foreign(resolve: &Resolve, world: WorldId) -> Result<(), ShapeError> {
    let names = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
    let foreign: Vec<String> = names.filter(|name| interface_of(name).is_none()).collect();
    let wasi: Vec<String> = foreign.iter().filter(|name| name.starts_with("wasi:")).cloned().collect();
    if !wasi.is_empty() {
        return Err(ShapeError::Wasi { imports: wasi });
    }
    if foreign.is_empty() { Ok(()) } else { Err(ShapeError::Foreign { imports: foreign }) }
}

/// One side of the component, each interface compared with ours.
fn items(resolve: &Resolve, world: WorldId, exported: bool) -> Result<Items, ShapeError> {
    let world = &resolve.worlds[world];
    let side = if exported { &world.exports } else { &world.imports };
    let mut found = Items::new();
    for (key, item) in side {
        let full = resolve.name_world_key(key);
        let (Some(name), WorldItem::Interface { id, .. }) = (interface_of(&full), item) else { continue };
        if full.split_once('@').is_some_and(|(_, theirs)| theirs != version()) {
            return Err(ShapeError::Version { interface: full });
        }
        let functions = compare(resolve, *id, name, exported).map_err(|mismatch| ShapeError::Interface {
            exported,
            interface: name.to_owned(),
            mismatch,
        })?;
        found.insert(name.to_owned(), functions);
    }
    Ok(found)
}

/// The interface's functions, if each is as ours; an exported one has to have all.
fn compare(resolve: &Resolve, id: InterfaceId, name: &str, exported: bool) -> Result<Vec<String>, Mismatch> {
    let theirs = &resolve.interfaces[id];
    let own = ours();
    let known = own.interfaces.iter().find(|(_, known)| known.name.as_deref() == Some(name));
    let (_, known) = known.ok_or(Mismatch::Interface)?;
    for (item, id) in &theirs.types {
        let Some(expected) = known.types.get(item) else { return Err(unknown(item, known)) };
        let (found, expected) =
            (definition(resolve, &resolve.types[*id].kind), definition(own, &own.types[*expected].kind));
        if found != expected {
            return Err(Mismatch::Type { item: item.clone(), found, expected });
        }
    }
    for (item, function) in &theirs.functions {
        let Some(expected) = known.functions.get(item) else { return Err(unknown(item, known)) };
        let (found, expected) = (signature(resolve, function), signature(own, expected));
        if found != expected {
            return Err(Mismatch::Type { item: item.clone(), found, expected });
        }
    }
    if exported && let Some(lacks) = known.functions.keys().find(|item| !theirs.functions.contains_key(*item))
    {
        let expected = signature(own, &known.functions[lacks]);
        return Err(Mismatch::Type { item: lacks.clone(), found: "nothing".to_owned(), expected });
    }
    Ok(theirs.functions.keys().cloned().collect())
}

fn unknown(item: &str, known: &Interface) -> Mismatch {
    let known = known.functions.keys().chain(known.types.keys()).cloned().collect();
    Mismatch::Item { item: item.to_owned(), known }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, spell(resolve, &param.ty)))
        .collect();
    let result = function.result.map_or(String::new(), |result| format!(" -> {}", spell(resolve, &result)));
    format!("func({}){result}", params.join(", "))
}

/// A type by its name, or by its structure where it has none.
fn spell(resolve: &Resolve, of: &Type) -> String {
    match of {
        Type::Id(id) => match &resolve.types[*id].name {
            Some(name) => name.clone(),
            None => definition(resolve, &resolve.types[*id].kind),
        },
        Type::Bool => "bool".to_owned(),
        Type::String => "string".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// A type's structure, one level deep: what it names is compared under its own name.
fn definition(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let named = |name: &str, of: Option<Type>| match of {
        Some(of) => format!("{name}({})", spell(resolve, &of)),
        None => name.to_owned(),
    };
    let list = |parts: Vec<String>| parts.join(", ");
    let optional = |of: &Option<Type>| of.map_or("_".to_owned(), |of| spell(resolve, &of));
    match kind {
        TypeDefKind::Record(record) => {
            let field = |field: &wit_parser::Field| format!("{}: {}", field.name, spell(resolve, &field.ty));
            format!("record {{ {} }}", list(record.fields.iter().map(field).collect()))
        }
        TypeDefKind::Variant(variant) => {
            let case = |case: &wit_parser::Case| named(&case.name, case.ty);
            format!("variant {{ {} }}", list(variant.cases.iter().map(case).collect()))
        }
        TypeDefKind::Enum(cases) => {
            format!("enum {{ {} }}", list(cases.cases.iter().map(|case| case.name.clone()).collect()))
        }
        TypeDefKind::Flags(flags) => {
            format!("flags {{ {} }}", list(flags.flags.iter().map(|flag| flag.name.clone()).collect()))
        }
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", list(tuple.types.iter().map(|of| spell(resolve, of)).collect()))
        }
        TypeDefKind::Option(of) => format!("option<{}>", spell(resolve, of)),
        TypeDefKind::List(of) => format!("list<{}>", spell(resolve, of)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", optional(&result.ok), optional(&result.err)),
        TypeDefKind::Type(of) => spell(resolve, of),
        other => other.as_str().to_owned(),
    }
}
