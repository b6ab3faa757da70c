//! Checks of facets.

use commerce_core::kernel::stream::{Label, Position};
use commerce_core::port::view::{
    Document, FacetCount, FacetQuery, Facets, FieldValue, Filter, MAX_FACET_VALUES, MAX_MATCHES, Selection,
};

use super::super::outcome::{Failure, Outcome, equal, holds};
use super::data::{VIEW, at, puts, schema, step, thing, with};
use super::fixture::ViewFixture;

async fn count(
    f: &ViewFixture,
    selection: Selection,
    fields: &[&'static str],
    limit: u32,
) -> Result<Facets, Failure> {
    let fields = fields.iter().map(|field| Label::from(*field)).collect();
    Ok(f.views().facets(FacetQuery { view: VIEW.into(), selection, fields, limit }).await?)
}

fn counted(values: &[(FieldValue, u64)]) -> Vec<FacetCount> {
    values.iter().map(|(value, count)| FacetCount { value: value.clone(), count: *count }).collect()
}

fn text(value: &str) -> FieldValue {
    FieldValue::text(value)
}

fn things() -> Vec<Document> {
    let kinds = ["tea", "coffee", "tea", "wine", "beer", "tea", "coffee"];
    let things = kinds.iter().zip(0_i64..).map(|(kind, number)| {
        let tags = if number % 2 == 0 { vec!["bio", "hot"] } else { vec!["hot"] };
        thing(&format!("d{number}"), "x", number % 3)
            .with("kind", text(kind))
            .with("tags", FieldValue::texts(tags))
    });
    things.chain([thing("z", "x", 0)]).collect()
}

pub(crate) async fn view_values_are_counted(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let facets = count(f, Selection::default(), &["kind", "rank"], 10).await?;
    equal("documents", (facets.matches, facets.more), (8, false))?;
    let kinds = counted(&[(text("tea"), 3), (text("coffee"), 2), (text("beer"), 1), (text("wine"), 1)]);
    let number = FieldValue::Integer;
    let ranks = counted(&[(number(0), 4), (number(1), 2), (number(2), 2)]);
    equal("the counts", facets.fields, vec![("kind".into(), kinds), ("rank".into(), ranks)])
}

pub(crate) async fn view_counts_follow_the_selection(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let selection = Selection::default().and(Filter::Is("rank".into(), FieldValue::Integer(0)));
    let facets = count(f, selection, &["kind"], 10).await?;
    equal("documents", facets.matches, 4)?;
    let kinds = counted(&[(text("coffee"), 1), (text("tea"), 1), (text("wine"), 1)]);
    equal("the counts", facets.fields, vec![("kind".into(), kinds)])
}

pub(crate) async fn view_texts_are_counted_one_by_one(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let facets = count(f, Selection::default(), &["tags"], 10).await?;
    equal("the counts", facets.fields, vec![("tags".into(), counted(&[(text("hot"), 7), (text("bio"), 4)]))])
}

pub(crate) async fn view_counts_are_limited(f: &ViewFixture) -> Outcome {
    with(f, things()).await?;
    let facets = count(f, Selection::default(), &["kind"], 3).await?;
    let kinds = counted(&[(text("tea"), 3), (text("coffee"), 2), (text("beer"), 1)]);
    equal("the most frequent", facets.fields, vec![("kind".into(), kinds)])
}

pub(crate) async fn view_counts_are_bounded(f: &ViewFixture) -> Outcome {
    let many = MAX_FACET_VALUES + 5;
    with(f, (0..many).map(|number| thing(&format!("{number}"), "x", number.into())).collect::<Vec<_>>())
        .await?;
    let facets = count(f, Selection::default(), &["rank"], u32::MAX).await?;
    let values = facets.fields.first().map_or(0, |(_, counts)| counts.len());
    equal("values of the longest answer", values, MAX_FACET_VALUES as usize)
}

pub(crate) async fn view_counting_ends_somewhere(f: &ViewFixture) -> Outcome {
    f.views().define(schema(1)).await?;
    let mut after = Position::START;
    for page in 0..=MAX_MATCHES / 1000 {
        let documents = (0..1000).map(|number| thing(&format!("{page}-{number}"), "x", 1));
        f.views().write(step(1, after, at(page + 1), puts(documents))).await?;
        after = at(page + 1);
    }
    let facets = count(f, Selection::default(), &["rank"], 10).await?;
    equal("documents that are looked at", facets.matches, MAX_MATCHES)?;
    holds("there are said to be more", facets.more)
}
