//! Removing everything that has the prefix, and nothing else: the database may hold other things.

use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo, SingleNodeRoutingInfo,
};
use redis::{FromRedisValue, Pipeline, RedisResult, Value, cmd, pipe};
use std::collections::HashMap;

use super::server::Connection;

/// Keys looked at in one step: Redis does nothing else meanwhile.
const STEP: usize = 1000;

/// Removes all keys that match.
///
/// # Errors
/// If a step fails; what was found before is removed.
pub async fn remove_all(connection: Connection, pattern: String) -> RedisResult<()> {
    let nodes = match &connection {
        Connection::One(_) => vec![None],
        Connection::Cluster(cluster) => masters(cluster.clone()).await?,
    };
    for node in nodes {
        remove_of(connection.clone(), node, &pattern).await?;
    }
    Ok(())
}

/// The nodes of a cluster that keys are removed on.
async fn masters(mut cluster: ClusterConnection) -> RedisResult<Vec<Option<RoutingInfo>>> {
    let each = (
        MultipleNodeRoutingInfo::AllMasters,
        Some(ResponsePolicy::Special),
    );
    let answers = cluster.route_command(cmd("PING"), RoutingInfo::MultiNode(each));
    let answers: HashMap<String, String> = FromRedisValue::from_redis_value(answers.await?)?;
    Ok(answers.keys().map(|address| by_address(address)).collect())
}

fn by_address(address: &str) -> Option<RoutingInfo> {
    let (host, port) = address.rsplit_once(':')?;
    Some(RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress {
        host: host.to_owned(),
        port: port.parse().ok()?,
    }))
}

async fn remove_of(
    mut connection: Connection,
    node: Option<RoutingInfo>,
    pattern: &str,
) -> RedisResult<()> {
    let mut cursor = 0_u64;
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(STEP);
        let answer: Value = match (&mut connection, &node) {
            (Connection::Cluster(cluster), Some(node)) => {
                cluster.route_command(scan, node.clone()).await?
            }
            (connection, _) => scan.query_async(connection).await?,
        };
        let (next, keys): (u64, Vec<Vec<u8>>) = FromRedisValue::from_redis_value(answer)?;
        for commands in removals(&connection, &keys) {
            commands.exec_async(&mut connection).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// In a cluster, what is sent together must concern one slot.
fn removals(connection: &Connection, keys: &[Vec<u8>]) -> Vec<Pipeline> {
    let together = match connection {
        Connection::One(_) => STEP,
        Connection::Cluster(_) => 1,
    };
    let removal = |keys: &[Vec<u8>]| {
        let mut commands = pipe();
        commands.cmd("UNLINK").arg(keys);
        commands
    };
    keys.chunks(together).map(removal).collect()
}
