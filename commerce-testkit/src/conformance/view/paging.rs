//! Checks of orders and pages.

use commerce_core::port::view::{Change, Cursor, FieldValue, MAX_VIEW_PAGE, Sort, ViewError, ViewQuery};

use super::super::outcome::{Outcome, equal, holds, present};
use super::data::{VIEW, at, ids, sorted, step, thing, with};
use super::fixture::ViewFixture;

fn expect(what: &str, found: &[std::sync::Arc<str>], ids: &[&str]) -> Outcome {
    equal(what, found.iter().map(|id| &**id).collect::<Vec<_>>(), ids.to_vec())
}

pub(crate) async fn view_is_sorted_by_a_field(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "B", 30), thing("b", "C", -10), thing("c", "A", 20)]).await?;
    expect("by a number", &sorted(f, Sort::ascending("rank")).await?, &["b", "c", "a"])?;
    expect("by a text", &sorted(f, Sort::ascending("name")).await?, &["c", "a", "b"])
}

pub(crate) async fn view_is_sorted_downwards(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "B", 30), thing("b", "C", -10), thing("c", "A", 20)]).await?;
    expect("by a number", &sorted(f, Sort::descending("rank")).await?, &["a", "c", "b"])?;
    expect("by a text", &sorted(f, Sort::descending("name")).await?, &["b", "a", "c"])
}

pub(crate) async fn view_texts_are_sorted_by_their_bytes(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "b", 1), thing("b", "B", 2), thing("c", "ä", 3), thing("d", "a-c", 4)]).await?;
    expect("by a text", &sorted(f, Sort::ascending("name")).await?, &["b", "d", "a", "c"])?;
    with_ids(f).await?;
    expect("by id", &sorted(f, Sort::default()).await?, &["B", "Z", "a", "b", "c", "d", "ä"])
}

async fn with_ids(f: &ViewFixture) -> Outcome {
    let more = ["ä", "Z", "B"].map(|id| Change::Put(thing(id, "x", 9)));
    Ok(f.views().write(step(1, at(1), at(2), more.to_vec())).await?)
}

pub(crate) async fn view_equal_ones_are_sorted_by_id(f: &ViewFixture) -> Outcome {
    with(f, ["c", "a", "d", "b"].map(|id| thing(id, "same", 1))).await?;
    expect("upwards", &sorted(f, Sort::ascending("rank")).await?, &["a", "b", "c", "d"])?;
    expect("downwards", &sorted(f, Sort::descending("rank")).await?, &["d", "c", "b", "a"])
}

pub(crate) async fn view_pages_join(f: &ViewFixture) -> Outcome {
    let documents = (0..25_u32).map(|number| thing(&format!("d{number:02}"), "x", i64::from(number / 4)));
    with(f, documents.collect::<Vec<_>>()).await?;
    for sort in [Sort::default(), Sort::ascending("rank"), Sort::descending("rank")] {
        let whole = sorted(f, sort.clone()).await?;
        let (mut after, mut seen) = (None, Vec::new());
        for _ in 0..30 {
            let page = f.views().find(ViewQuery::new(VIEW, 7).sorted(sort.clone()).behind(after)).await?;
            seen.extend(page.documents.iter().map(|document| document.id.clone()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        equal("the pages together", seen, whole)?;
    }
    Ok(())
}

pub(crate) async fn view_page_begins_behind_what_is_gone(f: &ViewFixture) -> Outcome {
    with(f, ["a", "b", "c"].map(|id| thing(id, id, 1))).await?;
    let page = f.views().find(ViewQuery::new(VIEW, 2).sorted(Sort::ascending("name"))).await?;
    let next = present("a cursor", page.next)?;
    f.views().write(step(1, at(1), at(2), vec![Change::Remove("b".into())])).await?;
    let query = ViewQuery::new(VIEW, 2).sorted(Sort::ascending("name")).behind(Some(next));
    equal("the rest", ids(&f.views().find(query).await?), vec!["c"])
}

pub(crate) async fn view_page_has_at_most_its_limit(f: &ViewFixture) -> Outcome {
    with(f, ["a", "b", "c"].map(|id| thing(id, id, 1))).await?;
    let page = f.views().find(ViewQuery::new(VIEW, 2)).await?;
    equal("the page", ids(&page), vec!["a", "b"])?;
    equal("a page of nothing", ids(&f.views().find(ViewQuery::new(VIEW, 0)).await?), Vec::<&str>::new())
}

pub(crate) async fn view_page_is_bounded(f: &ViewFixture) -> Outcome {
    let many = MAX_VIEW_PAGE + 5;
    with(f, (0..many).map(|number| thing(&format!("{number:05}"), "x", 1)).collect::<Vec<_>>()).await?;
    let page = f.views().find(ViewQuery::new(VIEW, u32::MAX)).await?;
    equal("documents of the largest page", page.documents.len(), MAX_VIEW_PAGE as usize)?;
    holds("more are said to follow", page.next.is_some())
}

pub(crate) async fn view_page_tells_whether_more_follow(f: &ViewFixture) -> Outcome {
    with(f, ["a", "b", "c"].map(|id| thing(id, id, 1))).await?;
    let next = |limit| {
        let query = ViewQuery::new(VIEW, limit).sorted(Sort::ascending("name"));
        async move { f.views().find(query).await.map(|page| page.next) }
    };
    let cursor = Cursor { value: Some(FieldValue::text("b")), id: "b".into() };
    equal("behind two of three", next(2).await?, Some(cursor))?;
    equal("behind more than there are", next(4).await?, None)
}

pub(crate) async fn view_cursor_has_to_fit(f: &ViewFixture) -> Outcome {
    with(f, ["a", "b"].map(|id| thing(id, id, 1))).await?;
    let cursor = |value| Some(Cursor { value, id: "a".into() });
    let wrong = [
        (Sort::ascending("rank"), cursor(Some(FieldValue::text("a")))),
        (Sort::ascending("rank"), cursor(None)),
        (Sort::default(), cursor(Some(FieldValue::Integer(1)))),
    ];
    for (sort, after) in wrong {
        let shown = format!("{after:?} does not fit {sort:?}");
        let page = f.views().find(ViewQuery::new(VIEW, 1).sorted(sort).behind(after)).await;
        holds(&shown, matches!(page, Err(ViewError::Invalid(_))))?;
    }
    Ok(())
}
