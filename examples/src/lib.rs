//! Runnable hosts: see the `[[example]]` entries. The code of the README and of the guides runs as this
//! crate's doctests.

pub mod backend;

#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
struct Readme;

#[doc = include_str!("../../docs/guide/test-your-shop.md")]
#[cfg(doctest)]
struct TestYourShop;
