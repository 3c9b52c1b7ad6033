//! What came of a run.

use std::collections::BTreeMap;
use std::time::Duration;

/// Right answers and failures of one client, or of all.
#[derive(Default)]
pub struct Outcome {
    /// How long each right answer took.
    latencies: Vec<Duration>,
    bytes: usize,
    /// By kind: how many, and the first one.
    failures: BTreeMap<String, (usize, String)>,
}

impl Outcome {
    pub fn count(&mut self, latency: Duration, bytes: usize) {
        self.latencies.push(latency);
        self.bytes += bytes;
    }

    pub fn fail(&mut self, kind: String, example: String) {
        self.failures.entry(kind).or_insert((0, example)).0 += 1;
    }

    pub fn plus(mut self, other: Self) -> Self {
        self.latencies.extend(other.latencies);
        self.bytes += other.bytes;
        for (kind, (count, example)) in other.failures {
            self.failures.entry(kind).or_insert((0, example)).0 += count;
        }
        self
    }

    /// One line; `listed` is the number of requests in the list.
    pub fn json(mut self, listed: usize, elapsed: Duration) -> String {
        self.latencies.sort_unstable();
        let failed: usize = self.failures.values().map(|(count, _)| count).sum();
        let failures: Vec<_> = self.failures.iter().map(failure).collect();
        let right = self.latencies.len();
        format!(
            "{{\"listed\": {listed}, \"right\": {right}, \"failed\": {failed}, \"bytes\": {}, \"seconds\": {:.4}, \
             \"rate\": {:.3}, \"p50_ms\": {:.3}, \"p99_ms\": {:.3}, \"failures\": {{{}}}}}",
            self.bytes,
            elapsed.as_secs_f64(),
            right as f64 / elapsed.as_secs_f64(),
            self.percentile(50),
            self.percentile(99),
            failures.join(", "),
        )
    }

    /// Milliseconds that so many percent of the right answers took at most; 0 if there are none.
    fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.latencies.len() * percent).div_ceil(100);
        let latency = self.latencies.get(rank.saturating_sub(1));
        latency.map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }
}

fn failure((kind, (count, example)): (&String, &(usize, String))) -> String {
    format!("{}: [{count}, {}]", quoted(kind), quoted(example))
}

/// A JSON string, with spaces for control characters.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace(char::is_control, " "))
}
