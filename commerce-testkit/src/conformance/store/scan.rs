//! Scans: every row of a table once, ascending by the text of its key.

use std::fmt::Debug;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::mark::{Mark, MarkKey};
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::timer::TimerKey;
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::port::store::{MAX_PAGE, Row, Table};

use super::pool::level;
use crate::build::{Draft, mark, pool, stream, stream_of, subject};
use crate::conformance::Failure;
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Outcome, equal, holds};
use crate::fake::START;

/// All rows of a table in pages of two.
async fn paged(f: &Fixture, table: Table) -> Result<Vec<Row>, Failure> {
    let (mut rows, mut after): (Vec<Row>, Option<String>) = (Vec::new(), None);
    loop {
        let page = f.store().scan(table, after.as_deref(), 2).await?;
        holds("a page has at most as many rows as were asked for", page.len() <= 2)?;
        let Some(last) = page.last() else { return Ok(rows) };
        let behind = Some(last.text());
        holds("the next page is behind this one", behind > after)?;
        after = behind;
        rows.extend(page);
    }
}

/// Whole and in pages, these rows in the order of their texts.
async fn gives(f: &Fixture, table: Table, mut expected: Vec<Row>) -> Outcome {
    expected.sort_by_key(Row::text);
    let names = |rows: &[Row]| rows.iter().map(Row::text).collect::<Vec<_>>();
    let whole = f.rows(table).await?;
    equal("the order of a table", names(&whole), names(&expected))?;
    same(whole, &expected)?;
    same(paged(f, table).await?, &expected)
}

fn same<T: PartialEq + Debug>(actual: Vec<T>, expected: &[T]) -> Outcome {
    equal("rows", actual, expected)
}

pub(crate) async fn scan_gives_keys(f: &Fixture) -> Outcome {
    let (s, alice) = (stream("s"), Some(subject("alice")));
    // As text `a-b/x` comes before `a/y`, as a pair of scope and key behind it.
    let keys = [("a", "y", None), ("a-b", "x", alice), ("a", "B", None), ("B", "z", alice), ("a", "b", None)];
    let row = |(scope, key, subject)| UniqueKey { key: Key::new(scope, key), owner: s.clone(), subject };
    let rows: Vec<UniqueKey> = keys.into_iter().map(row).collect();
    f.commit(rows.iter().cloned().fold(Commit::default(), Draft::claiming)).await?;
    gives(f, Table::Keys, rows.into_iter().map(Row::Key).collect()).await
}

pub(crate) async fn scan_gives_pools(f: &Fixture) -> Outcome {
    let names = ["b", "B", "a:b", "a-b", "a"];
    let commit = names.iter().fold(Commit::default(), |commit, name| commit.moves(name, PoolOp::Supply(7)));
    f.commit(commit).await?;
    f.commit(Commit::default().moves("a", PoolOp::Hold(2))).await?;
    let of = |name: &str| if name == "a" { level(5, 2, 0, 0) } else { level(7, 0, 0, 0) };
    gives(f, Table::Pools, names.map(|name| Row::Pool(pool(name), of(name))).to_vec()).await
}

pub(crate) async fn scan_gives_timers(f: &Fixture) -> Outcome {
    let (mut commit, mut rows) = (Commit::default(), Vec::new());
    for (kind, name) in [("order", "b"), ("order", "a"), ("order-line", "a"), ("cart", "a"), ("Z", "a")] {
        let s = stream_of(kind, "x");
        commit = commit.sets(&s, name, START);
        rows.push(Row::Timer(TimerKey::new(s, name), START));
    }
    f.commit(commit).await?;
    gives(f, Table::Timers, rows).await
}

pub(crate) async fn scan_gives_marks(f: &Fixture) -> Outcome {
    let mut rows = Vec::new();
    for (scope, id) in [("a", "y"), ("a-b", "x"), ("a", "B"), ("B", "z"), ("a", "b")] {
        let mark = Mark { key: MarkKey::new(scope, id), ..mark(id) };
        let position = f.commit(Commit { mark: Some(mark.clone()), ..Commit::default() }).await?;
        let Mark { key, fingerprint, result } = mark;
        rows.push(Row::Mark(key, commerce_core::kernel::mark::Handled { fingerprint, result, position }));
    }
    gives(f, Table::Marks, rows).await
}

pub(crate) async fn scan_of_an_empty_table_is_empty(f: &Fixture) -> Outcome {
    for table in [Table::Keys, Table::Pools, Table::Timers, Table::Marks] {
        equal("an empty table", f.rows(table).await?, vec![])?;
    }
    Ok(())
}

pub(crate) async fn scan_goes_on_behind_a_row_that_is_gone(f: &Fixture) -> Outcome {
    let s = stream("s");
    f.commit(["a", "b", "c"].iter().fold(Commit::default(), |commit, name| commit.claims(name, &s))).await?;
    f.commit(Commit::default().releases("b", &s)).await?;
    let rows = f.store().scan(Table::Keys, Some("conformance/b"), 9).await?;
    equal(
        "rows behind a key that is gone",
        rows.iter().map(Row::text).collect::<Vec<_>>(),
        vec!["conformance/c"],
    )
}

pub(crate) async fn scan_page_is_bounded(f: &Fixture) -> Outcome {
    let mut commit = Commit::default();
    for number in 0..=MAX_PAGE {
        commit = commit.claims(&format!("{number:04}"), &stream("s"));
    }
    f.commit(commit).await?;
    let rows = f.store().scan(Table::Keys, None, u32::MAX).await?;
    holds("a page of a table has at most MAX_PAGE rows", !rows.is_empty() && rows.len() <= MAX_PAGE as usize)
}
