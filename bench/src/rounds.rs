//! Interleaved rounds and their medians.

use crate::measure::{Contender, Kind, Sample, take};
use std::time::{Duration, Instant};

/// How many rounds are taken.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// At least, whatever the time.
    pub least: usize,
    /// At most.
    pub most: usize,
    /// No further round begins when it would end beyond this.
    pub budget: Duration,
}

/// Every run of one contender.
pub struct Series {
    /// Its name.
    pub name: String,
    /// What it is compared as.
    pub kind: Kind,
    /// Runs that count.
    pub samples: Vec<Sample>,
    /// Runs during which the machine did something else; they count only where there is no other.
    pub disturbed: Vec<Sample>,
    /// Runs that failed.
    pub failures: Vec<String>,
}

/// Runs that fail before a contender is not tried again.
const FAILURES_MAX: usize = 2;

impl Series {
    /// The runs its numbers are taken from.
    pub fn counted(&self) -> &[Sample] {
        if self.samples.is_empty() { &self.disturbed } else { &self.samples }
    }

    /// The median of a number over the runs; `None` of no runs.
    pub fn median(&self, number: impl Fn(&Sample) -> f64) -> Option<f64> {
        let values: Vec<f64> = self.counted().iter().map(number).collect();
        (!values.is_empty()).then(|| median(&values))
    }

    /// Least and most seconds.
    pub fn spread(&self) -> (f64, f64) {
        let walls = self.counted().iter().map(|sample| sample.wall_s);
        walls.fold((f64::MAX, 0.0), |(least, most), wall| (least.min(wall), most.max(wall)))
    }
}

/// The median; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        len if len % 2 == 1 => sorted[len / 2],
        len => (sorted[len / 2 - 1] + sorted[len / 2]) / 2.0,
    }
}

/// Runs all contenders in each round, the order turned around from round to round: whoever runs second may find
/// pages that the first one brought. A disturbed run is taken once again at once, until a second attempt was disturbed
/// too: the machine is not quiet then, and more attempts only cost time. That a run was disturbed is said.
pub fn interleaved(contenders: &mut [Contender<'_>], rounds: &Rounds) -> Vec<Series> {
    let empty = |one: &Contender<'_>| Series {
        name: one.name.clone(),
        kind: one.kind,
        samples: Vec::new(),
        disturbed: Vec::new(),
        failures: Vec::new(),
    };
    let mut found: Vec<Series> = contenders.iter().map(empty).collect();
    let began = Instant::now();
    let mut last = Duration::ZERO;
    let mut quiet = true;
    for round in 0..rounds.most {
        if round >= rounds.least && began.elapsed() + last > rounds.budget {
            println!("  no round {} of {}: the time is used up", round + 1, rounds.most);
            break;
        }
        let round_began = Instant::now();
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            if round < contenders[index].rounds_max && found[index].failures.len() < FAILURES_MAX {
                quiet &= one_run(&mut contenders[index], &mut found[index], round, quiet);
            }
        }
        last = round_began.elapsed();
    }
    found
}

/// False when neither attempt was undisturbed; on a machine that is not `quiet` there is one.
fn one_run(one: &mut Contender<'_>, found: &mut Series, round: usize, quiet: bool) -> bool {
    let attempts = if quiet { 2 } else { 1 };
    for attempt in 1..=attempts {
        match take(one) {
            Err(failure) => {
                println!("  round {} {}: failed: {failure}", round + 1, one.name);
                found.failures.push(failure);
                return true;
            }
            Ok(sample) => {
                let away = sample.disturbance;
                println!("  round {} {}: {:.3} s", round + 1, one.name, sample.wall_s);
                if !away.is_too_much(sample.wall_s) {
                    found.samples.push(sample);
                    return true;
                }
                let next = if attempt < attempts { "taken again" } else { "dropped" };
                println!(
                    "    disturbed: {:.2} CPU s stolen, {:.2} CPU s of other programs; {next}",
                    away.steal_s, away.others_s
                );
                found.disturbed.push(sample);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    const ROUNDS: Rounds = Rounds { least: 3, most: 3, budget: Duration::ZERO };

    fn contender<'a>(name: &str, seen: &'a RefCell<String>, works: bool) -> Contender<'a> {
        let letter = name.to_owned();
        Contender {
            name: name.to_owned(),
            kind: Kind::Ours,
            rounds_max: usize::MAX,
            before: Box::new(|| Ok(Vec::new())),
            work: Box::new(move || {
                seen.borrow_mut().push_str(&letter);
                if works { Ok(Default::default()) } else { Err("no".into()) }
            }),
            after: Box::new(|| Ok(())),
        }
    }

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn rounds_turn_the_order_around_and_failures_are_kept() {
        let seen = RefCell::new(String::new());
        let found = interleaved(&mut [contender("a", &seen, true), contender("b", &seen, false)], &ROUNDS);
        // A run may be taken again on a busy machine.
        let mut order: Vec<char> = seen.borrow().chars().collect();
        order.dedup();
        assert_eq!(order, ['a', 'b', 'a']);
        assert!(!found[0].counted().is_empty());
        assert_eq!(found[1].failures.len(), FAILURES_MAX);
        assert!(found[1].median(|sample| sample.wall_s).is_none());
    }
}
