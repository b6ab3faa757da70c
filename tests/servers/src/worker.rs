//! Background work in a process of its own, which tells every call before it makes it, so that it can be
//! killed in front of one or in the middle of it.

use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, PgViews, Schema, Settings};
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::views::OrderList;
use commerce_core::port::publisher::{Outgoing, PublishError, Publisher};
use commerce_core::port::store::Store;
use commerce_core::port::view::ViewStore;
use commerce_core::value::Code;
use commerce_core::value::actor::Actor;
use commerce_testkit::fake::{Clock, Ids, START, Sleeper};
use commerce_testkit::faulty::{Faults, Faulty};

use super::Failure;

/// How far apart the clocks of two processes are: the leases of a dead one are over for the next.
pub const APART: Duration = Duration::from_mins(2);
/// Small batches, so that there are many to be killed in.
const BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(24);

/// What a process works at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Publishes the log; every message is a line of its standard output.
    Relay,
    /// Fills the list of orders.
    Projection,
    /// Handles what is due.
    Timers,
}

impl Work {
    const ALL: [Self; 3] = [Self::Relay, Self::Projection, Self::Timers];
}

/// The store and the views in a schema of a PostgreSQL database, made where they are not there.
///
/// # Errors
///
/// Where the server does not answer.
pub async fn places(
    url: &str,
    schema: &str,
    clock: Clock,
) -> Result<(Arc<dyn Store>, Arc<dyn ViewStore>), Failure> {
    let settings = Settings::default().with_schema(Schema::new(schema)?);
    let store = PgStore::with_clock(PgConnectOptions::from_str(url)?, settings, Arc::new(clock));
    store.migrate().await?;
    let views = PgViews::on(&store);
    Ok((Arc::new(store), Arc::new(views)))
}

/// A line of the standard output, which outlives the process; goes on when it is told to by a line of the
/// standard input, so that it gets no further than it is meant to.
fn tell(line: &str) {
    let mut out = io::stdout().lock();
    // Where nobody listens any more the process is about to be killed.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    let _ = io::stdin().lock().read_line(&mut String::new());
}

/// A broker at the other end of the standard output.
#[derive(Debug)]
struct Lines;

#[async_trait]
impl Publisher for Lines {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        for message in batch {
            tell(&format!("message {}", message.id));
        }
        Ok(())
    }
}

/// Does the work that stands behind an address, a schema and the number of this process in its arguments, to
/// its end.
///
/// # Errors
///
/// Where the arguments make no sense, or the work cannot be done.
pub async fn work(arguments: &[String]) -> Result<(), Failure> {
    let [url, schema, work, process] = arguments else { return Err("URL SCHEMA WORK PROCESS".into()) };
    let work = Work::ALL.into_iter().find(|known| format!("{known:?}") == *work).ok_or("which work?")?;
    let process: u32 = process.parse()?;
    let clock = Clock::at(START.plus(Duration::from_hours(24)).plus(APART * process));
    let (store, views) = places(url, schema, clock.clone()).await?;
    let faults = Faults::none().watched(|call, _| tell(&format!("call {:?} {}", call.port, call.operation)));
    let platform = Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock)),
        ids: Arc::new(Ids::seeded(u64::from(process) + 1_000)),
    };
    let store: Faulty<dyn Store> = Faulty::on(store, faults.clone());
    let views: Faulty<dyn ViewStore> = Faulty::on(views, faults);
    let shop = Commerce::new(store, platform).acting_as(Actor::System);
    match work {
        Work::Relay => {
            let relay = shop.relay(Code::new("relay")?, Lines)?.in_batches_of(BATCH);
            while !relay.round().await?.end {}
        }
        Work::Projection => {
            let projector = shop.projector(OrderList, Arc::new(views))?;
            while !projector.round().await?.end {}
        }
        Work::Timers => while shop.run_due().await?.handled > 0 {},
    }
    tell("done");
    Ok(())
}
