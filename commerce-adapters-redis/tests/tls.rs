//! Over TLS, to a real server that speaks nothing else to the network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod post;
mod server;

use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_redis::{
    LiveChannel, LiveUpdates, OpenError, RedisBroker, RedisCache, RedisStore, SideSettings,
};
use commerce_core::port::cache::{Cache, CacheKey};
use commerce_core::prelude::*;
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Redis;
use post::{drain, message, publish};
use server::{fresh, on_runtime, patient};

/// Where a process that trusts the server's authority finds it.
const ADDRESS: &str = "COMMERCE_TLS_ADDRESS";

/// An authority of this test's own, and the certificate of a server on this machine.
const CERTIFICATES: &str = r"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout authority.key -out authority.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
printf 'subjectAltName=IP:127.0.0.1' > names
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
    -extfile names -out server.pem
";

fn certificates(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let made = Command::new("sh").args(["-ec", CERTIFICATES]).current_dir(folder).output();
    let made = made.unwrap();
    assert!(made.status.success(), "is openssl installed? {}", String::from_utf8_lossy(&made.stderr));
}

fn start(folder: &Path) -> (Redis, String) {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string();
    let file = |name: &str| folder.join(name).display().to_string();
    let (certificate, key, authority) = (file("server.pem"), file("server.key"), file("authority.pem"));
    let server = Redis::start(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "hunter2",
    ]);
    (server, format!("rediss://:hunter2@127.0.0.1:{port}/"))
}

/// Every kind of connection there is: of the store, of a cache, of a broker, of one of its members that waits,
/// and of live push.
async fn everything_runs(url: &str) {
    let clock = Clock::default();
    let store = RedisStore::with_clock(url, fresh(), Arc::new(clock.clone())).await.unwrap();
    let shop = Shop::on_shared(Arc::new(store), clock, Gateway::capturing(), 1);
    shop.list("MUG", "10.00", 5).await.unwrap();
    let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
    assert_eq!(shop.buy(1, cart).await.unwrap().status, CheckoutStatus::Confirmed);
    assert!(Findings::of(&shop).await.unwrap().hold());

    let cache = RedisCache::open(url, patient()).unwrap();
    let key = CacheKey::new("catalog", "product", "mug", "detail").unwrap();
    assert_eq!(cache.get(&key).await.unwrap().entry(), None);

    let broker = RedisBroker::open(url, fresh()).await.unwrap();
    let member = broker.subscribe("group", ["order-events"]).waiting_for(Duration::from_millis(50));
    publish(&broker, 0..1).await;
    assert_eq!(drain(&member).await, vec![message("order-events", 0)]);

    LiveUpdates::at(url, fresh()).unwrap().follow([LiveChannel::Stock], None).await.unwrap();
}

/// What is not trusted is not spoken to, and nobody is told the password.
async fn nobody_is_trusted(url: &str) {
    let Err(OpenError::Port(refused)) = RedisStore::open(url, fresh()).await else { panic!("it is trusted") };
    assert_eq!(refused.kind, PortErrorKind::Unavailable);
    let text = format!("{refused} {refused:?}");
    assert!(!text.contains("hunter2") && !text.contains("127.0.0.1"), "{text}");
    let settings = SideSettings::for_shop("mugs").unwrap();
    let cache = RedisCache::open(url, settings).unwrap();
    cache.ping().await.unwrap_err();
}

#[test]
fn everything_runs_over_tls_with_an_authority_that_is_trusted() {
    // The authorities that rustls trusts are read from the environment of a process, once it is there.
    if let Ok(url) = env::var(ADDRESS) {
        return on_runtime(everything_runs(&url));
    }
    let folder = env::temp_dir().join(format!("commerce-tls-{}", std::process::id()));
    certificates(&folder);
    let (_server, url) = start(&folder);
    let trusting = Command::new(env::current_exe().unwrap())
        .args(["everything_runs_over_tls_with_an_authority_that_is_trusted", "--exact", "--nocapture"])
        .env("SSL_CERT_FILE", folder.join("authority.pem"))
        .env(ADDRESS, &url)
        .status();
    on_runtime(nobody_is_trusted(&url));
    let plain = url.replace("rediss:", "redis:");
    on_runtime(async { RedisStore::open(&plain, fresh()).await.map(drop) }).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(trusting.unwrap().success(), "see what the process has written above");
}
