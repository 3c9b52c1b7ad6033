//! Listening, and stopping in good order.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{App, router};
use crate::config::Config;

/// Serves until the process is asked to stop; requests under way are answered first.
///
/// # Errors
/// If the images' directory cannot be opened or the address is taken.
pub async fn serve(config: &Config) -> io::Result<()> {
    let app = App::new(config)?;
    let listener = TcpListener::bind(config.server.listen).await?;
    announce(config, listener.local_addr()?, &app).await;
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop())
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

async fn stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
