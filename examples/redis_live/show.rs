//! A screen in the warehouse: stock and orders as they change.

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_adapters_redis::{LiveChannel, LiveEvent, LiveId, LiveUpdate, LiveUpdates, Settings};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::Outcome;

/// Behind so many updates the screen is switched off for a moment.
const AWAY_BEHIND: u32 = 12;

/// What the screen knows.
#[derive(Debug, Default)]
struct Screen {
    available: BTreeMap<String, i64>,
    numbers: BTreeMap<String, String>,
    orders: BTreeMap<String, String>,
}

/// Shows everything from the first update that is kept on, until a line comes in: to the update that it names.
pub(crate) async fn show(address: &str, settings: Settings) -> Outcome<()> {
    let updates = LiveUpdates::at(address, settings)?;
    let mut follower = updates.follow(LiveChannel::ALL, Some(LiveId::START)).await?;
    let (mut screen, mut shown) = (Screen::default(), 0_u32);
    let mut told = line();
    let mut end = None;
    while end.is_none_or(|end| follower.last_event_id() < end) {
        let event = tokio::select! {
            event = follower.next() => event?,
            line = &mut told, if end.is_none() => {
                // Without a number, all that was shown is enough.
                end = Some(line?.trim().parse().unwrap_or_default());
                continue;
            }
        };
        match event {
            LiveEvent::Update(update) => screen.show(&update)?,
            _ => println!("some updates are no longer kept: what is shown has to be read anew"),
        }
        shown = shown.saturating_add(1);
        if shown == AWAY_BEHIND {
            println!("-- switched off; goes on behind the last update --");
            let last = follower.last_event_id();
            drop(follower);
            tokio::time::sleep(Duration::from_millis(200)).await;
            follower = updates.follow(LiveChannel::ALL, Some(last)).await?;
        }
    }
    screen.sum_up();
    Ok(())
}

/// The first line of the standard input.
fn line() -> oneshot::Receiver<String> {
    let (send, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        drop(read.map(|_| send.send(line)));
    });
    told
}

impl Screen {
    fn show(&mut self, update: &LiveUpdate) -> Outcome<()> {
        let body: Value = serde_json::from_str(&update.body)?;
        let text = |of: &Value, name: &str| {
            of.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(format!("{name} is missing"))
        };
        if update.channel == LiveChannel::Orders {
            let (order, status) = (text(&body, "order")?, text(&body, "status")?);
            if let Ok(number) = text(&body, "number") {
                self.numbers.insert(order.clone(), number);
            }
            let number = self.numbers.get(&order).ok_or("an order is placed first")?;
            println!("order {number}: {status}");
            self.orders.insert(number.clone(), status);
            return Ok(());
        }
        if let Some(available) = body.get("available").and_then(Value::as_i64) {
            let sku = text(&body, "sku")?;
            let low = if &*update.name == "LowStockAlert" { ": time to order more" } else { "" };
            println!("{sku}: {available} available{low}");
            self.available.insert(sku, available);
        }
        for line in body.get("lines").and_then(Value::as_array).into_iter().flatten() {
            let deed = match &*update.name {
                "InventoryReserved" => "reserved",
                "InventoryCommitted" => "promised",
                "InventoryConsumed" => "gone",
                _ => "given back",
            };
            println!("{}: {} {deed}", text(line, "sku")?, line.get("quantity").unwrap_or(&Value::Null));
        }
        Ok(())
    }

    fn sum_up(&self) {
        println!("\nAt the end:");
        for (sku, available) in &self.available {
            println!("  {sku}: {available} available");
        }
        for (number, status) in &self.orders {
            println!("  order {number}: {status}");
        }
    }
}
