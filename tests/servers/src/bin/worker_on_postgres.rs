//! Background work on PostgreSQL, which is killed at it: `worker_on_postgres URL SCHEMA WORK PROCESS`.

use commerce_tests_servers::Failure;
use commerce_tests_servers::worker::work;
use tokio::runtime::Runtime;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    Runtime::new()?.block_on(work(&arguments))
}
