//! `POST /resources/bulk`: many entries, a line each.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::timeout;

use super::refusal::Refusal;
use super::{Api, json as respond, or_refusal, over};
use crate::error::Error;
use crate::registry::{Intake, NewEntry, RegistryError};

/// An entry of the longest texts is shorter.
const LONGEST_LINE: usize = 64 << 10;
/// For the next part of the body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes lines as they come, and commits them in chunks of 500. The answer tells what became of them: 200 if all are in the registry,
/// 422 if some are not.
pub async fn upload(State(api): State<Api>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let writer = api.writer(&parts.headers)?;
        let intake = Intake::new(api.registry.clone(), over(&parts), false);
        let mut upload = Upload {
            intake,
            writer,
            lines: 0,
            rest: Vec::new(),
        };
        upload
            .take_all(body)
            .await
            .map_err(|failure| upload.stopped(failure))?;
        Ok(upload.report())
    };
    or_refusal(answer.await, &parts.headers)
}

struct Upload {
    intake: Intake,
    writer: String,
    /// Seen so far.
    lines: u64,
    /// Of a line that has not ended.
    rest: Vec<u8>,
}

/// Why an upload ends early.
enum Stop {
    Registry(RegistryError),
    Body(&'static str),
}

impl From<RegistryError> for Stop {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl Upload {
    async fn take_all(&mut self, body: Body) -> Result<(), Stop> {
        let mut parts = body.into_data_stream();
        while let Some(part) = next(&mut parts).await? {
            self.take_part(&part).await?;
        }
        let last = std::mem::take(&mut self.rest);
        self.take_line(&last).await?;
        Ok(self.intake.finish().await?)
    }

    async fn take_part(&mut self, part: &[u8]) -> Result<(), Stop> {
        let mut lines = part.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            self.rest.extend_from_slice(line);
            let line = std::mem::take(&mut self.rest);
            self.take_line(&line).await?;
        }
        self.rest.extend_from_slice(last);
        if self.rest.len() > LONGEST_LINE {
            return Err(Stop::Body("a line is too long"));
        }
        Ok(())
    }

    async fn take_line(&mut self, line: &[u8]) -> Result<(), RegistryError> {
        self.lines += 1;
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let place = format!("line {}", self.lines);
        match NewEntry::from_json(line, &self.writer) {
            Ok(entry) => self.intake.take(place, entry).await,
            Err(error) => {
                self.intake.refuse(place, error.to_string());
                Ok(())
            }
        }
    }

    fn report(&self) -> Response {
        let report = self.intake.report();
        let status = match report.failed {
            0 => StatusCode::OK,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, respond(&json!(report))).into_response()
    }

    /// What was committed before stays, and can be sent again.
    fn stopped(&self, stop: Stop) -> Refusal {
        match stop {
            Stop::Registry(error) => error.into(),
            Stop::Body(reason) => {
                let message = format!("after line {}: {reason}", self.lines);
                Error::BadRequest(message).into()
            }
        }
    }
}

async fn next(parts: &mut BodyDataStream) -> Result<Option<axum::body::Bytes>, Stop> {
    match timeout(PATIENCE, parts.next()).await {
        Ok(part) => part
            .transpose()
            .map_err(|_| Stop::Body("the rest did not arrive")),
        Err(_) => Err(Stop::Body("the rest does not arrive")),
    }
}
