//! Counts in a store until it is killed: `custom_store_conformance FOLDER` prints every number behind the
//! commit that holds it, and goes on where it was when it is started again.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;

use commerce_adapters_memory::SystemClock;
use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::pool::PoolOp;
use commerce_core::port::store::Store;
use commerce_testkit::build::{Draft, pool, stream};
use custom_store_conformance::FileStore;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let store = FileStore::open(Path::new(&folder), Arc::new(SystemClock))?;
    let counted = Load { pools: vec![pool("counted")], ..Load::default() };
    let levels = pollster::block_on(store.load(counted))?.pools;
    let counter = stream("counter");
    for number in u64::try_from(levels.first().map_or(0, |level| level.available))?.. {
        let commit = Commit::default().appends(&counter, number, 1).moves("counted", PoolOp::Supply(1));
        let name = format!("number-{number}");
        pollster::block_on(store.commit(commit.claims(&name, &counter).marked(&name)))?;
        writeln!(stdout(), "{}", number + 1)?;
    }
    Ok(())
}
