//! Counts round trips on the wire: a proxy that reads the messages which pass.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, UnixStream};

/// What clients asked so far: every `Sync` and every simple query makes the client wait for the server once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trips(Arc<AtomicU64>);

impl Trips {
    pub(crate) fn so_far(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Forwards to the server's socket from a port, which it gives.
    pub(crate) async fn count(&self, socket: PathBuf) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let trips = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
                let trips = trips.clone();
                // Ends with an error where either side is gone.
                tokio::spawn(async move { trips.forward(&mut from_client, &mut to_server).await });
            }
        });
        port
    }

    /// Passes whole messages on: first one without a type, then a type, a length and the rest.
    async fn forward<R: AsyncReadExt + Unpin, W: AsyncWriteExt + Unpin>(
        &self,
        client: &mut R,
        server: &mut W,
    ) -> std::io::Result<()> {
        let mut kind = None;
        loop {
            let length = client.read_u32().await?;
            let mut message: Vec<u8> = kind.into_iter().chain(length.to_be_bytes()).collect();
            let start = message.len();
            message.resize(start + usize::try_from(length).unwrap() - 4, 0);
            client.read_exact(&mut message[start..]).await?;
            if matches!(kind, Some(b'S' | b'Q')) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
            server.write_all(&message).await?;
            kind = Some(client.read_u8().await?);
        }
    }
}
