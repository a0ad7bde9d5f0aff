//! Offer: one side asks for a transfer. Protocol `xferd.offer`.

use super::super::order::check_path;
use super::super::{Malformed, at_most};
use super::document::{Builder, Fields};
use super::options::OPTION_KEYS;
use crate::wire::layouts::{Layout, field};
use alloc::string::String;
use alloc::vec::Vec;
use base::hooks::Obligations;
use base::ids::TransferId;
use base::limits::Limits;
use bson::raw::cstr;

pub use super::options::{Command, Direction, Durability, Existing, Options, Verify};

/// Name of the protocol.
pub const PROTOCOL: &str = "xferd.offer";

/// Fields of the request.
pub const REQUEST: Layout = Layout {
    name: "Offer",
    place: "BSON, payload of the request `xferd.offer`",
    fields: &[
        field("transfer", "number", "session-local: odd from the initiator, even from the responder"),
        field("id", "binary (16)", "chosen at random by the offering side"),
        field("direction", "text", "`push` or `pull`, seen from the offering side"),
        field("command", "text", "`copy`, `sync` or `replace`"),
        field("root", "text", "the share and what follows it"),
        field("paths", "array of binary", "beneath `root`; of a push the names of the sources"),
        field("totals", "document, optional", "`files` and `bytes`, numbers, where they were counted"),
        field("streams", "number", "data streams wished for"),
        field("into", "bool", "of a pull: sources keep their names; else the one source is the destination"),
        field("options", "document, optional", "see Options"),
    ],
};

/// Fields of the reply.
pub const REPLY: Layout = Layout {
    name: "Offer: reply",
    place: "BSON, data of the reply to `xferd.offer`",
    fields: &[
        field("destination", "text", "what is there: `absent`, `file` or `directory`"),
        field("durability", "text", "`none`, `file` or `tree`: at least what was asked"),
        field("window", "number", "bytes of content that may be sent on each stream before the first Ack"),
        field("streams_max", "number", "most data streams"),
        field("home", "number", "the answering side's core that carries the session: streams name it"),
        field("cores", "number", "how many cores the answering side has"),
        field(
            "limits",
            "document, optional",
            "`bytes_max files_max bytes_per_second not_after_ms`, each optional",
        ),
    ],
};

/// Files and bytes that the offering side counted before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Session-local number: odd from the session's initiator, even from its responder.
    pub transfer: u32,
    /// Chosen at random by the offering side.
    pub id: TransferId,
    /// Which way content flows.
    pub direction: Direction,
    /// Which command asks.
    pub command: Command,
    /// The share and what follows it, as text: the destination of a push, the base of a pull.
    pub root: String,
    /// Of a pull, the sources beneath `root`; of a push, the names of the sources. Empty: `root` itself.
    pub paths: Vec<Vec<u8>>,
    /// What was counted, if it was.
    pub totals: Option<Totals>,
    /// Data streams wished for.
    pub streams: u16,
    /// Of a pull: sources keep their names below the destination; else the one source becomes it.
    pub into: bool,
    /// How.
    pub options: Options,
}

const KEYS: &[&str] =
    &["transfer", "id", "direction", "command", "root", "paths", "totals", "streams", "into", "options"];

impl Offer {
    /// The request's payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Builder::default();
        out.number(cstr!("transfer"), u64::from(self.transfer))
            .bytes(cstr!("id"), &self.id.0)
            .text(cstr!("direction"), self.direction.name())
            .text(cstr!("command"), self.command.name())
            .text(cstr!("root"), &self.root)
            .byte_list(cstr!("paths"), self.paths.iter());
        if let Some(totals) = self.totals {
            let mut inner = Builder::default();
            inner.number(cstr!("files"), totals.files).number(cstr!("bytes"), totals.bytes);
            out.inner(cstr!("totals"), inner);
        }
        out.number(cstr!("streams"), u64::from(self.streams))
            .bool(cstr!("into"), self.into)
            .inner(cstr!("options"), self.options.write());
        out.finish()
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// The rule it breaks; an unknown field or option is one.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes, KEYS, limits)?;
        let totals = fields.inner("totals", &["files", "bytes"])?;
        let options = fields.inner("options", OPTION_KEYS)?;
        Ok(Self {
            transfer: required("transfer", fields.u32("transfer")?)?,
            id: required("id", fields.bytes("id")?.and_then(TransferId::from_slice))?,
            direction: required("direction", fields.choice("direction", Direction::from_name)?)?,
            command: required("command", fields.choice("command", Command::from_name)?)?,
            root: read_root(&fields, limits)?,
            paths: read_paths(&fields, limits)?,
            totals: totals.map(|totals| read_totals(&totals)).transpose()?,
            streams: required("streams", fields.u16("streams")?)?.max(1),
            into: fields.bool("into")?,
            options: options.map_or(Ok(Options::default()), |fields| Options::read(&fields, limits))?,
        })
    }
}

fn read_totals(fields: &Fields<'_>) -> Result<Totals, Malformed> {
    Ok(Totals {
        files: required("files", fields.u64("files")?)?,
        bytes: required("bytes", fields.u64("bytes")?)?,
    })
}

/// A share's path as text: no longer than a path, without NUL.
pub(super) fn read_root(fields: &Fields<'_>, limits: &Limits) -> Result<String, Malformed> {
    let root = required("root", fields.text("root")?)?;
    at_most("root", root.len() as u64, u64::from(limits.path_bytes_max))?;
    if root.contains('\0') { Err(Malformed::Text { field: "root" }) } else { Ok(String::from(root)) }
}

/// Relative paths, each within the rules.
pub(super) fn read_paths(fields: &Fields<'_>, limits: &Limits) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut paths = Vec::new();
    for path in fields.byte_list("paths")? {
        paths.push(check_path(path, limits)?.as_bytes().to_vec());
    }
    Ok(paths)
}

pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or(Malformed::Missing { field })
}

/// What is at the destination of a push, or at the source of a pull.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// Nothing.
    Absent,
    /// A file, or a symlink.
    File,
    /// A directory.
    Directory,
}

impl Destination {
    fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::File => "file",
            Self::Directory => "directory",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Absent, Self::File, Self::Directory].into_iter().find(|kind| kind.name() == name)
    }
}

/// Bounds that the decision set; `None` is no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allowance {
    /// Most bytes of the transfer.
    pub bytes_max: Option<u64>,
    /// Most files of the transfer.
    pub files_max: Option<u64>,
    /// Rate of the session.
    pub bytes_per_second: Option<u64>,
    /// UTC milliseconds after which it ends.
    pub not_after_ms: Option<u64>,
}

impl From<&Obligations> for Allowance {
    fn from(obligations: &Obligations) -> Self {
        let bound = |value: u64| (value <= i64::MAX as u64).then_some(value);
        Self {
            bytes_max: bound(obligations.bytes_max),
            files_max: bound(obligations.files_max),
            bytes_per_second: bound(obligations.bytes_per_second),
            not_after_ms: bound(obligations.not_after_ms),
        }
    }
}

/// The answer to an offer that is accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferReply {
    /// What is there.
    pub destination: Destination,
    /// How safe the result will be: at least what was asked.
    pub durability: Durability,
    /// Bytes of content that may be sent on each stream before the first Ack.
    pub window: u64,
    /// Most data streams.
    pub streams_max: u16,
    /// The answering side's core that carries the session: streams name it.
    pub home: u16,
    /// How many cores the answering side has.
    pub cores: u16,
    /// What the decision set.
    pub limits: Allowance,
}

const REPLY_KEYS: &[&str] =
    &["destination", "durability", "window", "streams_max", "home", "cores", "limits"];
const ALLOWANCE_KEYS: &[&str] = &["bytes_max", "files_max", "bytes_per_second", "not_after_ms"];

impl OfferReply {
    /// The reply's data.
    pub fn encode(&self) -> Vec<u8> {
        let mut limits = Builder::default();
        limits
            .optional(cstr!("bytes_max"), self.limits.bytes_max)
            .optional(cstr!("files_max"), self.limits.files_max)
            .optional(cstr!("bytes_per_second"), self.limits.bytes_per_second)
            .optional(cstr!("not_after_ms"), self.limits.not_after_ms);
        let mut out = Builder::default();
        out.text(cstr!("destination"), self.destination.name())
            .text(cstr!("durability"), self.durability.name())
            .number(cstr!("window"), self.window)
            .number(cstr!("streams_max"), u64::from(self.streams_max))
            .number(cstr!("home"), u64::from(self.home))
            .number(cstr!("cores"), u64::from(self.cores))
            .inner(cstr!("limits"), limits);
        out.finish()
    }

    /// Reads and checks a reply's data.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes, REPLY_KEYS, limits)?;
        let allowance = fields.inner("limits", ALLOWANCE_KEYS)?;
        Ok(Self {
            destination: required("destination", fields.choice("destination", Destination::from_name)?)?,
            durability: required("durability", fields.choice("durability", Durability::from_name)?)?,
            window: required("window", fields.u64("window")?)?,
            streams_max: required("streams_max", fields.u16("streams_max")?)?,
            home: required("home", fields.u16("home")?)?,
            cores: required("cores", fields.u16("cores")?)?.max(1),
            limits: allowance.map_or(Ok(Allowance::default()), |fields| read_allowance(&fields))?,
        })
    }
}

fn read_allowance(fields: &Fields<'_>) -> Result<Allowance, Malformed> {
    Ok(Allowance {
        bytes_max: fields.u64("bytes_max")?,
        files_max: fields.u64("files_max")?,
        bytes_per_second: fields.u64("bytes_per_second")?,
        not_after_ms: fields.u64("not_after_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::filter::{FilterRule, Filters};
    use super::*;
    use crate::message::ScanError;
    use alloc::vec;
    use proptest::prelude::*;

    fn offers() -> impl Strategy<Value = Offer> {
        let flags = any::<[bool; 12]>();
        let words = (0u8..4, 0u8..3, 0u8..2, 1u8..3, 1u8..4);
        let rest = (
            any::<u32>(),
            any::<[u8; 16]>(),
            "[a-z/é ]{0,20}",
            prop::option::of((0..1u64 << 40, 0..1u64 << 60)),
        );
        let lists = (
            prop::collection::vec("[a-z]{1,5}(/[a-z]{1,5})?", 0..5),
            prop::collection::vec("[a-z*/]{0,5}[a-z]", 0..5),
        );
        (flags, words, rest, lists, prop::option::of(0u64..1000), 1u16..9).prop_map(
            |(flags, words, (transfer, id, root, totals), (paths, patterns), delete_max, streams)| {
                let rule = |pattern: alloc::string::String| FilterRule {
                    include: pattern.len().is_multiple_of(2),
                    pattern: pattern.into_bytes(),
                };
                let rules: Vec<_> = patterns.into_iter().map(rule).collect();
                let options = Options {
                    recursive: flags[0],
                    links: flags[1],
                    perms: flags[2],
                    times: flags[3],
                    owner: flags[4],
                    group: flags[11],
                    sparse: flags[5],
                    delete: flags[6],
                    dry_run: flags[7],
                    checksum: flags[8],
                    inplace: flags[9],
                    delta: flags[10],
                    compress: flags[11],
                    existing: Existing::from_byte(words.0).expect("a value"),
                    durability: Durability::from_byte(words.1).expect("a value"),
                    verify: Verify::from_byte(words.2).expect("a value"),
                    filters: Filters::compile(rules, &Limits::TINY).expect("patterns"),
                    delete_max,
                    bytes_per_second: delete_max.map(|most| most * 3),
                };
                Offer {
                    transfer,
                    id: TransferId(id),
                    direction: Direction::from_byte(words.3).expect("a value"),
                    command: Command::from_byte(words.4).expect("a value"),
                    root,
                    paths: paths.into_iter().map(alloc::string::String::into_bytes).collect(),
                    totals: totals.map(|(files, bytes)| Totals { files, bytes }),
                    streams,
                    into: false,
                    options,
                }
            },
        )
    }

    fn offer() -> Offer {
        Offer {
            transfer: 1,
            id: TransferId([1; 16]),
            direction: Direction::Push,
            command: Command::Sync,
            root: String::from("/in"),
            paths: vec![],
            totals: None,
            streams: 1,
            into: false,
            options: Options::default(),
        }
    }

    proptest! {
        #[test]
        fn offers_round_trip(offer in offers()) {
            let bytes = offer.encode();
            prop_assert_eq!(Offer::parse(&bytes, &Limits::TINY), Ok(offer));
            for cut in 0..bytes.len() {
                prop_assert!(Offer::parse(&bytes[..cut], &Limits::TINY).is_err());
            }
        }

        #[test]
        fn one_changed_byte_never_panics(at in 0usize..1000, value in any::<u8>()) {
            let mut bytes = offer().encode();
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = Offer::parse(&bytes, &Limits::TINY);
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Offer::parse(&bytes, &Limits::TINY);
            let _ = OfferReply::parse(&bytes, &Limits::TINY);
        }
    }

    // proves: P6
    #[test]
    fn unknown_fields_options_and_words_are_refused() {
        let rebuild = |change: &dyn Fn(&mut Builder, &mut Builder)| {
            let mut options = offer().options.write();
            let mut out = Builder::default();
            out.number(cstr!("transfer"), 1).bytes(cstr!("id"), &[1; 16]).text(cstr!("direction"), "push");
            out.text(cstr!("root"), "/in").number(cstr!("streams"), 1);
            change(&mut out, &mut options);
            out.inner(cstr!("options"), options);
            Offer::parse(&out.finish(), &Limits::TINY)
        };
        let command = |out: &mut Builder| _ = out.text(cstr!("command"), "sync");
        assert_eq!(rebuild(&|out, _| command(out)), Ok(offer()));
        assert_eq!(rebuild(&|_, _| ()), Err(Malformed::Missing { field: "command" }));
        assert_eq!(rebuild(&|out, _| _ = out.text(cstr!("command"), "mirror")), Err(Malformed::Unknown));
        let option = |out: &mut Builder, options: &mut Builder| {
            command(out);
            options.bool(cstr!("hard_links"), true);
        };
        assert_eq!(rebuild(&option), Err(Malformed::Unknown));
        let field = |out: &mut Builder, _: &mut Builder| {
            command(out);
            out.bool(cstr!("force"), true);
        };
        assert_eq!(rebuild(&field), Err(Malformed::Unknown));
        let wrong_type = |out: &mut Builder, _: &mut Builder| _ = out.bool(cstr!("command"), true);
        assert_eq!(rebuild(&wrong_type), Err(Malformed::Bson { field: "command" }));
        let negative = |out: &mut Builder, options: &mut Builder| {
            command(out);
            options.0.append(cstr!("delete_max"), -1_i64);
        };
        assert_eq!(rebuild(&negative), Err(Malformed::Bson { field: "delete_max" }));
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let mut out = Builder::default();
        out.number(cstr!("transfer"), 1).number(cstr!("transfer"), 2);
        let parsed = Offer::parse(&out.finish(), &Limits::TINY);
        assert!(matches!(parsed, Err(Malformed::Scan(ScanError::DuplicateKey { .. }))), "{parsed:?}");
    }

    #[test]
    fn hostile_paths_and_roots_are_refused() {
        for path in [&b"../a"[..], b"/a", b"a/.xferd-x", b"a\0b"] {
            let bytes = Offer { paths: vec![path.to_vec()], ..offer() }.encode();
            assert!(Offer::parse(&bytes, &Limits::TINY).is_err(), "{}", path.escape_ascii());
        }
        let long = Offer { root: "x".repeat(257), ..offer() };
        assert!(Offer::parse(&long.encode(), &Limits::TINY).is_err());
        let large = Offer { paths: vec![vec![b'a'; 64]; 100], ..offer() };
        assert!(matches!(
            Offer::parse(&large.encode(), &Limits::TINY),
            Err(Malformed::Over { field: "request", .. })
        ));
    }

    #[test]
    fn replies_round_trip_with_and_without_bounds() {
        let none = Allowance::from(&Obligations::NONE);
        assert_eq!(none, Allowance::default());
        let all = Allowance {
            bytes_max: Some(1),
            files_max: Some(2),
            bytes_per_second: Some(3),
            not_after_ms: Some(4),
        };
        for (limits, destination) in
            [(none, Destination::Absent), (all, Destination::Directory), (all, Destination::File)]
        {
            let reply = OfferReply {
                destination,
                durability: Durability::File,
                window: 8192,
                streams_max: 2,
                home: 3,
                cores: 2,
                limits,
            };
            let bytes = reply.encode();
            assert_eq!(OfferReply::parse(&bytes, &Limits::TINY), Ok(reply));
            for cut in 0..bytes.len() {
                assert!(OfferReply::parse(&bytes[..cut], &Limits::TINY).is_err());
            }
        }
    }

    #[test]
    fn the_tables_name_the_keys_that_are_read() {
        let names = |layout: &Layout| layout.fields.iter().map(|field| field.name).collect::<Vec<_>>();
        assert_eq!(names(&REQUEST), KEYS);
        assert_eq!(names(&REPLY), REPLY_KEYS);
        assert_eq!(names(&super::super::options::LAYOUT), OPTION_KEYS);
    }

    #[test]
    fn the_stricter_durability_is_the_maximum() {
        assert_eq!(Durability::None.max(Durability::File), Durability::File);
        assert_eq!(Durability::Tree.max(Durability::File), Durability::Tree);
    }
}
