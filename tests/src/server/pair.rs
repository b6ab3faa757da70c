//! A primary, a replica that may lag, and the address that leads to one of them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use super::redis::Redis;

/// So many hundredths of a second may pass until a replica has what its primary has.
const PATIENCE: usize = 6_000;

/// Two servers behind one address, as a proxy or a name service has it.
#[derive(Debug)]
pub struct Pair {
    primary: Redis,
    replica: Redis,
}

impl Pair {
    /// A primary with these settings, and a replica of it that has caught up.
    pub fn start(settings: &[&str]) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let listening = ["--bind", "127.0.0.1", "--port", &port, "--repl-diskless-sync-delay", "0"];
        let primary = Redis::start(&[settings, &listening].concat());
        let following = ["--replicaof", "127.0.0.1", &port];
        let replica = Redis::start(&[settings, &following].concat());
        let pair = Self { primary, replica };
        pair.lead_to(&pair.primary);
        pair.catch_up();
        pair
    }

    /// Waits until the replica has what the primary has now.
    fn catch_up(&self) {
        let now = offset(&self.primary, "master_repl_offset:");
        for _ in 0..PATIENCE {
            let up = tell(&self.replica, "INFO replication").contains("master_link_status:up");
            if up && offset(&self.replica, "slave_repl_offset:") >= now {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the replica does not catch up");
    }

    /// The address of whichever server is in charge.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.replica.folder().join("in-charge").display())
    }

    /// The replica hears all that the primary was told, and nothing that it is told from now on.
    pub fn cut(&self) {
        self.catch_up();
        tell(&self.replica, "REPLICAOF 127.0.0.1 1");
    }

    /// The primary is killed, and the replica takes over.
    pub fn fail_over(&mut self) {
        self.primary.kill();
        tell(&self.replica, "REPLICAOF NO ONE");
        self.lead_to(&self.replica);
    }

    fn lead_to(&self, server: &Redis) {
        let (new, address) = (self.replica.folder().join("new"), self.replica.folder().join("in-charge"));
        symlink(server.folder().join("socket"), &new).unwrap();
        fs::rename(new, address).unwrap();
    }
}

/// How much of what was written a server knows.
fn offset(server: &Redis, field: &str) -> u64 {
    let info = tell(server, "INFO replication");
    let found = info.lines().find_map(|line| line.strip_prefix(field));
    found.map_or(0, |number| number.trim().parse().unwrap())
}

/// Sends a command on a connection of its own; the text of the answer.
fn tell(server: &Redis, command: &str) -> String {
    let mut connection = UnixStream::connect(server.folder().join("socket")).unwrap();
    connection.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let (mut reader, mut first) = (BufReader::new(connection), String::new());
    reader.read_line(&mut first).unwrap();
    let Some(Ok(length)) = first.trim().strip_prefix('$').map(str::parse) else {
        assert!(first.starts_with('+'), "{command}: {first}");
        return first;
    };
    let mut text = vec![0; length];
    reader.read_exact(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}
