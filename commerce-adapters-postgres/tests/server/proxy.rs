//! A proxy between a store and its server that cuts connections at chosen moments.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::time::sleep;

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The request never leaves.
    BeforeRequest,
    /// The server gets the request; its answer is lost whole.
    AfterRequest,
    /// The answer breaks off in the middle.
    WithinAnswer,
}

/// Forwards to a server until it is told to cut.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// 0 for none, else the next cut.
    armed: AtomicUsize,
    cuts: AtomicU64,
}

impl Proxy {
    pub(crate) async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (socket, state) = (socket.clone(), shared.clone());
                tokio::spawn(async move {
                    // While the server is down the client sees a connection that ends at once.
                    let Ok(server) = UnixStream::connect(socket).await else { return };
                    forward(client.into_split(), server.into_split(), state).await;
                });
            }
        });
        Self { port, state }
    }

    /// The next request on any connection is cut in this way.
    pub(crate) fn arm(&self, cut: Cut) {
        self.state.armed.store(cut as usize + 1, Ordering::SeqCst);
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

type Halves<R, W> = (R, W);

async fn forward<R1, W1, R2, W2>(client: Halves<R1, W1>, server: Halves<R2, W2>, state: Arc<State>)
where
    R1: AsyncRead + Unpin,
    W1: AsyncWrite + Unpin,
    R2: AsyncRead + Unpin,
    W2: AsyncWrite + Unpin,
{
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client, server);
    let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut cut = None;
    loop {
        tokio::select! {
            read = from_client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                cut = match state.armed.swap(0, Ordering::SeqCst) {
                    1 => Some(Cut::BeforeRequest),
                    2 => Some(Cut::AfterRequest),
                    3 => Some(Cut::WithinAnswer),
                    _ => None,
                };
                if cut.is_some() {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                }
                if cut == Some(Cut::BeforeRequest) || to_server.write_all(&request[..length]).await.is_err() {
                    return;
                }
                if cut == Some(Cut::AfterRequest) {
                    // The server works on; nobody is there to hear of it.
                    drop(to_client);
                    sleep(Duration::from_millis(30)).await;
                    return;
                }
            }
            read = from_server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                let length = if cut == Some(Cut::WithinAnswer) { length / 2 } else { length };
                let sent = to_client.write_all(&answer[..length]).await;
                if sent.is_err() || cut == Some(Cut::WithinAnswer) {
                    return;
                }
            }
        }
    }
}
