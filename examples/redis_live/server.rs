//! A Redis server on a Unix socket, in a folder of its own.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::Outcome;

/// Stopped, and its data removed, when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    folder: PathBuf,
    process: Child,
}

impl Server {
    /// Starts the `redis-server` of this machine.
    pub(crate) fn start() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("commerce-redis-live-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "yes"]);
        command.arg("--dir").arg(&folder).arg("--unixsocket").arg(folder.join("socket"));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(|error| {
            let _ = fs::remove_dir(&folder);
            format!(
                "no redis-server ({error}): run scripts/install-servers, or name one with --store redis://…"
            )
        })?;
        let server = Self { folder, process };
        for _ in 0..1_000 {
            if UnixStream::connect(server.folder.join("socket")).is_ok() {
                return Ok(server);
            }
            sleep(Duration::from_millis(10));
        }
        Err("redis-server does not answer".into())
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        format!("redis+unix://{}", self.folder.join("socket").display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
