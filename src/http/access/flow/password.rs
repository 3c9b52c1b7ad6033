//! Users and their passwords.

use tokio::task::spawn_blocking;

use super::Flow;
use super::waiting::Place;
use crate::error::Error;

/// Bytes of a name or a password: more is none.
const LONGEST: usize = 1024;

/// Whether it is the password of a user. It is looked at beside the requests, few at a time, and by one who has a place.
///
/// # Errors
/// If it cannot be looked at.
pub async fn is_right(
    flow: &Flow,
    place: Place,
    name: String,
    password: String,
) -> Result<bool, Error> {
    if name.len() > LONGEST || password.len() > LONGEST {
        return Ok(false);
    }
    let turn = flow.passwords.clone().acquire_owned().await;
    let app = flow.app.clone();
    let looking = spawn_blocking(move || {
        let _places = (place, turn);
        let services = app.services();
        services.is_some_and(|all| all.users.is_password(&name, password.as_bytes()))
    });
    looking.await.map_err(Error::internal)
}
