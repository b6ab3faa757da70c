//! A shop on Redis, which does one errand of a kill test and is killed at it:
//! `shop_on_redis URL SHOP` and the arguments of the errand.

use commerce_tests_servers::{Failure, errand, on_redis};

fn main() -> Result<(), Failure> {
    errand(|url, shop, clock| async move { on_redis(&url, &shop, clock).await })
}
