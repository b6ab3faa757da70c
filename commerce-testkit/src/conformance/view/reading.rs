//! Checks of reads by id.

use commerce_core::kernel::stream::Position;
use commerce_core::port::view::{ViewError, ViewQuery};

use super::super::outcome::{Outcome, equal};
use super::data::{VIEW, at, ids, puts, schema, step, thing, with};
use super::fixture::ViewFixture;

pub(crate) async fn view_documents_come_in_the_order_of_their_ids(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1), thing("b", "B", 2), thing("c", "C", 3)]).await?;
    let asked = ["c", "a", "b"].map(Into::into).to_vec();
    let found = f.views().get(VIEW, None, asked).await?;
    let expected = vec![Some(thing("c", "C", 3)), Some(thing("a", "A", 1)), Some(thing("b", "B", 2))];
    equal("the documents", found, expected)
}

pub(crate) async fn view_document_that_is_not_there_is_none(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1)]).await?;
    let asked = ["x", "a", "y", "a"].map(Into::into).to_vec();
    let found = f.views().get(VIEW, None, asked).await?;
    let there = Some(thing("a", "A", 1));
    equal("the documents", found, vec![None, there.clone(), None, there])
}

pub(crate) async fn view_generation_can_be_named(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "old", 1)]).await?;
    f.views().define(schema(2)).await?;
    f.views().write(step(2, Position::START, at(1), puts([thing("b", "new", 1)]))).await?;
    let found = f.views().get(VIEW, Some(2), vec!["a".into(), "b".into()]).await?;
    equal("by id, beside the one that is read", found, vec![None, Some(thing("b", "new", 1))])?;
    let query = ViewQuery { generation: Some(2), ..ViewQuery::new(VIEW, 10) };
    equal("found beside the one that is read", ids(&f.views().find(query).await?), vec!["b"])
}

pub(crate) async fn view_unknown_is_not_read(f: &ViewFixture) -> Outcome {
    let unknown = || ViewError::Unknown(VIEW.into());
    equal("by id", f.views().get(VIEW, None, vec!["a".into()]).await, Err(unknown()))?;
    equal("a page", f.views().find(ViewQuery::new(VIEW, 1)).await, Err(unknown()))?;
    f.views().define(schema(1)).await?;
    let other = f.views().get(VIEW, Some(2), vec!["a".into()]).await;
    equal("an unknown generation", other, Err(unknown()))
}
