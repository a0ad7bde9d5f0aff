//! The byte tables of FORMAT.md: one [`Layout`] per message, written beside the code that reads it.
//!
//! `render` makes the tables; a test compares them with `engine/proto/FORMAT.md`, so that the document
//! cannot drift from the code.

use super::FrameType;
use alloc::format;
use alloc::string::String;

/// One field of a message, in the order of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type: `u8` `u16` `u24` `u32` `u64` `i64`, `[N]` bytes, or text for what repeats or varies.
    pub kind: &'static str,
    /// What it means, with units and ranges.
    pub note: &'static str,
}

/// The bytes of one message or part of one.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Its name, such as `Chunk trailer`.
    pub name: &'static str,
    /// Where it stands.
    pub place: &'static str,
    /// Its fields, in order.
    pub fields: &'static [Field],
}

/// Shorthand for the tables.
pub const fn field(name: &'static str, kind: &'static str, note: &'static str) -> Field {
    Field { name, kind, note }
}

/// The layouts of this module: header and trailers.
pub const LAYOUTS: &[Layout] = &[
    Layout {
        name: "Header",
        place: "the first 12 bytes of every frame, in the clear; the AEAD's associated data",
        fields: &[
            field("magic", "u32", "`XFER`"),
            field("version", "u16", "1"),
            field("length", "u32", "bytes of payload, trailer and tag included"),
            field("type", "u16", "see Types; from 0x8000 ignorable"),
        ],
    },
    Layout {
        name: "Chunk trailer",
        place: "after the data of a Chunk record",
        fields: &[
            field("value", "[32]", "the chunk's value in its last record, else zero"),
            field("transfer", "u32", "session-local number"),
            field("file", "u32", "index in the order of entries"),
            field("chunk", "u32", "index in the file"),
            field("offset", "u32", "of the data in the chunk, bytes"),
            field("run", "u32", "bytes that a hole, all copies or compressed data stand for; else zero"),
            field("reserved", "u16", "zero"),
            field("flags", "u16", "see Flags"),
        ],
    },
    Layout {
        name: "Pack trailer",
        place: "after the data of a Pack record",
        fields: &[
            field("transfer", "u32", "session-local number"),
            field("rows", "u16", "rows of the table"),
            field("table_offset", "u32", "where in the data the table begins"),
            field("flags", "u16", "see Flags"),
        ],
    },
    Layout {
        name: "Plain trailer",
        place: "after the data of every other sealed frame",
        fields: &[field("flags", "u16", "see Flags")],
    },
];

const FLAGS: &[(&str, u16, &str)] = &[
    ("more", 1, "the message continues in the next frame of this type"),
    ("full", 2, "the next frame on this stream is a Chunk of exactly record + 56 + 16 bytes of payload"),
    ("hole", 4, "Chunk: a run of zeros, no data"),
    ("last", 8, "Chunk: last record of its chunk, the trailer carries the value"),
    ("zstd", 16, "Chunk, Pack: the data is one zstd frame; refused without the option `compress`"),
    ("copy", 32, "Chunk: the data is rows of copies out of the receiver's older file, see Copy row"),
];

/// Bytes of a fixed-width type, `None` for what varies.
fn width(kind: &str) -> Option<u32> {
    match kind {
        "u8" => Some(1),
        "u16" => Some(2),
        "u24" => Some(3),
        "u32" => Some(4),
        "u64" | "i64" => Some(8),
        _ => kind.strip_prefix('[')?.strip_suffix(']')?.parse().ok(),
    }
}

/// The tables of some layouts, as Markdown.
pub fn render_tables(layouts: &[Layout]) -> String {
    let mut out = String::new();
    for layout in layouts {
        out.push_str(&format!(
            "### {}\n\n{}\n\n| at | bytes | field | meaning |\n|---|---|---|---|\n",
            layout.name, layout.place
        ));
        let mut at = Some(0);
        for field in layout.fields {
            let place = at.map_or(String::from("."), |at| format!("{at}"));
            // A bar would end the cell.
            let note = field.note.replace('|', "\\|");
            out.push_str(&format!("| {place} | {} | {} | {note} |\n", field.kind, field.name));
            at = at.zip(width(field.kind)).map(|(at, width)| at + width);
        }
        out.push('\n');
    }
    out
}

/// The tables of documents, whose fields stand in any order.
pub fn render_documents(documents: &[Layout]) -> String {
    let mut out = String::new();
    for document in documents {
        out.push_str(&format!(
            "### {}\n\n{}\n\n| field | type | meaning |\n|---|---|---|\n",
            document.name, document.place
        ));
        for field in document.fields {
            out.push_str(&format!("| {} | {} | {} |\n", field.name, field.kind, field.note));
        }
        out.push('\n');
    }
    out
}

/// Everything of FORMAT.md that is generated: types, flags, codes and all tables.
pub fn render() -> String {
    let mut out = String::from("### Types\n\n| number | type |\n|---|---|\n");
    for kind in FrameType::ALL {
        out.push_str(&format!("| {} | {} |\n", kind.number(), kind.name()));
    }
    out.push_str("\n### Flags\n\n| bit | flag | meaning |\n|---|---|---|\n");
    for (name, bit, meaning) in FLAGS {
        out.push_str(&format!("| {bit} | {name} | {meaning} |\n"));
    }
    out.push_str("\n### Codes\n\n| number | code |\n|---|---|\n");
    for row in base::codes::TABLE {
        out.push_str(&format!("| {} | {} |\n", row.number, row.name));
    }
    out.push('\n');
    let [hello, auth] = crate::session::handshake::LAYOUTS;
    let certificate = crate::session::certificate::LAYOUTS;
    for part in [LAYOUTS, hello, auth, certificate, crate::message::close::LAYOUTS, crate::transfer::LAYOUTS]
    {
        out.push_str(&render_tables(part));
    }
    out.push_str(&render_documents(crate::transfer::DOCUMENTS));
    out
}
