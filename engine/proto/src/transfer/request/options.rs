//! What a transfer is asked to do: options of an offer, and the words they are spelled with.

use super::super::Malformed;
use super::document::{Builder, Fields};
use super::filter::Filters;
use crate::wire::layouts::{Layout, field};
use base::limits::Limits;
use bson::raw::cstr;

/// Fields of the options.
pub const LAYOUT: Layout = Layout {
    name: "Options",
    place: "BSON, `options` of an offer; each is optional, any other is refused",
    fields: &[
        field("recursive", "boolean", "descend into directories"),
        field("links", "boolean", "keep symlinks"),
        field("perms", "boolean", "keep permission bits"),
        field("times", "boolean", "keep modification times"),
        field("owner", "boolean", "keep owners"),
        field("group", "boolean", "keep groups"),
        field("sparse", "boolean", "keep holes"),
        field("delete", "boolean", "delete names that the source lacks"),
        field("dry_run", "boolean", "decide and report, change nothing"),
        field("checksum", "boolean", "compare content instead of size and time"),
        field("inplace", "boolean", "write into existing files, not atomically"),
        field("delta", "boolean", "changed files may travel as pieces"),
        field("compress", "boolean", "records may be compressed"),
        field("existing", "text", "`overwrite` (default), `create`, `replace` or `keep`"),
        field("durability", "text", "`none`, `file` or `tree` (default)"),
        field("verify", "text", "`full` (default) or `transport`"),
        field("filters", "array of binary", "in order, each `+` or `-` and a pattern"),
        field("delete_max", "number", "most names that may be deleted"),
        field("bytes_per_second", "number", "most content bytes the sender sends in a second"),
    ],
};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $byte:literal, $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $($(#[$word_doc])* $variant = $byte,)* }

        impl $name {
            /// Its name in requests, on command lines and in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$variant),)* _ => None }
            }

            /// The value a byte of a bulk message stands for.
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($byte => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// Which way content flows, seen from the side that offers.
    Direction {
        /// The offering side sends.
        Push = 1, "push";
        /// The offering side receives.
        Pull = 2, "pull";
    }
}

words! {
    /// Which command made the offer.
    Command {
        /// Put sources beside what is there.
        Copy = 1, "copy";
        /// Make the destination equal to the source.
        Sync = 2, "sync";
        /// Replace one named version.
        Replace = 3, "replace";
    }
}

pub use base::durability::Durability;

words! {
    /// What is compared before a file is published.
    Verify {
        /// Values of content, end to end, under a signed seal.
        Full = 0, "full";
        /// Records only: their tags.
        Transport = 1, "transport";
    }
}

words! {
    /// What becomes of a file that is there already and differs.
    Existing {
        /// It is replaced.
        Overwrite = 0, "overwrite";
        /// It stays, and the entry fails with a conflict.
        Create = 1, "create";
        /// It is replaced only if it is still the version that was named.
        Replace = 2, "replace";
        /// It stays, silently.
        Keep = 3, "keep";
    }
}

/// Options of an offer. The default does nothing beyond single files: no flag set, durability `tree`,
/// everything verified, existing files replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Descend into directories.
    pub recursive: bool,
    /// Keep symlinks.
    pub links: bool,
    /// Keep permission bits, setuid where owners are applied and setgid where groups are.
    pub perms: bool,
    /// Keep modification times.
    pub times: bool,
    /// Keep owners.
    pub owner: bool,
    /// Keep groups.
    pub group: bool,
    /// Keep holes.
    pub sparse: bool,
    /// Delete names that the source lacks.
    pub delete: bool,
    /// Decide and report, change nothing.
    pub dry_run: bool,
    /// Compare content instead of size and time.
    pub checksum: bool,
    /// Write into existing files, not atomically.
    pub inplace: bool,
    /// Changed files may travel as pieces of what is there.
    pub delta: bool,
    /// Records may be compressed.
    pub compress: bool,
    /// What becomes of existing files.
    pub existing: Existing,
    /// How safe the result has to be.
    pub durability: Durability,
    /// What is compared.
    pub verify: Verify,
    /// Which names take part.
    pub filters: Filters,
    /// Most names that may be deleted; `None` is no bound.
    pub delete_max: Option<u64>,
    /// Most content bytes the sender sends in a second; `None` is no bound.
    pub bytes_per_second: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            recursive: false,
            links: false,
            perms: false,
            times: false,
            owner: false,
            group: false,
            sparse: false,
            delete: false,
            dry_run: false,
            checksum: false,
            inplace: false,
            delta: false,
            compress: false,
            existing: Existing::Overwrite,
            durability: Durability::Tree,
            verify: Verify::Full,
            filters: Filters::default(),
            delete_max: None,
            bytes_per_second: None,
        }
    }
}

pub(super) const OPTION_KEYS: &[&str] = &[
    "recursive",
    "links",
    "perms",
    "times",
    "owner",
    "group",
    "sparse",
    "delete",
    "dry_run",
    "checksum",
    "inplace",
    "delta",
    "compress",
    "existing",
    "durability",
    "verify",
    "filters",
    "delete_max",
    "bytes_per_second",
];

impl Options {
    pub(super) fn write(&self) -> Builder {
        let mut out = Builder::default();
        out.bool(cstr!("recursive"), self.recursive)
            .bool(cstr!("links"), self.links)
            .bool(cstr!("perms"), self.perms)
            .bool(cstr!("times"), self.times)
            .bool(cstr!("owner"), self.owner)
            .bool(cstr!("group"), self.group)
            .bool(cstr!("sparse"), self.sparse)
            .bool(cstr!("delete"), self.delete)
            .bool(cstr!("dry_run"), self.dry_run)
            .bool(cstr!("checksum"), self.checksum)
            .bool(cstr!("inplace"), self.inplace)
            .bool(cstr!("delta"), self.delta)
            .bool(cstr!("compress"), self.compress)
            .text(cstr!("existing"), self.existing.name())
            .text(cstr!("durability"), self.durability.name())
            .text(cstr!("verify"), self.verify.name())
            .byte_list(cstr!("filters"), self.filters.rules().iter().map(|rule| rule.to_line()))
            .optional(cstr!("delete_max"), self.delete_max)
            .optional(cstr!("bytes_per_second"), self.bytes_per_second);
        out
    }

    pub(super) fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, Malformed> {
        let default = Self::default();
        Ok(Self {
            recursive: fields.bool("recursive")?,
            links: fields.bool("links")?,
            perms: fields.bool("perms")?,
            times: fields.bool("times")?,
            owner: fields.bool("owner")?,
            group: fields.bool("group")?,
            sparse: fields.bool("sparse")?,
            delete: fields.bool("delete")?,
            dry_run: fields.bool("dry_run")?,
            checksum: fields.bool("checksum")?,
            inplace: fields.bool("inplace")?,
            delta: fields.bool("delta")?,
            compress: fields.bool("compress")?,
            existing: fields.choice("existing", Existing::from_name)?.unwrap_or(default.existing),
            durability: fields.choice("durability", Durability::from_name)?.unwrap_or(default.durability),
            verify: fields.choice("verify", Verify::from_name)?.unwrap_or(default.verify),
            filters: Filters::from_lines(&fields.byte_list("filters")?, limits)?,
            delete_max: fields.u64("delete_max")?,
            bytes_per_second: fields.u64("bytes_per_second")?,
        })
    }
}
