//! Two processes: one sells, one shows stock and the status of orders as they change.
//!
//! `cargo run --example redis_live --features redis` starts a Redis server of its own and both processes, and ends
//! when everything that was sold was shown. By hand, on a server that is there:
//!
//! ```sh
//! redis_live show --store redis://localhost/     # until Enter is pressed
//! redis_live sell --store redis://localhost/     # in another terminal, once for each --shop NAME
//! ```
#![allow(clippy::print_stdout)] // an example is there to be read

mod sell;
mod server;
mod show;

use std::error::Error;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use commerce_adapters_redis::{LiveChannel, LiveUpdates, Settings};
use commerce_examples::backend::{address, argument};
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let runtime = Runtime::new()?;
    let shop = argument("--shop").unwrap_or_else(|| "live-example".to_owned());
    let settings = Settings::for_shop(&shop)?;
    let store = || address().ok_or("--store redis://… says where");
    match std::env::args().nth(1).as_deref() {
        Some("sell") => runtime.block_on(sell::sell(&store()?, settings)),
        Some("show") => runtime.block_on(show::show(&store()?, settings)),
        _ => demonstrate(&runtime),
    }
}

/// Both processes, on a server of their own or on the one that `--store` names.
fn demonstrate(runtime: &Runtime) -> Outcome<()> {
    let own = if address().is_none() { Some(server::Server::start()?) } else { None };
    let address = own.as_ref().map(server::Server::address).or_else(address).unwrap_or_default();
    // A shop that nobody has used.
    let since = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
    let shop = format!("live-example-{}-{since}", std::process::id());
    let start = |role: &str, input: Stdio, output: Stdio| -> Outcome<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([role, "--store", &address, "--shop", &shop]);
        Ok(command.stdin(input).stdout(output).spawn()?)
    };
    let mut show = start("show", Stdio::piped(), Stdio::inherit())?;
    let sold = start("sell", Stdio::null(), Stdio::piped())?.wait_with_output()?;
    // Whoever follows from now on has the last update behind them: so far the other process has to show.
    let settings = Settings::for_shop(&shop)?;
    let end = runtime.block_on(async {
        let updates = LiveUpdates::at(&address, settings)?;
        let follower = updates.follow(LiveChannel::ALL, None).await?;
        Ok::<_, Box<dyn Error + Send + Sync>>(follower.last_event_id())
    })?;
    if let Some(mut input) = show.stdin.take() {
        writeln!(input, "{end}")?;
    }
    let shown = show.wait()?;
    print!("\n{}", String::from_utf8(sold.stdout)?);
    if shown.success() && sold.status.success() { Ok(()) } else { Err("a process failed".into()) }
}
