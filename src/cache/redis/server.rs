//! How a connection is made to one server, to a cluster, or to what Sentinel watches over.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisFuture, RedisResult, Value};
use tokio::sync::Mutex;

use super::url::Place;
use crate::tls;

/// For connecting to one server.
pub const CONNECTING: Duration = Duration::from_secs(1);
/// For an answer of a node of a cluster. Whoever asks has a limit too; this one ends what they have lost interest in.
const LONGEST: Duration = Duration::from_secs(5);

/// Makes connections.
pub enum Server {
    One(Client),
    Cluster(ClusterClient),
    /// Asks the sentinels anew each time; remembers which one answered.
    Watched(Mutex<SentinelClient>),
}

/// Shared by all who have a clone; each may send before others have their answer.
#[derive(Clone)]
pub enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Server {
    /// Does not connect.
    ///
    /// # Errors
    /// If the crate refuses the settings.
    pub fn new(place: &Place) -> RedisResult<Self> {
        tls::choose();
        match place {
            Place::Server(info) => Client::open(info.clone()).map(Self::One),
            Place::Cluster(nodes) => ClusterClient::builder(nodes.clone())
                .connection_timeout(CONNECTING)
                .response_timeout(LONGEST)
                // After a slot has moved.
                .retries(2)
                .build()
                .map(Self::Cluster),
            Place::Sentinel {
                sentinels,
                master,
                node,
            } => SentinelClient::build(
                sentinels.clone(),
                master,
                Some(node.clone()),
                SentinelServerType::Master,
            )
            .map(|client| Self::Watched(Mutex::new(client))),
        }
    }

    /// # Errors
    /// If nobody answers, or not as hoped.
    pub async fn connect(&self) -> RedisResult<Connection> {
        // The limits are those of `Link`.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        match self {
            Self::One(client) => {
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                connection.await.map(Connection::One)
            }
            Self::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
            Self::Watched(client) => {
                let mut client = client.lock().await;
                let connection = client.get_async_connection_with_config(&config);
                connection.await.map(Connection::One)
            }
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
