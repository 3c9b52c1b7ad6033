//! Every metric: its name, what it says, and where its numbers come from. `docs/metrics.md` is made from it.

use std::time::Duration;

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::Snapshot;
use super::requests::BOUNDS;
use crate::cache::report::{Kept, LATENCY_BOUNDS, LayerReport};
use crate::pipeline::LaneReport;

/// One metric; of counters the name lacks the `_total`, of all the unit.
pub struct Metric {
    pub name: &'static str,
    pub unit: Option<&'static Unit>,
    pub kind: MetricType,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    pub samples: fn(&Snapshot) -> Vec<Sample>,
}

/// The values of the labels, and what was counted or measured.
pub struct Sample {
    pub labels: Vec<&'static str>,
    pub value: Value,
}

pub enum Value {
    Count(u64),
    Time(Duration),
    Level(u64),
    Histogram {
        total: Duration,
        /// Upper bounds in seconds, and how many are in each class.
        classes: Vec<(f64, u64)>,
    },
}

impl Metric {
    const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        samples: fn(&Snapshot) -> Vec<Sample>,
    ) -> Self {
        Self {
            name,
            unit: None,
            kind: MetricType::Counter,
            labels,
            help,
            samples,
        }
    }

    const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        samples: fn(&Snapshot) -> Vec<Sample>,
    ) -> Self {
        Self {
            kind: MetricType::Gauge,
            ..Self::counter(name, labels, help, samples)
        }
    }

    const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        samples: fn(&Snapshot) -> Vec<Sample>,
    ) -> Self {
        Self {
            kind: MetricType::Histogram,
            unit: Some(&Unit::Seconds),
            ..Self::counter(name, labels, help, samples)
        }
    }

    const fn of(self, unit: &'static Unit) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }

    /// The name as it is queried; those of a histogram go on with `_bucket`, `_sum`, `_count`.
    pub fn full_name(&self) -> String {
        let unit = self.unit.map_or("", Unit::as_str);
        let suffix = match self.kind {
            MetricType::Counter => "total",
            _ => "",
        };
        let parts = [self.name, unit, suffix];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("_")
    }
}

pub static METRICS: [Metric; 39] = [
    Metric::counter(
        "azulejo_requests",
        &["kind", "status", "strategy"],
        "Requests that were answered",
        requests,
    ),
    Metric::histogram(
        "azulejo_request_duration",
        &["kind"],
        "From the head of a request to the head of its answer",
        durations,
    ),
    Metric::counter(
        "azulejo_response",
        &["kind"],
        "Bytes of answers, without their heads",
        response_bytes,
    )
    .of(&Unit::Bytes),
    Metric::gauge(
        "azulejo_requests_under_way",
        &[],
        "Requests that are not answered yet",
        |now| {
            let requests = now.app.requests();
            // In this order, so that it is never less than none.
            let ended = requests.ended.get();
            level(requests.begun.get() - ended)
        },
    ),
    Metric::counter(
        "azulejo_requests_abandoned",
        &[],
        "Requests whose client went away before they were answered",
        |now| count(now.app.requests().abandoned.get()),
    ),
    Metric::gauge(
        "azulejo_connections",
        &[],
        "Open connections, those of admin.listen aside",
        |now| level(now.app.places().open() as u64),
    ),
    Metric::gauge(
        "azulejo_work_running",
        &["pool", "lane"],
        "Pieces of work that run",
        |now| of_lanes(now, |lane| lane.running as u64),
    ),
    Metric::gauge(
        "azulejo_work_places",
        &["pool", "lane"],
        "Pieces of work that can run at once",
        |now| of_lanes(now, |lane| lane.places as u64),
    ),
    Metric::gauge(
        "azulejo_work_waiting",
        &["pool", "lane"],
        "Pieces of work that wait for a place or for memory",
        |now| of_lanes(now, |lane| lane.waiting as u64),
    ),
    Metric::gauge(
        "azulejo_work_memory_reserved",
        &["pool", "lane"],
        "Memory that is set aside for work, and for files that are being sent",
        |now| of_lanes(now, |lane| lane.reserved),
    )
    .of(&Unit::Bytes),
    Metric::gauge(
        "azulejo_work_memory_budget",
        &["pool", "lane"],
        "Memory for all work together",
        |now| of_lanes(now, |lane| lane.budget),
    )
    .of(&Unit::Bytes),
    Metric::gauge(
        "azulejo_unread",
        &[],
        "Bytes of answers that wait to be sent to their clients; answers of up to 4 KiB, and files that are sent in parts, aside",
        |now| level(now.app.unread().report().0),
    )
    .of(&Unit::Bytes),
    Metric::gauge(
        "azulejo_unread_room",
        &[],
        "Bytes of such answers from which on others get 503",
        |now| level(now.app.unread().report().1),
    )
    .of(&Unit::Bytes),
    Metric::gauge(
        "azulejo_cache_up",
        &["layer"],
        "Whether the layer is asked: 0 for a while after failures",
        |now| levels_of_layers(now, |layer| Some(u64::from(layer.is_up))),
    ),
    Metric::counter(
        "azulejo_cache_hits",
        &["layer"],
        "Entries that were found",
        |now| counts_of_layers(now, |layer| Some(layer.hits)),
    ),
    Metric::counter(
        "azulejo_cache_misses",
        &["layer"],
        "Entries that were looked for and not found",
        |now| counts_of_layers(now, |layer| Some(layer.misses)),
    ),
    Metric::counter(
        "azulejo_cache_stored",
        &["layer"],
        "Entries that were stored",
        |now| counts_of_layers(now, |layer| Some(layer.stored)),
    ),
    Metric::counter(
        "azulejo_cache_evictions",
        &["layer"],
        "Entries that were removed to make room",
        |now| counts_of_layers(now, |layer| layer.usage.evictions),
    ),
    Metric::counter(
        "azulejo_cache_errors",
        &["layer"],
        "Operations that failed or took too long",
        |now| counts_of_layers(now, |layer| Some(layer.errors)),
    ),
    Metric::counter(
        "azulejo_cache_corrupt",
        &["layer"],
        "Entries that were torn, changed or of another key, and were dropped",
        |now| counts_of_layers(now, |layer| Some(layer.corrupt)),
    ),
    Metric::counter(
        "azulejo_cache_skipped",
        &["layer"],
        "Operations that were not tried, because the layer was down",
        |now| counts_of_layers(now, |layer| Some(layer.skipped)),
    ),
    Metric::counter(
        "azulejo_cache_dropped",
        &["layer"],
        "Entries that were not stored, because too many were waiting",
        |now| counts_of_layers(now, |layer| Some(layer.dropped)),
    ),
    Metric::gauge(
        "azulejo_cache_entries",
        &["layer"],
        "Entries that it holds, where that is known",
        |now| levels_of_layers(now, |layer| layer.usage.entries),
    ),
    Metric::gauge(
        "azulejo_cache_size",
        &["layer"],
        "What the entries take, where that is known",
        |now| levels_of_layers(now, |layer| layer.usage.bytes),
    )
    .of(&Unit::Bytes),
    Metric::histogram(
        "azulejo_cache_lookup_duration",
        &["layer"],
        "How long it took to look for an entry",
        lookups,
    ),
    Metric::gauge(
        "azulejo_kept_entries",
        &["what"],
        "Opened images and decoded rectangles in memory",
        |now| of_kept(now, |kept| Value::Level(kept.entries)),
    ),
    Metric::gauge(
        "azulejo_kept_size",
        &["what"],
        "Memory of the headers of opened images, and of decoded pixels",
        |now| of_kept(now, |kept| Value::Level(kept.bytes)),
    )
    .of(&Unit::Bytes),
    Metric::counter(
        "azulejo_kept_hits",
        &["what"],
        "Opened images and decoded rectangles that were found",
        |now| of_kept(now, |kept| Value::Count(kept.hits)),
    ),
    Metric::counter(
        "azulejo_kept_misses",
        &["what"],
        "Opened images and decoded rectangles that were not found",
        |now| of_kept(now, |kept| Value::Count(kept.misses)),
    ),
    Metric::counter(
        "azulejo_source_stale",
        &[],
        "Look-ups of images that were answered as the last time, because their source could not be reached",
        |now| count(now.app.pipeline().stale()),
    ),
    Metric::counter(
        "azulejo_pyramids_built",
        &[],
        "Pyramids that were built in the background",
        |now| count(now.app.pipeline().built().pyramids),
    ),
    Metric::counter(
        "azulejo_pyramids_written",
        &[],
        "Bytes of these pyramids",
        |now| count(now.app.pipeline().built().bytes),
    )
    .of(&Unit::Bytes),
    Metric::counter(
        "azulejo_pyramids_failed",
        &[],
        "Pyramids that could not be built",
        |now| count(now.app.pipeline().built().failed),
    ),
    Metric::gauge(
        "process_resident_memory",
        &[],
        "Memory of the process that is in use",
        |now| levels(now.process.resident),
    )
    .of(&Unit::Bytes),
    Metric::counter(
        "process_cpu",
        &[],
        "Time of the processor that the process has used",
        |now| vec![Sample::plain(Value::Time(now.process.cpu))],
    )
    .of(&Unit::Seconds),
    Metric::gauge(
        "process_open_fds",
        &[],
        "Open files and connections",
        |now| levels(now.process.open_files),
    ),
    Metric::gauge(
        "process_max_fds",
        &[],
        "Files and connections that may be open",
        |now| levels(now.process.most_files),
    ),
    Metric::gauge(
        "process_start_time",
        &[],
        "When the process began, since the epoch",
        |now| level(now.process.started.as_secs()),
    )
    .of(&Unit::Seconds),
    Metric::gauge(
        "azulejo_build_info",
        &["version"],
        "Always 1: the version is the label",
        |_| {
            vec![Sample {
                labels: vec![env!("CARGO_PKG_VERSION")],
                value: Value::Level(1),
            }]
        },
    ),
];

impl Sample {
    fn plain(value: Value) -> Self {
        Self {
            labels: Vec::new(),
            value,
        }
    }

    fn of(label: &'static str, value: Value) -> Self {
        Self {
            labels: vec![label],
            value,
        }
    }
}

fn count(number: u64) -> Vec<Sample> {
    vec![Sample::plain(Value::Count(number))]
}

fn level(number: u64) -> Vec<Sample> {
    levels(Some(number))
}

fn levels(number: Option<u64>) -> Vec<Sample> {
    let sample = number.map(|number| Sample::plain(Value::Level(number)));
    sample.into_iter().collect()
}

fn requests(now: &Snapshot) -> Vec<Sample> {
    let answers = now.app.requests().answers().into_iter();
    let samples = answers.map(|(labels, count)| Sample {
        labels: labels.to_vec(),
        value: Value::Count(count),
    });
    samples.collect()
}

fn durations(now: &Snapshot) -> Vec<Sample> {
    let samples = now.app.requests().durations().map(|(kind, durations)| {
        let bounds = BOUNDS.into_iter().map(|bound| bound as f64 / 1e3);
        let value = Value::Histogram {
            total: durations.total(),
            classes: in_classes(bounds, durations.classes()),
        };
        Sample::of(kind, value)
    });
    samples.collect()
}

fn response_bytes(now: &Snapshot) -> Vec<Sample> {
    let bytes = now.app.requests().bytes();
    bytes
        .map(|(kind, bytes)| Sample::of(kind, Value::Count(bytes)))
        .collect()
}

fn of_lanes(now: &Snapshot, pick: fn(&LaneReport) -> u64) -> Vec<Sample> {
    let lanes = now.app.pipeline().lanes();
    let samples = lanes.iter().map(|(pool, lane)| Sample {
        labels: vec![*pool, lane.name],
        value: Value::Level(pick(lane)),
    });
    samples.collect()
}

fn counts_of_layers(now: &Snapshot, pick: fn(&LayerReport) -> Option<u64>) -> Vec<Sample> {
    of_layers(now, |layer| pick(layer).map(Value::Count))
}

fn levels_of_layers(now: &Snapshot, pick: fn(&LayerReport) -> Option<u64>) -> Vec<Sample> {
    of_layers(now, |layer| pick(layer).map(Value::Level))
}

fn lookups(now: &Snapshot) -> Vec<Sample> {
    of_layers(now, |layer| {
        let bounds = LATENCY_BOUNDS.into_iter().map(|bound| bound as f64 / 1e6);
        Some(Value::Histogram {
            total: layer.latency.total,
            classes: in_classes(bounds, layer.latency.classes),
        })
    })
}

fn of_layers(now: &Snapshot, value: impl Fn(&LayerReport) -> Option<Value>) -> Vec<Sample> {
    let layers = now.layers.iter();
    let samples = layers.filter_map(|layer| Some(Sample::of(layer.name, value(layer)?)));
    samples.collect()
}

fn of_kept(now: &Snapshot, value: fn(&Kept) -> Value) -> Vec<Sample> {
    let kept = now.kept.iter();
    kept.map(|kept| Sample::of(kept.name, value(kept)))
        .collect()
}

fn in_classes(
    bounds: impl Iterator<Item = f64>,
    counts: impl IntoIterator<Item = u64>,
) -> Vec<(f64, u64)> {
    bounds.chain([f64::INFINITY]).zip(counts).collect()
}
