//! A shop on PostgreSQL, which does one errand of a kill test and is killed at it:
//! `shop_on_postgres URL SCHEMA` and the arguments of the errand.

use commerce_tests_servers::{Failure, errand, on_postgres};

fn main() -> Result<(), Failure> {
    errand(|url, schema, clock| async move { on_postgres(&url, &schema, clock).await })
}
