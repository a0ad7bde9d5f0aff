//! State machines as lists: every transition is a row; a golden file beside the tests is printed from them.

use alloc::format;
use alloc::string::String;
use core::fmt::Debug;

/// One transition: in `from`, on `event`, to `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row<S, E> {
    /// The state before.
    pub from: S,
    /// What happens.
    pub event: E,
    /// The state after.
    pub to: S,
}

/// Shorthand for the lists.
pub const fn row<S, E>(from: S, event: E, to: S) -> Row<S, E> {
    Row { from, event, to }
}

/// The state after `event`.
///
/// # Panics
/// In a build with debug assertions, when the list has no such row: a machine checks what a peer sends
/// before it steps, so this is our own bug. Other builds stay in the state.
pub fn next<S, E>(table: &[Row<S, E>], from: S, event: E) -> S
where
    S: Copy + PartialEq + Debug,
    E: Copy + PartialEq + Debug,
{
    let found = table.iter().find(|row| row.from == from && row.event == event);
    debug_assert!(found.is_some(), "undeclared transition: {from:?} on {event:?}");
    found.map_or(from, |row| row.to)
}

/// The list as text, one transition a line.
pub fn render<S: Debug, E: Debug>(title: &str, table: &[Row<S, E>]) -> String {
    let mut out = format!("{title}\n");
    for row in table {
        out.push_str(&format!("  {:?} -- {:?} -> {:?}\n", row.from, row.event, row.to));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Row<u8, char>] = &[row(1, 'a', 2), row(2, 'b', 1)];

    #[test]
    fn declared_transitions_lead_on() {
        assert_eq!(next(TABLE, 1, 'a'), 2);
        assert_eq!(render("t", TABLE), "t\n  1 -- 'a' -> 2\n  2 -- 'b' -> 1\n");
    }

    #[test]
    #[should_panic(expected = "undeclared transition: 2 on 'a'")]
    fn undeclared_transitions_panic() {
        next(TABLE, 2, 'a');
    }
}
