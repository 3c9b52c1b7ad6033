//! What a provider says of itself (OpenID Connect Discovery 1.0, section 4), with its keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::IssuerUrl;
use openidconnect::core::CoreProviderMetadata;

use super::ask::Asker;
use crate::cache::flights::Flights;

/// For which it is used; less if a token is signed with another key.
const REFRESH: Duration = Duration::from_secs(300);
/// Before a provider that did not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// All who ask meanwhile wait for one answer.
#[derive(Clone)]
pub struct Discovery {
    issuer: IssuerUrl,
    asker: Asker,
    last: Arc<Mutex<Option<(Instant, Found)>>>,
    flights: Flights<(), Found>,
}

/// Or why there is nothing.
type Found = Result<CoreProviderMetadata, String>;

impl Discovery {
    pub fn new(issuer: IssuerUrl, asker: Asker) -> Self {
        Self {
            issuer,
            asker,
            last: Arc::default(),
            flights: Flights::default(),
        }
    }

    /// # Errors
    /// If the provider does not answer, or did not just now.
    pub async fn provider(&self) -> Found {
        let this = self.clone();
        let ask = async move {
            if let Some(found) = this.just_now() {
                return found;
            }
            let asking = CoreProviderMetadata::discover_async(this.issuer.clone(), &this.asker);
            let found = asking.await.map_err(|error| error.to_string());
            *this.last() = Some((Instant::now(), found.clone()));
            found
        };
        self.flights.join((), ask).await
    }

    /// It may have other keys by now.
    pub fn forget(&self) {
        *self.last() = None;
    }

    fn just_now(&self) -> Option<Found> {
        let last = self.last();
        let (since, found) = last.as_ref()?;
        let good_for = if found.is_ok() { REFRESH } else { PAUSE };
        (since.elapsed() < good_for).then(|| found.clone())
    }

    fn last(&self) -> MutexGuard<'_, Option<(Instant, Found)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
