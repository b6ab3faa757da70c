//! What happens to Redis.

use std::process::Command;
use std::time::Duration;

use commerce_adapters_redis::redis;
use commerce_tests::server::{Pair, Redis};
use tokio::time::{Instant, sleep};

use crate::AROUND;
use crate::line::Line;

/// How long a server that evicts is filled.
const FILLING: Duration = Duration::from_secs(4);
/// How long a replica hears nothing before it takes over.
const LAGGING: Duration = Duration::from_secs(3);
/// With `everysec` a server whose disk is slow answers before it writes, and loses that when it is killed.
const KEEPS_ALL: &[&str] = &["--appendfsync", "always"];

/// What happens to Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Killed,
    Paused,
    Flushed,
    Full,
    Evicting,
    FailedOver,
}

impl Fault {
    /// Whether Redis loses what it has taken.
    pub(crate) const fn loses(self) -> bool {
        matches!(self, Self::Flushed | Self::Evicting | Self::FailedOver)
    }

    /// What its server is started with.
    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Killed => KEEPS_ALL,
            Self::Evicting => &["--maxmemory-policy", "allkeys-lru"],
            Self::Paused | Self::Flushed | Self::Full | Self::FailedOver => &[],
        }
    }

    pub(crate) async fn happens(self, server: &mut Server, line: &mut Line) {
        match self {
            Self::Killed => {
                server.alone().kill();
                sleep(Duration::from_secs(4)).await;
                server.alone().restart(KEEPS_ALL);
            }
            Self::Paused => {
                let process = info(server, "process_id").await;
                signal("-STOP", &process);
                sleep(Duration::from_secs(30)).await;
                signal("-CONT", &process);
            }
            Self::Flushed => {
                // So that there is something to lose.
                line.stop_receiver().await;
                sleep(AROUND).await;
                for _ in 0..20 {
                    ask(server, &["FLUSHALL"]).await.unwrap();
                    sleep(Duration::from_millis(100)).await;
                }
                line.start_receiver();
            }
            Self::Full => {
                ask(server, &["CONFIG", "SET", "maxmemory", "1mb"]).await.unwrap();
                let refused = ask(server, &["SET", "{ballast}", "x"]).await.unwrap_err();
                assert_eq!(refused.code(), Some("OOM"), "it is full");
                sleep(Duration::from_secs(5)).await;
                ask(server, &["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
            }
            Self::Evicting => {
                ask(server, &["CONFIG", "SET", "maxmemory", "2mb"]).await.unwrap();
                let (ballast, begun) = ("x".repeat(50_000), Instant::now());
                for number in 0.. {
                    // Where nothing can be evicted at the moment it is refused.
                    let _ = ask(server, &["SET", &format!("ballast:{number}"), &ballast]).await;
                    if begun.elapsed() > FILLING {
                        break;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
                assert_ne!(info(server, "evicted_keys").await, "0", "it evicts");
                ask(server, &["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
            }
            Self::FailedOver => {
                // So that there is something to lose.
                line.stop_receiver().await;
                let Server::Pair(pair) = server else { panic!("there is no replica") };
                pair.cut();
                sleep(LAGGING).await;
                pair.fail_over();
                line.start_receiver();
            }
        }
    }
}

/// Who answers.
pub(crate) enum Server {
    Alone(Redis),
    Pair(Pair),
}

impl Server {
    pub(crate) fn start(fault: Fault) -> Self {
        match fault {
            Fault::FailedOver => Self::Pair(Pair::start(fault.settings())),
            _ => Self::Alone(Redis::start(fault.settings())),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Alone(server) => server.url(),
            Self::Pair(pair) => pair.url(),
        }
    }

    fn alone(&mut self) -> &mut Redis {
        match self {
            Self::Alone(server) => server,
            Self::Pair(_) => panic!("there are two"),
        }
    }
}

/// Sends a command on a connection of its own.
async fn ask(server: &Server, command: &[&str]) -> redis::RedisResult<redis::Value> {
    let client = redis::Client::open(server.url())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut all = redis::Cmd::new();
    all.arg(command).query_async(&mut connection).await
}

async fn info(server: &Server, what: &str) -> String {
    let told: String = redis::from_redis_value(ask(server, &["INFO"]).await.unwrap()).unwrap();
    let found = told.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    found.unwrap().trim().to_owned()
}

fn signal(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}
