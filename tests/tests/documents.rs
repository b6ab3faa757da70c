//! The tables in the documents are those of the code.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::fs;
use std::path::Path;

fn architecture() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_order_table_is_generated() {
    let table = commerce_core::orders::lifecycle::markdown();
    assert!(
        table.lines().count() > 2 && architecture().contains(&table),
        "put this into ARCHITECTURE.md:\n{table}"
    );
}

#[test]
fn the_step_table_is_generated() {
    let table = commerce_core::checkout::machine::markdown();
    assert!(
        table.lines().count() > 2 && architecture().contains(&table),
        "put this into ARCHITECTURE.md:\n{table}"
    );
}
