//! What came of a workload: a table for people, raw numbers for programs, a chart.

mod files;
mod svg;
mod text;

use crate::measure::{Kind, Sample};
use crate::rounds::Series;
use crate::tools::Absent;
use crate::workloads::Head;

pub use files::{Conditions, keep, keep_index};
pub use text::{markdown, terminal};

/// What was set out to be reached.
#[derive(Clone, Debug)]
pub enum Target {
    /// A ratio of medians.
    Faster {
        /// Our way.
        ours: &'static str,
        /// The peer's name, or what the kind is called.
        than: &'static str,
        /// The best of this kind instead of one by name.
        kind: Option<Kind>,
        /// So many times as fast.
        ratio: f64,
    },
    /// A bound of another number.
    AtMost {
        /// Our way.
        ours: &'static str,
        /// What the number is.
        what: &'static str,
        /// From a run and the bytes of its content.
        number: fn(&Sample, u64) -> f64,
        /// Its bound.
        bound: f64,
    },
}

/// The runs of one workload.
pub struct Table {
    /// What it is about.
    pub head: Head,
    /// Whether the sizes were small.
    pub quick: bool,
    /// Who ran.
    pub series: Vec<Series>,
    /// Who did not.
    pub absent: Vec<Absent>,
}

/// The two ways of ours that have a column of ratios.
pub(crate) const OURS: [&str; 2] = ["xfer", "xfer, durable"];

impl Table {
    pub(crate) fn new(head: Head, quick: bool, series: Vec<Series>, absent: Vec<Absent>) -> Self {
        Self { head, quick, series, absent }
    }

    /// Median seconds of the contender of this name.
    pub fn seconds(&self, name: &str) -> Option<f64> {
        self.series.iter().find(|one| one.name == name)?.median(|sample| sample.wall_s)
    }

    /// Median seconds of the fastest of a kind, and its name.
    fn best(&self, kind: Kind) -> Option<(f64, &str)> {
        let of_kind = self.series.iter().filter(|one| one.kind == kind);
        let timed = of_kind.filter_map(|one| Some((one.median(|sample| sample.wall_s)?, one.name.as_str())));
        timed.min_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// How many times as fast as `one` our way of this name is.
    pub(crate) fn ratio(&self, ours: &str, one: &Series) -> Option<f64> {
        Some(one.median(|sample| sample.wall_s)? / self.seconds(ours)?)
    }

    /// Each target in a sentence: reached, missed, or why that is not known.
    pub fn verdicts(&self) -> Vec<String> {
        self.head.targets.iter().map(|target| self.verdict(target)).collect()
    }

    fn verdict(&self, target: &Target) -> String {
        match target {
            Target::Faster { ours, than, kind, ratio } => self.faster(ours, than, *kind, *ratio),
            Target::AtMost { ours, what, number, bound } => {
                let wanted = format!("{ours} at most {bound:.1} {what}");
                let bytes = self.head.bytes;
                let one = self.series.iter().find(|one| one.name == *ours);
                match one.and_then(|one| one.median(|sample| number(sample, bytes))) {
                    Some(found) => format!("{wanted}: {}, {found:.3}", word(found <= *bound)),
                    None => format!("{wanted}: not known, {ours} did not run"),
                }
            }
        }
    }

    fn faster(&self, ours: &str, than: &str, kind: Option<Kind>, ratio: f64) -> String {
        let peer = match kind {
            Some(kind) => self.best(kind),
            None => self.seconds(than).map(|seconds| (seconds, than)),
        };
        let wanted = format!("{ours} at least {ratio}x {than}");
        match (self.seconds(ours), peer) {
            (Some(own), Some((seconds, name))) => {
                let found = seconds / own;
                let of = if name == than { String::new() } else { format!(" ({name})") };
                format!("{wanted}: {}, {found:.2}x{of}", word(found >= ratio))
            }
            (None, _) => format!("{wanted}: not known, {ours} did not run"),
            (_, None) => format!("{wanted}: not known, {than} did not run"),
        }
    }

    /// CPU seconds of both ends per GB of content.
    pub(crate) fn cpu_per_gb(&self, one: &Series) -> Option<f64> {
        Some(one.median(Sample::cpu_s)? / (self.head.bytes as f64 / 1e9))
    }
}

fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn table() -> Table {
        let series = |name: &str, kind, walls: &[f64]| Series {
            name: name.into(),
            kind,
            samples: walls.iter().map(|wall_s| Sample { wall_s: *wall_s, ..Sample::default() }).collect(),
            disturbed: Vec::new(),
            failures: Vec::new(),
        };
        let target = |than, kind, ratio| Target::Faster { ours: "xfer", than, kind, ratio };
        let wall = |sample: &Sample, _| sample.wall_s;
        let head = Head {
            name: "W0",
            title: "a < b".into(),
            bytes: 1_000_000_000,
            files: 1,
            targets: vec![
                target("rsync daemon", None, 1.5),
                target("the best encrypted peer", Some(Kind::Encrypted), 5.0),
                target("nobody", None, 1.0),
                Target::AtMost { ours: "xfer", what: "seconds", number: wall, bound: 0.5 },
            ],
            has_peers: true,
            counts_files: false,
            columns: Vec::new(),
        };
        let mut failed = series("sftp", Kind::Encrypted, &[]);
        failed.failures.push("why".into());
        let all = vec![
            series("xfer", Kind::Ours, &[1.0, 1.5, 0.5]),
            series("rsync daemon", Kind::Plain, &[2.0, 2.0, 2.0]),
            series("rsync + ssh", Kind::Encrypted, &[4.0]),
            series("tar", Kind::Plain, &[0.5]),
            failed,
        ];
        let absent = vec![Absent { name: "syq".into(), reason: "not installed".into() }];
        Table::new(head, true, all, absent)
    }

    #[test]
    fn targets_are_judged_by_medians() {
        let verdicts = table().verdicts();
        assert!(verdicts[0].ends_with("reached, 2.00x"), "{}", verdicts[0]);
        assert!(verdicts[1].ends_with("MISSED, 4.00x (rsync + ssh)"), "{}", verdicts[1]);
        assert!(verdicts[2].contains("not known, nobody did not run"), "{}", verdicts[2]);
        assert_eq!(verdicts[3], "xfer at most 0.5 seconds: MISSED, 1.000");
    }

    #[test]
    fn losses_failures_and_the_absent_have_their_rows() {
        let text = markdown(&table());
        assert!(text.contains("| 2.00x won |"), "{text}");
        assert!(text.contains("| 0.50x LOST |"), "{text}");
        assert!(text.contains("| sftp | encrypted | failed: why |"), "{text}");
        assert!(text.contains("| syq | | not run: not installed |"), "{text}");
        assert!(svg::chart(&table()).contains("a &lt; b"));
    }
}
