//! A message that no gateway has verified cannot be passed off as one.

use commerce_core::port::payment::{CallbackFact, VerifiedCallback};

fn forge(fact: CallbackFact) -> VerifiedCallback {
    VerifiedCallback { fact }
}

fn main() {}
