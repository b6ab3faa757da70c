//! Checks of filters and of the search.

use commerce_core::port::view::{
    Document, FacetQuery, FieldValue, Filter, Selection, Sort, ViewError, ViewQuery,
};

use super::super::outcome::{Failure, Outcome, equal, holds};
use super::data::{VIEW, moment, selected, thing, with};
use super::fixture::ViewFixture;

fn only(filter: Filter) -> Selection {
    Selection::default().and(filter)
}

fn text(value: &str) -> FieldValue {
    FieldValue::text(value)
}

/// Four things: two of a kind, one without; tags, moments and flags.
fn things() -> [Document; 4] {
    [
        thing("a", "Green tea", 1)
            .with("kind", text("tea"))
            .with("tags", FieldValue::texts(["bio", "hot"]))
            .with("at", moment(100))
            .with("fine", FieldValue::Flag(true))
            .searched("Grüner Tee aus Uji, 250g"),
        thing("b", "Black tea", 2)
            .with("kind", text("tea"))
            .with("tags", FieldValue::texts(["hot"]))
            .with("at", moment(200))
            .with("fine", FieldValue::Flag(false))
            .searched("Schwarzer Tee, Teebeutel"),
        thing("c", "Coffee", 3).with("kind", text("coffee")).with("at", moment(300)).searched("Kaffee"),
        thing("d", "Water", 4),
    ]
}

async fn expect(f: &ViewFixture, what: &str, selection: Selection, ids: &[&str]) -> Outcome {
    let found = selected(f, selection).await?;
    equal(what, found.iter().map(|id| &**id).collect::<Vec<_>>(), ids.to_vec())
}

pub(crate) async fn view_filter_is(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    expect(f, "a text", only(Filter::Is("kind".into(), text("tea"))), &["a", "b"]).await?;
    expect(f, "a number", only(Filter::Is("rank".into(), FieldValue::Integer(3))), &["c"]).await?;
    expect(f, "a moment", only(Filter::Is("at".into(), moment(200))), &["b"]).await?;
    expect(f, "a flag", only(Filter::Is("fine".into(), FieldValue::Flag(false))), &["b"]).await?;
    let several = FieldValue::texts(["bio", "hot"]);
    expect(f, "exactly these texts", only(Filter::Is("tags".into(), several)), &["a"]).await?;
    expect(f, "another case", only(Filter::Is("kind".into(), text("Tea"))), &[]).await
}

pub(crate) async fn view_filter_finds_one_of_several_texts(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    expect(f, "a text among others", only(Filter::Is("tags".into(), text("hot"))), &["a", "b"]).await?;
    let one_of = Filter::OneOf("tags".into(), vec![text("bio"), text("cold")]);
    expect(f, "one of two texts", only(one_of), &["a"]).await
}

pub(crate) async fn view_filter_one_of(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let kinds = vec![text("coffee"), text("tea"), text("wine")];
    expect(f, "texts", only(Filter::OneOf("kind".into(), kinds)), &["a", "b", "c"]).await?;
    let ranks = vec![FieldValue::Integer(4), FieldValue::Integer(1)];
    expect(f, "numbers", only(Filter::OneOf("rank".into(), ranks)), &["a", "d"]).await?;
    expect(f, "one of nothing", only(Filter::OneOf("rank".into(), Vec::new())), &[]).await
}

pub(crate) async fn view_filter_at_least(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let least = Filter::AtLeast("rank".into(), FieldValue::Integer(3));
    expect(f, "a number and above", only(least), &["c", "d"]).await?;
    expect(f, "a moment and later", only(Filter::AtLeast("at".into(), moment(200))), &["b", "c"]).await
}

pub(crate) async fn view_filter_below(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let below = Filter::Below("rank".into(), FieldValue::Integer(3));
    expect(f, "below a number", only(below), &["a", "b"]).await?;
    expect(f, "before a moment", only(Filter::Below("at".into(), moment(300))), &["a", "b"]).await?;
    // By bytes, capitals come before small letters.
    let name = Filter::Below("name".into(), text("a"));
    expect(f, "texts by their bytes", only(name), &["a", "b", "c", "d"]).await
}

pub(crate) async fn view_filters_hold_together(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let both = only(Filter::Is("kind".into(), text("tea")))
        .and(Filter::AtLeast("rank".into(), FieldValue::Integer(2)))
        .matching("tee");
    expect(f, "two filters and a word", both, &["b"]).await
}

pub(crate) async fn view_search_finds_beginnings_of_words(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let words = |words: &str| Selection::default().matching(words);
    expect(f, "a word", words("tee"), &["a", "b"]).await?;
    expect(f, "the beginning of a word, in another case", words("GRÜN"), &["a"]).await?;
    expect(f, "letters and digits", words("250"), &["a"]).await?;
    expect(f, "the middle of a word", words("beutel"), &[]).await?;
    expect(f, "a text without the word", words("water"), &[]).await
}

pub(crate) async fn view_search_needs_every_word(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let words = |words: &str| Selection::default().matching(words);
    expect(f, "two words", words("tee schwarz"), &["b"]).await?;
    expect(f, "words of two documents", words("tee kaffee"), &[]).await?;
    expect(f, "signs are no words", words("tee' & !\"(uji:*"), &["a"]).await?;
    expect(f, "no word at all", words(" - "), &["a", "b", "c", "d"]).await
}

pub(crate) async fn view_question_has_to_fit(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let wrong = [
        only(Filter::Is("colour".into(), text("red"))),
        only(Filter::Is("rank".into(), text("1"))),
        only(Filter::OneOf("rank".into(), vec![text("1")])),
        only(Filter::AtLeast("tags".into(), FieldValue::texts(["a"]))),
        only(Filter::Below("at".into(), FieldValue::Integer(1))),
    ];
    for selection in wrong {
        let shown = format!("{selection:?} is refused");
        let page = f.views().find(ViewQuery::new(VIEW, 1).selecting(selection.clone())).await;
        invalid(&shown, &page)?;
        let fields = vec!["kind".into()];
        invalid(
            &shown,
            &f.views().facets(FacetQuery { view: VIEW.into(), selection, fields, limit: 1 }).await,
        )?;
    }
    for field in ["colour", "kind", "tags"] {
        let query = ViewQuery::new(VIEW, 1).sorted(Sort::ascending(field));
        invalid(&format!("sorting by {field} is refused"), &f.views().find(query).await)?;
    }
    let fields = vec!["colour".into()];
    let selection = Selection::default();
    let facets = f.views().facets(FacetQuery { view: VIEW.into(), selection, fields, limit: 1 }).await;
    invalid("counting an unknown field is refused", &facets)
}

fn invalid<T>(what: &str, result: &Result<T, ViewError>) -> Result<(), Failure> {
    holds(what, matches!(result, Err(ViewError::Invalid(_))))
}
