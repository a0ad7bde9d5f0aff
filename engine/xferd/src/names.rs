//! Names of owners and groups, read once from /etc/passwd and /etc/group.
//!
//! The files are read themselves: getpwnam(3) may ask a network service and block a core. Who is not in them
//! travels by number.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Numbers and names, both ways.
#[derive(Clone, Debug, Default)]
pub struct Names {
    users: Table,
    groups: Table,
}

#[derive(Clone, Debug, Default)]
struct Table {
    names: HashMap<u32, Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
}

impl Names {
    /// Reads this machine's files; what cannot be read is empty.
    pub fn read() -> Self {
        Self { users: Table::read(Path::new("/etc/passwd")), groups: Table::read(Path::new("/etc/group")) }
    }

    /// Name of a user or group.
    pub fn name(&self, id: u32, group: bool) -> Option<Arc<str>> {
        self.table(group).names.get(&id).cloned()
    }

    /// Number of a user or group.
    pub fn id(&self, name: &str, group: bool) -> Option<u32> {
        self.table(group).ids.get(name).copied()
    }

    fn table(&self, group: bool) -> &Table {
        if group { &self.groups } else { &self.users }
    }
}

impl Table {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// `name:password:number:...`; of several names with one number the first is shown, as getpwuid does.
    fn parse(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(':');
            let (Some(name), Some(id)) = (fields.next(), fields.nth(1).and_then(|id| id.parse().ok())) else {
                continue;
            };
            if name.is_empty() {
                continue;
            }
            let name: Arc<str> = name.into();
            table.names.entry(id).or_insert_with(|| name.clone());
            table.ids.entry(name).or_insert(id);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none_are_skipped_and_the_first_name_wins() {
        let table = Table::parse(
            "root:x:0:0::/:\ntoor:x:0:0::/:\n#no:x:5:\nbad\n:x:7:\n+::::\nalice:x:1000:1000::/:\n",
        );
        assert_eq!(table.names.get(&0).map(|name| &**name), Some("root"));
        assert_eq!((table.ids.get("toor"), table.ids.get("alice")), (Some(&0), Some(&1000)));
        assert_eq!(table.names.len(), 2);
    }
}
