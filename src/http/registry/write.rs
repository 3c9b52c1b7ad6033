//! Making and removing entries, whichever shape it is asked in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use super::{Api, text};
use crate::error::Error;
use crate::iiif::Identifier;
use crate::registry::{Answer, Details, NewEntry, Over, Put, name_uuid};

impl Api {
    /// The identifier that a location has, or else gets: its UUID of version 3.
    pub async fn mint(
        &self,
        location: &str,
        over: Over,
        writer: &str,
    ) -> Result<Response, Refusal> {
        if let Some(entry) = self.registry.find_by_location(location).await? {
            return Ok(text(&entry.identifier));
        }
        let identifier = name_uuid(location).to_string();
        self.put(&identifier, location, over, writer).await
    }

    /// 201 with the identifier if it is new, 200 if it was there.
    pub async fn put(
        &self,
        identifier: &str,
        location: &str,
        over: Over,
        writer: &str,
    ) -> Result<Response, Refusal> {
        let entry = NewEntry::new(identifier, location, Details::default(), writer)?;
        match self.registry.put(&entry, over).await? {
            Put::New | Put::Revived => Ok((StatusCode::CREATED, text(identifier)).into_response()),
            Put::Same | Put::Replaced(_) => Ok(text(identifier)),
            Put::Kept(_) => {
                let message =
                    format!("\"{identifier}\" has another location: replace=true changes it");
                Err(Error::Conflict(message).into())
            }
            Put::Gone => {
                let message = format!("\"{identifier}\" was removed: revive=true brings it back");
                Err(Error::Gone(message).into())
            }
        }
    }

    /// Leaves a tombstone. `false` if there is no entry.
    pub async fn remove(&self, identifier: Identifier, writer: &str) -> Result<bool, Refusal> {
        let text = identifier.as_str().to_owned();
        if let Answer::Found(_) = self.registry.find(&text).await? {
            // While it leads to an image. What is kept after this only takes up room, since the registry is asked first.
            self.purge(identifier).await;
        }
        Ok(self.registry.remove(&text, writer).await?)
    }

    async fn purge(&self, identifier: Identifier) {
        if let Err(error) = self.app.pipeline().purge(Some(identifier)).await {
            tracing::warn!("the caches still hold what is removed from the registry: {error}");
        }
    }
}
