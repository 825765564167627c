//! The way between quell and the account: a relay on loopback that goes down and comes back, as a network does.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The prefix of the simulated API.
const PREFIX: &str = "/client/v4";

pub(crate) struct Network {
    at: SocketAddr,
    to: String,
    /// Carries while it is up; dropped, it closes the listener and every connection at once.
    carrier: Option<JoinHandle<()>>,
}

impl Network {
    /// A way to the API at this address, which is up.
    pub(crate) async fn to(base_url: &str) -> Self {
        let to = base_url.trim_start_matches("http://").trim_end_matches(PREFIX).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut network = Self { at, to, carrier: None };
        network.carry(listener);
        network
    }

    /// Where quell is pointed.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}{PREFIX}", self.at)
    }

    fn carry(&mut self, listener: TcpListener) {
        let to = self.to.clone();
        self.carrier = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(relay(near, to.clone()));
            }
        }));
    }

    /// Connections break off, and new ones are refused.
    pub(crate) async fn goes_down(&mut self) {
        let carrier = self.carrier.take().unwrap();
        carrier.abort();
        assert!(carrier.await.unwrap_err().is_cancelled());
    }

    /// At the same address as before.
    pub(crate) async fn comes_back(&mut self) {
        assert!(self.carrier.is_none(), "it is down");
        let listener = TcpListener::bind(self.at).await.unwrap();
        self.carry(listener);
    }
}

async fn relay(mut near: TcpStream, to: String) {
    if let Ok(mut far) = TcpStream::connect(to).await {
        // How it ends is for the two ends to tell.
        _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}
