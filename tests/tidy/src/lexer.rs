//! Just enough of Rust's lexical grammar to tell code from comments and literals, and tests from the rest.
//!
//! Never a parser: it blanks what is not code, byte for byte, so that line and column stay true.

/// One source file, taken apart.
pub struct Source {
    /// The text as written.
    pub text: String,
    /// The text with comments and literals blanked; same length, same lines.
    pub code: String,
    /// For each line, whether it belongs to an item under `#[cfg(test)]`.
    pub test_lines: Vec<bool>,
}

impl Source {
    /// Takes a text apart.
    pub fn new(text: &str) -> Self {
        let code = blank(text);
        let test_lines = test_lines(&code);
        Self { text: text.to_owned(), code, test_lines }
    }

    /// Lines of code that are not tests: (number from 1, text without comments and literals).
    pub fn lines_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .filter(|(index, _)| !self.test_lines[*index])
            .map(|(i, line)| (i + 1, line))
    }

    /// Lines under `#[cfg(test)]`: (number from 1, text without comments and literals).
    pub fn lines_of_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .filter(|(index, _)| self.test_lines[*index])
            .map(|(i, line)| (i + 1, line))
    }

    /// Names of files that `#[cfg(test)] mod name;` declares as tests.
    pub fn test_modules(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (_, line) in self.lines_of_tests() {
            let line = line.trim();
            let Some(at) = line.find("mod ") else { continue };
            if let Some(name) = line[at + 4..].strip_suffix(';') {
                found.push(name.trim().to_owned());
            }
        }
        found
    }

    /// Functions outside tests: (line from 1, name, lines from `fn` to its closing brace).
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            if at > 0 && is_word(self.code.as_bytes()[at - 1]) {
                continue;
            }
            let rest = &self.code[at + 3..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let line = self.code[..at].matches('\n').count();
            if name.is_empty() || self.test_lines[line] {
                continue;
            }
            if let Some(end) = end_of_item(self.code.as_bytes(), at) {
                found.push((line + 1, name, self.code[at..end].matches('\n').count() + 1));
            }
        }
        found
    }
}

/// Whether `word` occurs in `line` as a whole word.
pub fn has_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(at, _)| {
        let end = at + word.len();
        (at == 0 || !is_word(bytes[at - 1])) && (end == bytes.len() || !is_word(bytes[end]))
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Blanks comments, strings and characters.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match literal_or_comment(bytes, at) {
            Some(end) => end,
            None => {
                at += if is_word(bytes[at]) { word_length(&bytes[at..]) } else { 1 };
                continue;
            }
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn word_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_word(**byte)).count()
}

/// Where the comment, string or character that begins at `at` ends; `None` when none begins here.
fn literal_or_comment(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at + block_comment(rest));
    }
    for prefix in [&b""[..], b"b", b"c"] {
        if let Some(body) = rest.strip_prefix(prefix) {
            if body.starts_with(b"\"") {
                return Some(at + prefix.len() + quoted(body));
            }
            if let Some(raw) = body.strip_prefix(b"r") {
                let hashes = raw.iter().take_while(|byte| **byte == b'#').count();
                if raw.get(hashes) == Some(&b'"') {
                    return Some(at + prefix.len() + 1 + raw_string(raw, hashes));
                }
            }
        }
    }
    let (prefix, body) = if let Some(body) = rest.strip_prefix(b"b") { (1, body) } else { (0, rest) };
    if body.starts_with(b"'") {
        return character(body).map(|length| at + prefix + length);
    }
    None
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted(body: &[u8]) -> usize {
    let mut at = 1;
    while at < body.len() {
        match body[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    body.len()
}

fn raw_string(raw: &[u8], hashes: usize) -> usize {
    let mut at = hashes + 1;
    while at < raw.len() {
        if raw[at] == b'"'
            && raw[at + 1..].iter().take(hashes).filter(|byte| **byte == b'#').count() == hashes
        {
            return at + 1 + hashes;
        }
        at += 1;
    }
    raw.len()
}

/// Length of a character literal; `None` for a lifetime.
fn character(body: &[u8]) -> Option<usize> {
    match body.get(1)? {
        b'\\' => Some(3 + body.get(3..)?.iter().position(|byte| *byte == b'\'')? + 1),
        first => {
            let width = match first {
                0..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            (body.get(1 + width) == Some(&b'\'')).then_some(width + 2)
        }
    }
}

/// Marks the lines of every item under a `#[cfg(..test..)]` attribute.
fn test_lines(code: &str) -> Vec<bool> {
    let mut marks = vec![false; code.lines().count() + 1];
    for (at, _) in code.match_indices("#[cfg(") {
        let Some(close) = code[at..].find(']') else { continue };
        let condition = &code[at..at + close];
        if !has_word(condition, "test") || condition.contains("not(test") {
            continue;
        }
        let Some(end) = end_of_item(code.as_bytes(), at + close + 1) else { continue };
        let first = code[..at].matches('\n').count();
        let last = code[..end].matches('\n').count();
        marks[first..=last].fill(true);
    }
    marks
}

/// Where the item at `from` ends: at the `}` that closes its first brace, or at a `;` before any brace.
fn end_of_item(code: &[u8], from: usize) -> Option<usize> {
    let (mut braces, mut others) = (0usize, 0usize);
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'{' => braces += 1,
            b'}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && others == 0 {
                    return Some(at + 1);
                }
            }
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.checked_sub(1)?,
            b';' if braces == 0 && others == 0 => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text = "let a = \"unsafe // x\"; // unsafe\nlet b = r#\"un\"safe\"#; /* a /* b */ unsafe */ let c = 'u';\nfn f<'a>(x: &'a u8) -> char { '\\'' }\nb\"\\\"unsafe\" b'x' '\u{e9}' 1";
        let source = Source::new(text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.code.lines().count(), 4);
        assert!(!source.code.contains("unsafe"), "{}", source.code);
        assert!(source.code.contains("let c ="));
        assert!(source.code.contains("<'a>(x: &'a u8) -> char {"));
    }

    #[test]
    fn items_under_cfg_test_are_tests_and_the_rest_is_not() {
        let text = "fn a() { x() }\n#[cfg(test)]\nmod tests {\n fn b() { [0; 2]; }\n}\nfn c() {}\n#[cfg(test)]\nmod far;\n#[cfg(not(test))]\nfn d() {}\n";
        let source = Source::new(text);
        let outside: Vec<usize> = source.lines_outside_tests().map(|(number, _)| number).collect();
        assert_eq!(outside, [1, 6, 9, 10]);
        assert_eq!(source.test_modules(), ["far"]);
    }

    #[test]
    fn functions_are_measured_without_tests() {
        let source = Source::new(
            "fn a(x: [u8; 2]) -> u8 {\n {}\n}\ntrait T { fn b(&self); }\n#[cfg(test)]\nfn c() {}\n",
        );
        assert_eq!(source.functions(), [(1, "a".into(), 3), (4, "b".into(), 1)]);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe { }", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
        assert!(!has_word("is_unsafe", "unsafe"));
    }
}
