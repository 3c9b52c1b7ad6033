//! Listening, and stopping in good order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use super::admin::open_routes;
use super::connections::{Connections, Patience, Places};
use super::{App, router};
use crate::config::Config;
use crate::queue::Runner;

/// Connections at once for metrics.
const MOST_SCRAPES: usize = 16;

/// For entries of the cache that are not written yet.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Serves until the process is asked to stop; requests under way are answered first, unless it is asked again.
///
/// # Errors
/// If the images' directory or the registry cannot be opened, the address is taken, or signals cannot be received.
pub async fn serve(config: &Config) -> io::Result<()> {
    let app = App::open(config).await?;
    let listener = TcpListener::bind(config.server.listen).await?;
    let metrics = match config.admin.listen {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let mut stop = Stop::listen()?;
    app.start();
    let workers = app.work(config).await?;
    announce(config, listener.local_addr()?, &app).await;
    let places = app.places().clone();
    let connections = Connections::new(router(app.clone()), Patience::default(), places);
    tokio::select! {
        never = connections.accept(&listener) => match never {},
        never = give_metrics(&app, metrics) => match never {},
        () = stop.asked() => {}
    }
    // New clients are refused from now on, instead of waiting for an answer that never comes.
    drop(listener);
    let end = async {
        join(connections.close(), stop_work(workers)).await;
        // What was made just now is not to be made again by the next process.
        let _ = timeout(LAST_WRITES, app.settle()).await;
    };
    tokio::select! {
        () = end => {}
        () = stop.asked() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

/// Other nodes go on with what is not done.
async fn stop_work(workers: Option<Runner>) {
    if let Some(workers) = workers {
        workers.stop().await;
    }
}

/// At an address of their own, if there is one.
async fn give_metrics(app: &App, listener: Option<TcpListener>) -> Infallible {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    if let Ok(address) = listener.local_addr() {
        println!("  metrics:     http://{address}/metrics");
    }
    let places = Places::new(MOST_SCRAPES);
    Connections::new(open_routes(app), Patience::default(), places)
        .accept(&listener)
        .await
}

/// Says on standard output where to look.
async fn announce(config: &Config, address: SocketAddr, app: &App) {
    let base = match &config.server.public_url {
        Some(url) => url.as_str().to_owned(),
        None => format!("http://{address}"),
    };
    println!("Azulejo listens on {base}/");
    if let Some(identifier) = app.first_identifier().await {
        println!("  information: {base}/iiif/3/{identifier}/info.json");
        println!("  an image:    {base}/iiif/3/{identifier}/full/!800,800/0/default.jpg");
    }
}

/// The signals that ask the process to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
