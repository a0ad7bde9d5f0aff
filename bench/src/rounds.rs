//! Interleaved rounds, medians, and what is printed of them.

use serde_json::{Value, json};
use std::time::Instant;

/// One way to do the work.
pub struct Contender<'a> {
    /// Its name in the table.
    pub name: &'a str,
    /// Makes everything ready; not timed.
    pub before: Box<dyn FnMut() + 'a>,
    /// Does the work; timed.
    pub work: Box<dyn FnMut() + 'a>,
    /// Verifies what was done; not timed.
    pub after: Box<dyn FnMut() + 'a>,
    /// CPU seconds that both ends used so far.
    pub cpu: Box<dyn Fn() -> f64 + 'a>,
}

/// What one contender needed.
pub struct Times {
    /// Its name.
    pub name: String,
    /// Wall seconds of each round.
    pub wall: Vec<f64>,
    /// CPU seconds of each round.
    pub cpu: Vec<f64>,
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
/// pages that the first one brought.
pub fn interleaved(contenders: &mut [Contender<'_>], rounds: usize) -> Vec<Times> {
    let empty = |one: &Contender<'_>| Times { name: one.name.to_owned(), wall: Vec::new(), cpu: Vec::new() };
    let mut times: Vec<Times> = contenders.iter().map(empty).collect();
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let one = &mut contenders[index];
            (one.before)();
            let (cpu, began) = ((one.cpu)(), Instant::now());
            (one.work)();
            times[index].wall.push(began.elapsed().as_secs_f64());
            times[index].cpu.push((one.cpu)() - cpu);
            (one.after)();
        }
    }
    times
}

/// Prints a workload's table, the ratio of the first to each other, and returns the raw numbers.
pub fn report(workload: &str, bytes: u64, files: u64, times: &[Times]) -> Value {
    println!(
        "\n{workload}: {bytes} bytes in {files} files, {} rounds",
        times.first().map_or(0, |one| one.wall.len())
    );
    println!(
        "{:<16} {:>9} {:>17} {:>8} {:>10} {:>9}",
        "", "median s", "spread s", "GB/s", "files/s", "CPU s/GB"
    );
    for one in times {
        let seconds = median(&one.wall);
        let (least, most) =
            one.wall.iter().fold((f64::MAX, 0.0f64), |(least, most), x| (least.min(*x), most.max(*x)));
        println!(
            "{:<16} {seconds:>9.3} {:>17} {:>8.2} {:>10.0} {:>9.2}",
            one.name,
            format!("{least:.3}..{most:.3}"),
            bytes as f64 / 1e9 / seconds,
            files as f64 / seconds,
            median(&one.cpu) / (bytes as f64 / 1e9),
        );
    }
    let Some((ours, others)) = times.split_first() else { return Value::Null };
    for other in others {
        let ratio = median(&other.wall) / median(&ours.wall);
        println!("{workload}: {} is {ratio:.2}x as fast as {}", ours.name, other.name);
    }
    let raw = |one: &Times| json!({"name": one.name, "wall_s": one.wall, "cpu_s": one.cpu});
    json!({"workload": workload, "bytes": bytes, "files": files, "times": times.iter().map(raw).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn rounds_turn_the_order_around() {
        let seen = RefCell::new(String::new());
        let contender = |name: &'static str| Contender {
            name,
            before: Box::new(|| ()),
            work: Box::new(|| seen.borrow_mut().push_str(name)),
            after: Box::new(|| ()),
            cpu: Box::new(|| 0.0),
        };
        let times = interleaved(&mut [contender("a"), contender("b")], 3);
        assert_eq!(*seen.borrow(), "abbaab");
        assert_eq!(times[0].wall.len(), 3);
    }
}
