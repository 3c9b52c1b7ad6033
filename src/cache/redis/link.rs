//! The connection to Redis: made when it is needed first, and made anew when it does not answer.
//!
//! The crate's own `ConnectionManager` is not used, because it connects anew only after an error of the connection: one
//! that is silent, as to a stopped process or through a network that swallows packets, it keeps for as long as the
//! system does, which is many minutes. Here silence ends a connection too. What was asked over it is dropped with it,
//! so that nothing piles up; and its late answers cannot be taken for those of others.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};
use tokio::time::timeout;

use super::server::{CONNECTING, Connection, Server};
use crate::cache::layer::LayerError;

/// Between attempts to connect; and the least age of a connection that is given up for what the server said, because
/// it may be another server's turn.
const PAUSE: Duration = Duration::from_millis(200);

/// One connection that all requests share.
#[derive(Clone)]
pub struct Link {
    server: Arc<Server>,
    current: Arc<Mutex<Option<Attempt>>>,
}

/// A connection that is there, or being made, or could not be made.
#[derive(Clone)]
struct Attempt {
    connection: Shared<BoxFuture<'static, RedisResult<Connection>>>,
    began: Instant,
}

impl Link {
    /// Does not connect yet.
    pub fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            current: Arc::default(),
        }
    }

    /// Does what is to be done over the connection. It goes on, up to the time limit, even if the caller does not wait
    /// for it any more: that is how a server that has fallen silent is told from a caller that has lost interest.
    ///
    /// # Errors
    /// If there is no connection, if Redis refuses, or if there is no answer in time.
    pub async fn ask<T, F>(
        &self,
        limit: Duration,
        request: impl FnOnce(Connection) -> F + Send + 'static,
    ) -> Result<T, LayerError>
    where
        T: Send + 'static,
        F: Future<Output = RedisResult<T>> + Send + 'static,
    {
        let link = self.clone();
        let asked = tokio::spawn(async move { link.ask_here(limit, request).await });
        asked
            .await
            .unwrap_or_else(|error| Err(LayerError::Store(error.to_string())))
    }

    async fn ask_here<T, F>(
        &self,
        limit: Duration,
        request: impl FnOnce(Connection) -> F,
    ) -> Result<T, LayerError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let attempt = self.attempt();
        let asked = async {
            let connection = attempt.connection.clone().await?;
            request(connection).await
        };
        let answer = timeout(limit, asked).await;
        if attempt.is_over_after(&answer) {
            self.give_up(&attempt);
        }
        match answer {
            Ok(answer) => answer.map_err(|error| LayerError::Store(error.to_string())),
            Err(_) => Err(LayerError::TimedOut(limit)),
        }
    }

    fn attempt(&self) -> Attempt {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempt) = current.as_ref().filter(|attempt| !attempt.has_failed()) {
            return attempt.clone();
        }
        let attempt = Attempt::new(Arc::clone(&self.server));
        *current = Some(attempt.clone());
        attempt
    }

    /// Unless there is a newer one already.
    fn give_up(&self, attempt: &Attempt) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|now| now.began == attempt.began)
        {
            *current = None;
        }
    }
}

impl Attempt {
    /// Goes on by itself, so that it is not in vain if those who wait for it have less time.
    fn new(server: Arc<Server>) -> Self {
        let connecting = async move {
            let connection = timeout(CONNECTING, server.connect()).await;
            connection.unwrap_or_else(|_| Err((ErrorKind::Io, "cannot connect in time").into()))
        };
        let connection = connecting.boxed().shared();
        tokio::spawn(connection.clone());
        Self {
            connection,
            began: Instant::now(),
        }
    }

    /// Some time ago, so that one that is refused is not tried without pause.
    fn has_failed(&self) -> bool {
        matches!(self.connection.peek(), Some(Err(_))) && self.began.elapsed() > PAUSE
    }

    fn is_connected(&self) -> bool {
        matches!(self.connection.peek(), Some(Ok(_)))
    }

    /// Whether another connection is to be made.
    fn is_over_after<T, E>(&self, answer: &Result<RedisResult<T>, E>) -> bool {
        let is_over = match answer {
            Ok(Ok(_)) => false,
            Ok(Err(error)) => {
                error.is_unrecoverable_error()
                    || is_for_another_server(error) && self.began.elapsed() > PAUSE
            }
            Err(_) => true,
        };
        is_over && self.is_connected()
    }
}

/// Whether the address, or Sentinel, may name a better one by now: after a failover, the old master is a replica.
fn is_for_another_server(error: &RedisError) -> bool {
    let kinds = [
        ServerErrorKind::ReadOnly,
        ServerErrorKind::MasterDown,
        ServerErrorKind::ClusterDown,
    ];
    matches!(error.kind(), ErrorKind::Server(kind) if kinds.contains(&kind))
}
