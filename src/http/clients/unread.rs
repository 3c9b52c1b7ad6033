//! Answers that are not read yet: how much memory they have, and how much of it those of one client may take.
//!
//! Who asks need not read: of HTTP/2 he may leave each stream of a connection without a window for as long as he likes (RFC 9113, section 5.2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::response::Response;
use ipnet::IpNet;

use crate::error::Error;

/// Bytes of a body that is not counted: the stream that it waits for takes as much, and their number has a bound.
const SMALL: u64 = 4 << 10;

/// The room for all of them. Clones share it.
#[derive(Clone)]
pub struct Unread(Arc<Room>);

struct Room {
    /// In bytes. Once so much waits nothing is added, so that there may be one answer more.
    size: u64,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// In bytes, as below.
    all: u64,
    of_clients: HashMap<IpNet, u64>,
}

/// Bytes that wait, for whom, until the last of them is sent or nobody is there any more.
struct Waiting {
    bytes: Bytes,
    client: Option<IpNet>,
    room: Arc<Room>,
}

impl Unread {
    /// Room for so many bytes. A client may take half of what the others leave, so that a few of them never take all.
    pub fn new(size: u64) -> Self {
        Self(Arc::new(Room {
            size,
            taken: Mutex::default(),
        }))
    }

    /// Bytes that wait, and for how many there is room.
    pub fn report(&self) -> (u64, u64) {
        (self.0.taken().all, self.0.size)
    }

    /// The answer with its place in the room. What is sent in parts has bounds of its own ([`Transfer`](crate::pipeline::Transfer)), and
    /// does not know its length. Without a client it has no share.
    ///
    /// # Errors
    /// [`Error::Unread`] and [`Error::UnreadByClient`] if so much waits already.
    pub async fn hold(&self, client: Option<IpNet>, answer: Response) -> Result<Response, Error> {
        let length = answer.body().size_hint().exact();
        if length.is_none_or(|length| length <= SMALL) {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        // Its length is known, because it is there.
        let bytes = to_bytes(body, usize::MAX).await.map_err(Error::internal)?;
        let waiting = Bytes::from_owner(self.wait(client, bytes)?);
        Ok(Response::from_parts(head, Body::from(waiting)))
    }

    fn wait(&self, client: Option<IpNet>, bytes: Bytes) -> Result<Waiting, Error> {
        let room = Arc::clone(&self.0);
        room.taken().add(room.size, client, bytes.len() as u64)?;
        Ok(Waiting {
            bytes,
            client,
            room,
        })
    }
}

impl Room {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn add(&mut self, room: u64, client: Option<IpNet>, bytes: u64) -> Result<(), Error> {
        if self.all >= room {
            return Err(Error::Unread);
        }
        if let Some(client) = client {
            let of_client = self.of_clients.entry(client).or_default();
            let of_others = self.all - *of_client;
            if *of_client >= (room - of_others).div_ceil(2) {
                return Err(Error::UnreadByClient);
            }
            *of_client += bytes;
        }
        self.all += bytes;
        Ok(())
    }

    fn remove(&mut self, client: Option<IpNet>, bytes: u64) {
        self.all -= bytes;
        let Some(client) = client else { return };
        let of_client = self.of_clients.get_mut(&client);
        if let Some(of_client) = of_client {
            *of_client -= bytes;
            if *of_client == 0 {
                self.of_clients.remove(&client);
            }
        }
    }
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let bytes = self.bytes.len() as u64;
        self.room.taken().remove(self.client, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: usize = 10_000;

    fn client(host: u8) -> Option<IpNet> {
        Some(IpNet::from(std::net::IpAddr::from([192, 0, 2, host])))
    }

    async fn ask(unread: &Unread, client: Option<IpNet>, bytes: usize) -> Result<Response, Error> {
        let answer = Response::new(Body::from(vec![0; bytes]));
        unread.hold(client, answer).await
    }

    /// Asks and reads nothing, until there is no more room for him.
    async fn fill(unread: &Unread, client: Option<IpNet>) -> Vec<Response> {
        let mut answers = Vec::new();
        while let Ok(answer) = ask(unread, client, BODY).await {
            answers.push(answer);
            assert!(answers.len() <= 100, "no bound");
        }
        answers
    }

    fn why(refused: Result<Response, Error>) -> String {
        refused.map(|_| ()).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn all_have_a_bound_and_one_client_half_of_what_others_leave() {
        let unread = Unread::new(10 * BODY as u64);
        let greedy = fill(&unread, client(1)).await;
        assert_eq!(greedy.len(), 5);
        assert!(why(ask(&unread, client(1), BODY).await).contains("this client"));
        let second = fill(&unread, client(2)).await;
        assert_eq!(second.len(), 3, "half of what is left");
        let third = fill(&unread, client(3)).await;
        assert_eq!(third.len(), 1);
        let last = ask(&unread, client(4), BODY).await;
        assert_eq!(unread.report(), (10 * BODY as u64, 10 * BODY as u64));
        assert!(!why(ask(&unread, client(5), BODY).await).contains("this client"));
        drop(greedy);
        assert_eq!(fill(&unread, client(5)).await.len(), 3);
        drop((second, third, last));
        assert_eq!(unread.report().0, 0);
        assert!(unread.0.taken().of_clients.is_empty());
        assert_eq!(fill(&unread, None).await.len(), 10, "nobody in particular");
    }

    #[tokio::test]
    async fn nothing_is_refused_for_its_size_alone() {
        let unread = Unread::new(BODY as u64);
        let large = ask(&unread, client(1), 3 * BODY).await.unwrap();
        assert!(ask(&unread, client(2), BODY).await.is_err());
        let small = ask(&unread, client(2), SMALL as usize).await;
        assert!(small.is_ok(), "that is not counted");
        drop(large);
        assert!(ask(&unread, client(2), BODY).await.is_ok());
    }

    /// Whoever takes the bytes out of the body, and keeps them until they are sent.
    #[tokio::test]
    async fn bytes_wait_until_the_last_of_them_is_dropped() {
        let unread = Unread::new(BODY as u64);
        let answer = ask(&unread, None, BODY).await.unwrap();
        let mut sent = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let first = sent.split_to(1);
        drop(sent);
        assert_eq!(unread.report().0, BODY as u64);
        drop(first);
        assert_eq!(unread.report().0, 0);
    }
}
