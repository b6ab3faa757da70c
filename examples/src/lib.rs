//! Runnable hosts: see the `[[example]]` entries. The README's code runs as this crate's doctests.

pub mod backend;

#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
struct Readme;
