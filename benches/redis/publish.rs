//! Batches published through the broker beside pipelines of `XADD` with the same fields.

use std::sync::Arc;

use commerce_adapters_redis::redis::aio::ConnectionManager;
use commerce_adapters_redis::{RedisBroker, redis};
use commerce_benches::order::Order;
use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{Outgoing, Publisher};

use crate::rate::{Way, compare};
use crate::server::{SHOP, Server, settings};

pub(crate) const TOPIC: &str = "order-events";

/// The stream of the topic.
pub(crate) fn stream() -> String {
    format!("{{{SHOP}}}:topic:{TOPIC}")
}

/// Messages of 600 bytes.
pub(crate) fn batch(size: u64) -> Vec<Outgoing> {
    let message = |number| {
        let order = Order::new(number);
        Outgoing {
            id: EventId::from_uuid(order.id(2)).unwrap(),
            topic: TOPIC.into(),
            key: "order.placed".into(),
            ordering: format!("order:{}", order.id(1)).into(),
            body: order.data().into(),
        }
    };
    (1..=size).map(message).collect()
}

pub(crate) async fn print(server: &Server) {
    let broker = RedisBroker::open(&server.url(), settings(SHOP)).await.unwrap();
    let connection = server.connection().await;
    for size in [100, 500] {
        println!(
            "\nMessages of 600 bytes per second, published in batches of {size}: raw 1 is a pipeline of XADD\n"
        );
        let messages: Arc<[Outgoing]> = batch(size).into();
        let raw = format!("{{{SHOP}}}:raw");
        let grown = [stream(), raw.clone()];
        let ways = [pipelined(&connection, raw, messages.clone()), through(&broker, messages)];
        compare(server, &ways, 1, &[1, 4], &grown).await;
    }
}

fn pipelined(connection: &ConnectionManager, stream: String, messages: Arc<[Outgoing]>) -> Way {
    let ids: Arc<[String]> = messages.iter().map(|message| message.id.to_string()).collect();
    let with = (connection.clone(), Arc::<str>::from(stream), messages, ids);
    Way::new("XADD, pipelined", move |_| {
        let (mut connection, stream, messages, ids) = with.clone();
        async move {
            let mut pipe = redis::pipe();
            for (message, id) in messages.iter().zip(&*ids) {
                let command = pipe.cmd("XADD").arg(&*stream).arg("*").arg("id").arg(id);
                command.arg("key").arg(&*message.key).arg("ordering").arg(&*message.ordering);
                command.arg("body").arg(&*message.body).ignore();
            }
            let () = pipe.query_async(&mut connection).await.unwrap();
            messages.len() as u64
        }
    })
}

fn through(broker: &RedisBroker, messages: Arc<[Outgoing]>) -> Way {
    let broker = broker.clone();
    Way::new("RedisBroker::publish", move |_| {
        let (broker, messages) = (broker.clone(), messages.clone());
        async move {
            broker.publish(messages.to_vec()).await.unwrap();
            messages.len() as u64
        }
    })
}
