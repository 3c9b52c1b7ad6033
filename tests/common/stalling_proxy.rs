//! A network that loses what is on its way.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on, until they stall: from then on they stay open, and nothing comes through. Later ones are passed on again.
pub struct StallingProxy {
    pub port: u16,
    generation: watch::Sender<u64>,
}

impl StallingProxy {
    /// To a port of this machine. It ends with the runtime.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (generation, _) = watch::channel(0);
        let generations = generation.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(pass(client, server, generations.subscribe()));
            }
        });
        Self {
            port: own,
            generation,
        }
    }

    pub fn stall(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, mut generation: watch::Receiver<u64>) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = generation.changed() => std::future::pending().await,
    }
}
