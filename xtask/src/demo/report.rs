//! The table at the end.

/// One command that was run.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// What it was.
    pub(super) name: String,
    /// Wall time of the whole command.
    pub(super) seconds: f64,
    /// CPU time of both ends.
    pub(super) cpu_seconds: f64,
    /// Bytes of content that the transfer is about, sent or kept.
    pub(super) bytes: u64,
    /// Bytes of content that travelled.
    pub(super) bytes_sent: u64,
    /// Bytes of content kept from before a kill.
    pub(super) bytes_resumed: u64,
    /// Names created, replaced or found unchanged.
    pub(super) files: u64,
    /// Roots of the files published.
    pub(super) roots: Vec<String>,
    /// The stage that took longest.
    pub(super) limiting: String,
}

/// All rows.
#[derive(Default)]
pub(super) struct Report(Vec<Row>);

impl Report {
    /// Adds a row.
    pub(super) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// Prints the table.
    pub(super) fn print(&self) {
        if self.0.is_empty() {
            return;
        }
        println!();
        println!(
            "{:<16} {:>14} {:>8} {:>8} {:>7} {:>9} {:>9}  limiting",
            "", "bytes", "files", "seconds", "GB/s", "files/s", "CPU s/GB"
        );
        for row in &self.0 {
            let gigabytes = row.bytes as f64 / 1e9;
            let per_gigabyte =
                if gigabytes > 0.001 { format!("{:.2}", row.cpu_seconds / gigabytes) } else { "-".into() };
            println!(
                "{:<16} {:>14} {:>8} {:>8.2} {:>7.2} {:>9.0} {:>9}  {}",
                row.name,
                row.bytes,
                row.files,
                row.seconds,
                gigabytes / row.seconds,
                row.files as f64 / row.seconds,
                per_gigabyte,
                row.limiting
            );
        }
        println!();
    }
}
