//! Who asks.

use axum::http::HeaderMap;
use tokio::task::spawn_blocking;

use super::Api;
use super::refusal::Refusal;
use crate::error::Error;
use crate::http::credentials::{self, Basic};
use crate::ingest::customers::Customer;

impl Api {
    /// The customer whose key and secret a request has, and whose number stands in its path. Of others, nobody is told whether there are any.
    pub async fn customer(&self, headers: &HeaderMap, number: &str) -> Result<Customer, Refusal> {
        let customer = self.caller(headers).await?;
        if customer.id.to_string() == number {
            Ok(customer)
        } else {
            Err(Refusal::Unknown("there is no such customer"))
        }
    }

    /// The customer whose key and secret a request has.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Customer, Refusal> {
        if is_of_another_site(headers) {
            return Err(Refusal::OtherSite);
        }
        let refused = Refusal::Unauthorised(self.config.unauthorized);
        let Some(Basic { user, password }) = credentials::basic(headers) else {
            return Err(refused);
        };
        if let Some(customer) = self.customers.remembered(&user, &password) {
            return Ok(customer);
        }
        let found = self.find(user, password).await?;
        found.ok_or(refused)
    }

    async fn find(&self, user: String, password: Vec<u8>) -> Result<Option<Customer>, Refusal> {
        let stranger = self.strangers.clone().try_acquire_owned();
        let stranger = stranger.map_err(|_| Refusal::Busy)?;
        let turn = self.secrets.clone().acquire_owned().await;
        let customers = self.customers.clone();
        let looking = spawn_blocking(move || {
            let _places = (stranger, turn);
            customers.find(&user, &password)
        });
        looking
            .await
            .map_err(|error| Refusal::Failed(Error::internal(error)))
    }
}

/// Browsers remember a password, and would send it for a page of somebody else (Fetch Metadata, `Sec-Fetch-Site`).
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}
