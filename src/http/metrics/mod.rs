//! `/metrics`: what the server has done and does, as OpenMetrics text for Prometheus.

mod process;
pub(super) mod requests;
mod table;

use std::fmt;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::registry::Registry;

use super::app::App;
use super::error;
use crate::cache::report::{Kept, LayerReport};
use crate::error::Error;
use process::Process;
use table::{METRICS, Metric, Sample, Value};

const MEDIA_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot::of(app)));
    let mut body = String::new();
    match text::encode(&mut body, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response(),
        Err(cause) => error::respond(&Error::internal(cause), &HeaderMap::new()),
    }
}

/// Notes when the process began; to be called at the start.
pub(super) fn start() {
    process::started();
}

/// What is looked at once for all metrics; the rest is counted by the application.
pub(super) struct Snapshot {
    app: App,
    layers: Vec<LayerReport>,
    kept: [Kept; 2],
    process: Process,
}

impl Snapshot {
    fn of(app: App) -> Self {
        Self {
            layers: app.pipeline().cache_report(),
            kept: app.pipeline().kept_report(),
            process: Process::now(),
            app,
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for metric in &METRICS {
            let Metric {
                name,
                help,
                unit,
                kind,
                ..
            } = metric;
            let mut family = encoder.encode_descriptor(name, help, *unit, *kind)?;
            for sample in (metric.samples)(self) {
                encode(&mut family, metric, &sample)?;
            }
        }
        Ok(())
    }
}

fn encode(family: &mut MetricEncoder<'_>, metric: &Metric, sample: &Sample) -> fmt::Result {
    if metric.labels.is_empty() {
        return encode_value(family, &sample.value);
    }
    let values = sample.labels.iter().copied();
    let labels: Vec<(&str, &str)> = metric.labels.iter().copied().zip(values).collect();
    encode_value(&mut family.encode_family(&labels)?, &sample.value)
}

fn encode_value(encoder: &mut MetricEncoder<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Count(number) => encoder.encode_counter::<NoLabelSet, _, f64>(number, None),
        Value::Time(time) => {
            encoder.encode_counter::<NoLabelSet, _, f64>(&time.as_secs_f64(), None)
        }
        Value::Level(number) => encoder.encode_gauge(number),
        Value::Histogram { total, classes } => {
            let count = classes.iter().map(|(_, count)| count).sum();
            encoder.encode_histogram::<NoLabelSet>(total.as_secs_f64(), count, classes, None)
        }
    }
}

/// `docs/metrics.md`.
pub fn metrics_md() -> String {
    let mut text = INTRODUCTION.to_owned();
    for metric in &METRICS {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        text += &format!(
            "| `{}` | {} | {} | {} |\n",
            metric.full_name(),
            metric.kind.as_str(),
            labels.join(", "),
            metric.help,
        );
    }
    text
}

const INTRODUCTION: &str = "\
# Metrics

<!-- Generated from src/: do not edit. -->

`/metrics` is OpenMetrics text, as Prometheus reads it. It is given out

- at the address of the server, to those who send the token (`admin.token`) as `Authorization: Bearer TOKEN`;
- without a token at an address of its own, if `admin.listen` names one. That address has nothing else.

Labels: `kind` is `image`, `information` (`info.json`) or `other`; `strategy` is how the answer was made, as `azulejo explain`
and the log say it, or `none`; `pool` is `make` for images and `read` for headers; `lane` is `all` or, for the part of it that large
work may take, `large`; `layer` is `memory`, `disk`, `redis` or `objects`; `what` is `headers` or `pixels`.

| name | type | labels | |
|---|---|---|---|
";
