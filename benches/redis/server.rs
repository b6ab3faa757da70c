//! The server of a section.

use std::time::Duration;

use commerce_adapters_redis::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use commerce_adapters_redis::redis::{self, Client};
use commerce_adapters_redis::{Settings, SideSettings};
use commerce_tests::server::Redis;

/// The shop whose keys the adapter writes.
pub(crate) const SHOP: &str = "bench";
/// How long an answer is waited for, by the adapter and by raw calls: a busy machine must not end the bench.
const ANSWER: Duration = Duration::from_secs(10);

pub(crate) struct Server {
    redis: Redis,
    /// Of its process.
    pub(crate) process: u32,
}

impl Server {
    /// With the command that tells whether two values are the same.
    pub(crate) async fn start() -> Self {
        let redis = Redis::start(&["--enable-debug-command", "yes"]);
        let mut server = Self { redis, process: 0 };
        let mut connection = server.connection().await;
        let told: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await.unwrap();
        let process = told.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap();
        server.process = process.trim().parse().unwrap();
        server
    }

    pub(crate) fn url(&self) -> String {
        self.redis.url()
    }

    /// A raw connection of the adapter's kind and settings.
    pub(crate) async fn connection(&self) -> ConnectionManager {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWER))
            .set_connection_timeout(Some(ANSWER));
        let client = Client::open(self.url()).unwrap();
        client.get_connection_manager_with_config(config).await.unwrap()
    }

    /// Deletes these.
    pub(crate) async fn forget(&self, keys: &[String]) {
        if !keys.is_empty() {
            let mut connection = self.connection().await;
            let _: u64 = redis::cmd("DEL").arg(keys).query_async(&mut connection).await.unwrap();
        }
    }
}

/// Of the store and the broker.
pub(crate) fn settings(shop: &str) -> Settings {
    let mut settings = Settings::for_shop(shop).unwrap();
    settings.answer_timeout = ANSWER;
    settings
}

/// Of the cache.
pub(crate) fn side() -> SideSettings {
    SideSettings::for_shop(SHOP).unwrap().waiting(ANSWER)
}
