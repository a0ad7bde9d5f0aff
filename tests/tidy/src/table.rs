//! Reads the tables of ARCHITECTURE.md, so that the document is the rule and not a copy of it.

/// The rows of the first table after the heading `heading`, each a list of cells; without head and rule.
pub fn rows_under(document: &str, heading: &str) -> Vec<Vec<String>> {
    let mut lines = document
        .lines()
        .skip_while(|line| line.trim_start_matches('#').trim() != heading || !line.starts_with('#'));
    lines.next();
    lines
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The words of a cell between backticks.
pub fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_under_its_heading_only() {
        let text = "# A\n| x |\n|---|\n| 1 |\n\n## B\ntext\n\n| n | who |\n|---|---|\n| `a`, `b` | c |\n| `d` | e |\n\n| z |\n";
        let rows = rows_under(text, "B");
        assert_eq!(rows, [["`a`, `b`", "c"], ["`d`", "e"]]);
        assert_eq!(quoted(&rows[0][0]), ["a", "b"]);
        assert!(rows_under(text, "C").is_empty());
    }
}
