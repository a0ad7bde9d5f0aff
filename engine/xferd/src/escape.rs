//! Names that others chose, made safe to show: no control sequence, no line break, no change of writing
//! direction reaches a terminal or a log.

use std::fmt;
use std::fmt::Write as _;

/// Shows foreign bytes: printable text as it is, everything else as `\n`, `\t`, `\\`, `\u{202e}` or `\xff`.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    c if is_unsafe(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                    c => f.write_char(c)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// As [`Shown`], of text.
pub fn shown(text: &str) -> String {
    Shown(text.as_bytes()).to_string()
}

/// A sentence that others may have had a hand in: what could move a cursor or hide text is shown as `\u{202e}`, all else,
/// backslashes of names that are shown already among it, stays as it is.
pub fn sentence(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match is_unsafe(c) {
            true => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
            false => out.push(c),
        }
        out
    })
}

/// Controls (C0, DEL, C1), marks that reorder or hide text, line and paragraph separators.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_survives() {
        assert_eq!(Shown(b"a\x1b[31mb\nc\rd\x7f\xff").to_string(), "a\\u{1b}[31mb\\nc\\rd\\u{7f}\\xff");
        assert_eq!(shown("x\u{202e}txt.exe"), "x\\u{202e}txt.exe");
        assert_eq!(sentence("a\\b: \u{202e}x\ny\x1b"), "a\\b: \\u{202e}x\\u{a}y\\u{1b}");
        assert_eq!(shown("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(shown("größe 文件 back\\slash"), "größe 文件 back\\\\slash");
    }
}
