//! Documents that are posted.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use serde_json::Value;

use super::Api;
use super::refusal::Refusal;

impl Api {
    /// What was posted, whatever media type it is said to have.
    pub async fn json(&self, headers: &HeaderMap, body: Body) -> Result<Value, Refusal> {
        let bytes = self.bytes(headers, body).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::Wrong(format!("the request is no JSON: {error}")))
    }

    async fn bytes(&self, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
        let most = self.config.max_body;
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > most) {
            return Err(Refusal::TooLarge(most));
        }
        let mut parts = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| Refusal::Wrong("the rest did not arrive".to_owned()))?;
            bytes.extend_from_slice(&part);
            if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
                return Err(Refusal::TooLarge(most));
            }
        }
        Ok(bytes)
    }
}
