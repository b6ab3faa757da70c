//! A topic read to its end by members of a group, beside `XREADGROUP` and `XACK` on the same stream.

use commerce_adapters_redis::redis::aio::ConnectionManager;
use commerce_adapters_redis::{RedisBroker, redis};
use commerce_core::port::publisher::Publisher;
use commerce_core::port::subscriber::Subscriber;

use crate::publish::{TOPIC, batch, stream};
use crate::rate::{Figure, ROUNDS, Watch, heading, rows};
use crate::server::{SHOP, Server, settings};

/// How many messages there are.
const MESSAGES: u64 = 50_000;
/// How many are received at once.
const AT_ONCE: usize = 100;

/// How entries are read and acknowledged.
#[derive(Clone, Copy)]
enum Way {
    /// `XREADGROUP`, then a pipeline of `XACK`, one for each.
    Each,
    /// `XREADGROUP`, then one `XACK` of all.
    All,
    /// Through the broker.
    Broker,
}

pub(crate) async fn print(server: &Server) {
    let broker = RedisBroker::open(&server.url(), settings(SHOP)).await.unwrap();
    let messages = batch(500);
    for _ in 0..MESSAGES / 500 {
        broker.publish(messages.clone()).await.unwrap();
    }
    println!(
        "\nMessages of 600 bytes per second, received and acknowledged {AT_ONCE} at a time: raw 1 is XREADGROUP"
    );
    println!("and a pipeline of XACK, raw 2 is XREADGROUP and one XACK\n");
    heading(2);
    let names = ["XREADGROUP, pipelined XACK", "XREADGROUP, one XACK", "receive, acknowledge"];
    let bench = Bench { server, connection: server.connection().await, broker };
    bench.drain("warm".to_owned(), Way::Broker, 1).await;
    for tasks in [1, 4] {
        let mut rounds = Vec::new();
        for number in 0..ROUNDS {
            let mut round = Vec::new();
            for (index, way) in [Way::Each, Way::All, Way::Broker].into_iter().enumerate() {
                round.push(bench.drain(format!("group-{tasks}-{number}-{index}"), way, tasks).await);
            }
            rounds.push(round);
        }
        rows(&names, 2, tasks, &rounds);
    }
}

struct Bench<'b> {
    server: &'b Server,
    connection: ConnectionManager,
    broker: RedisBroker,
}

impl Bench<'_> {
    /// A new group reads everything; it is gone afterwards.
    async fn drain(&self, group: String, way: Way, tasks: u64) -> Figure {
        let mut connection = self.connection.clone();
        let mut create = redis::cmd("XGROUP");
        create.arg("CREATE").arg(stream()).arg(&group).arg("0");
        let () = create.query_async(&mut connection).await.unwrap();
        let watch = Watch::start(self.server);
        let members: Vec<_> = (0..tasks)
            .map(|member| {
                let (connection, broker, group) = (connection.clone(), self.broker.clone(), group.clone());
                tokio::spawn(async move {
                    match way {
                        Way::Broker => through(&broker, &group).await,
                        _ => raw(connection, &group, &format!("member-{member}"), way).await,
                    }
                })
            })
            .collect();
        let mut read = 0;
        for member in members {
            read += member.await.unwrap();
        }
        let figure = watch.stop(self.server, read);
        assert_eq!(read, MESSAGES);
        let destroy = redis::cmd("XGROUP").arg("DESTROY").arg(stream()).arg(&group).to_owned();
        let () = destroy.query_async(&mut connection).await.unwrap();
        figure
    }
}

async fn through(broker: &RedisBroker, group: &str) -> u64 {
    let member = broker.subscribe(group, [TOPIC]);
    let mut read = 0;
    loop {
        let received = member.receive(AT_ONCE).await.unwrap();
        if received.is_empty() {
            return read;
        }
        read += received.len() as u64;
        let receipts = received.into_iter().map(|incoming| incoming.receipt).collect();
        member.acknowledge(receipts).await.unwrap();
    }
}

/// A stream, and its entries: each has a number, fields and values.
type Answer = Option<Vec<(String, Vec<(String, Vec<Vec<u8>>)>)>>;

async fn raw(mut connection: ConnectionManager, group: &str, member: &str, way: Way) -> u64 {
    let (stream, mut read) = (stream(), 0);
    let mut receive = redis::cmd("XREADGROUP");
    receive
        .arg("GROUP")
        .arg(group)
        .arg(member)
        .arg("COUNT")
        .arg(AT_ONCE)
        .arg("STREAMS")
        .arg(&stream)
        .arg(">");
    loop {
        let answer: Answer = receive.query_async(&mut connection).await.unwrap();
        let entries = answer.into_iter().flatten().flat_map(|(_, entries)| entries);
        let ids: Vec<String> = entries.map(|(id, _)| id).collect();
        if ids.is_empty() {
            return read;
        }
        read += ids.len() as u64;
        let mut pipe = redis::pipe();
        let at_once = if matches!(way, Way::Each) { 1 } else { ids.len() };
        for ids in ids.chunks(at_once) {
            pipe.cmd("XACK").arg(&stream).arg(group).arg(ids).ignore();
        }
        let () = pipe.query_async(&mut connection).await.unwrap();
    }
}
