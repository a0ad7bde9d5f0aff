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

/// An event that the list has no row for. A machine's owner checks what a peer sends before it steps, so this is a
/// fault of our own: whatever the machine is about ends with INTERNAL_ERROR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undeclared;

/// What a step came to.
pub type Stepped<S, E> = Result<Row<S, E>, Undeclared>;

/// Moves `state` on by `event`; the row that did it.
///
/// # Errors
/// The list has no such row; the state stays.
///
/// # Panics
/// Instead of the error, in a build with debug assertions.
pub fn step<S, E>(table: &[Row<S, E>], state: &mut S, event: E) -> Stepped<S, E>
where
    S: Copy + PartialEq + Debug,
    E: Copy + PartialEq + Debug,
{
    let found = table.iter().find(|row| row.from == *state && row.event == event).copied();
    debug_assert!(found.is_some(), "undeclared transition: {state:?} on {event:?}");
    let row = found.ok_or(Undeclared)?;
    *state = row.to;
    Ok(row)
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
        let mut state = 1;
        assert_eq!(step(TABLE, &mut state, 'a'), Ok(row(1, 'a', 2)));
        assert_eq!(state, 2);
        assert_eq!(render("t", TABLE), "t\n  1 -- 'a' -> 2\n  2 -- 'b' -> 1\n");
    }

    #[test]
    #[should_panic(expected = "undeclared transition: 2 on 'a'")]
    fn undeclared_transitions_panic() {
        let _ = step(TABLE, &mut 2, 'a');
    }
}
