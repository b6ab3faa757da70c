//! A Redis server on a Unix socket, in a folder of its own.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use super::cluster::unique;

/// Names a server to use instead of a private one: its address.
pub const REDIS_VARIABLE: &str = "COMMERCE_TEST_REDIS";
/// What to do about a missing server.
const MISSING: &str =
    "no redis-server found: run scripts/install-servers, or name a server in COMMERCE_TEST_REDIS";
/// Runs the server until whoever started it is gone, however it ended: then this end of the pipe closes.
const UNTIL_GONE: &str = r#""$@" & server=$!; read -r _; kill -KILL "$server""#;

/// A Redis server in a folder of its own; stopped when it is dropped or its starter dies.
#[derive(Debug)]
pub struct Redis {
    folder: PathBuf,
    keeper: Child,
}

impl Redis {
    /// The address of the server of this process, started where none is named.
    pub fn shared() -> String {
        static SERVER: OnceLock<Redis> = OnceLock::new();
        std::env::var(REDIS_VARIABLE).unwrap_or_else(|_| SERVER.get_or_init(|| Self::start(&[])).url())
    }

    /// Starts a server that nobody else uses, with these settings beside those that keep data.
    pub fn start(settings: &[&str]) -> Self {
        let name = format!("commerce-redis-{}-{:x}", std::process::id(), unique());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let server = Self { keeper: launch(&folder, settings), folder };
        server.wait();
        server
    }

    /// Starts it again in its folder, after it was killed.
    pub fn restart(&mut self, settings: &[&str]) {
        self.keeper = launch(&self.folder, settings);
        self.wait();
    }

    fn wait(&self) {
        for _ in 0..1200 {
            if UnixStream::connect(self.folder.join("socket")).is_ok() {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("redis-server did not answer: {log}");
    }

    /// Where it keeps its socket, its data and its log.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.join("socket").display())
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        let _ = fs::remove_file(self.folder.join("socket"));
    }
}

#[allow(clippy::zombie_processes, reason = "it is waited for where it is killed")]
fn launch(folder: &Path, settings: &[&str]) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        UNTIL_GONE,
        "sh",
        "redis-server",
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "yes",
    ]);
    command.arg("--dir").arg(folder).arg("--unixsocket").arg(folder.join("socket")).args(settings);
    command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
    let found = Command::new("redis-server").arg("--version").output();
    assert!(found.is_ok_and(|output| output.status.success()), "{MISSING}");
    command.spawn().expect("there is a shell")
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
