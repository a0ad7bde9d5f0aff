//! How the two programs speak through `clap`: help of one width, and an end for what it refuses.

use base::codes::exit;
use clap::Command;
use clap::error::ErrorKind;
use std::io::Write as _;
use std::process::ExitCode;

/// Width of help texts: goldens must not depend on the terminal.
const WIDTH: usize = 100;
/// What clap puts before the help of a flag.
const INDENT: usize = 10;

/// Breaks the texts of `--help` into lines.
pub fn wrapped(command: Command) -> Command {
    let about = command.get_long_about().map(|about| wrap(&about.to_string(), WIDTH));
    let command = match about {
        Some(about) => command.long_about(about),
        None => command,
    };
    let after = command.get_after_long_help().map(|after| wrap(&after.to_string(), WIDTH));
    let command = match after {
        Some(after) => command.after_long_help(after),
        None => command,
    };
    let command = command.mut_args(|argument| match argument.get_help().map(ToString::to_string) {
        Some(help) => argument.long_help(wrap(&help, WIDTH - INDENT)),
        None => argument,
    });
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, wrapped))
}

/// Breaks lines at spaces; line breaks and indents that are there stay.
fn wrap(text: &str, width: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| wrap_line(line, width)).collect();
    lines.join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    let bare = line.trim_start_matches(' ');
    let indent = &line[..line.len() - bare.len()];
    let mut out = indent.to_owned();
    let mut column = indent.len();
    for (index, word) in bare.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > width {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(indent);
            column = indent.len();
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// Prints the message where it belongs and gives the exit status.
pub fn end(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = write!(std::io::stdout(), "{}", error.render());
            ExitCode::from(exit::OK)
        }
        _ => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            ExitCode::from(exit::USAGE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_stay_broken() {
        assert_eq!(wrap("aa bb cc\n\ndd", 5), "aa bb\ncc\n\ndd");
        assert_eq!(wrap("longword a", 4), "longword\na");
        assert_eq!(wrap("  a  b c d", 8), "  a  b c\n  d");
    }
}
