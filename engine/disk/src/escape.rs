//! Foreign names in logs and on terminals: one line, no control, nothing that moves the text around it.

use core::fmt::{self, Write};

/// Shows bytes of a foreign name so that they can neither end a line, steer a terminal, reorder the text
/// around them nor hide: control characters, bidirectional and invisible format characters, line
/// separators, the backslash and whatever is not UTF-8 are escaped (`\n`, `\x1b`, `\u{202e}`, `\\`, `\xff`).
///
/// The result is unambiguous: two different names are shown differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.utf8_chunks() {
            for c in piece.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", c as u32)?,
                    _ if is_steering(c) => write!(f, "\\u{{{:x}}}", c as u32)?,
                    _ => f.write_char(c)?,
                }
            }
            for byte in piece.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Characters beyond ASCII that act instead of showing: C1 controls, bidirectional marks, embeddings and
/// isolates (Unicode UAX #9), line and paragraph separators, invisible operators, byte order mark, tags.
fn is_steering(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        let cases: [(&[u8], &str); 8] = [
            (b"plain name.txt", "plain name.txt"),
            (b"a\nb\rc\td", "a\\nb\\rc\\td"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            ("gpj.\u{202e}exe".as_bytes(), "gpj.\\u{202e}exe"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"back\\slash", "back\\\\slash"),
            ("\u{9b}2J".as_bytes(), "\\u{9b}2J"),
            ("gr\u{fc}n \u{4e2d}\u{1f600}".as_bytes(), "gr\u{fc}n \u{4e2d}\u{1f600}"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(Escaped(bytes).to_string(), shown);
        }
    }

    #[test]
    fn every_single_byte_stays_on_one_line() {
        for byte in 0..=255u8 {
            let shown = Escaped(&[b'a', byte, b'z']).to_string();
            assert!(shown.chars().all(|c| !c.is_control()), "{byte:#x} -> {shown:?}");
        }
    }
}
