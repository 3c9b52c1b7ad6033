//! Users and their passwords.

use std::collections::BTreeSet;

use tokio::task::spawn_blocking;

use super::Flow;
use crate::error::Error;

/// Bytes of a name or a password: more is none.
const LONGEST: usize = 1024;

/// The roles of a user whose password this is. It is looked at beside the requests, few at a time.
///
/// # Errors
/// If too many wait already.
pub async fn roles(
    flow: &Flow,
    name: String,
    password: String,
) -> Result<Option<BTreeSet<String>>, Error> {
    if name.len() > LONGEST || password.len() > LONGEST {
        return Ok(None);
    }
    let place = flow.waiting.clone().try_acquire_owned();
    let place = place.map_err(|_| Error::Busy)?;
    let turn = flow.passwords.clone().acquire_owned().await;
    let app = flow.app.clone();
    let looking = spawn_blocking(move || {
        let _places = (place, turn);
        let services = app.services()?;
        services.users.roles(&name, password.as_bytes())
    });
    looking.await.map_err(Error::internal)
}
