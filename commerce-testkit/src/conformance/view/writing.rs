//! Checks of generations, writes and checkpoints.

use commerce_core::kernel::stream::{Position, Slice};
use commerce_core::port::view::{Change, FieldKind, FieldValue, ViewBatch, ViewError, ViewId, ViewState};

use super::super::outcome::{Outcome, equal, holds};
use super::data::{VIEW, at, checkpoint, get, puts, schema, step, thing, with};
use super::fixture::ViewFixture;

pub(crate) async fn view_unknown_has_no_state(f: &ViewFixture) -> Outcome {
    equal("the state of a view that was never defined", f.views().state(VIEW).await?, ViewState::default())
}

pub(crate) async fn view_first_generation_is_read(f: &ViewFixture) -> Outcome {
    f.views().define(schema(3)).await?;
    f.views().define(schema(4)).await?;
    equal("the generation that is read", f.views().state(VIEW).await?.live, Some(3))
}

pub(crate) async fn view_is_defined_again(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1)]).await?;
    equal("defining it again", f.views().define(schema(1)).await, Ok(()))?;
    equal("the checkpoint behind it", checkpoint(f).await?, Some(at(1)))?;
    holds("its documents are still there", get(f, "a").await?.is_some())
}

pub(crate) async fn view_with_other_fields_differs(f: &ViewFixture) -> Outcome {
    f.views().define(schema(1)).await?;
    let other = schema(1).optional("more", FieldKind::Flag);
    equal("defining other fields", f.views().define(other).await, Err(ViewError::Differs(VIEW.into())))
}

pub(crate) async fn view_below_the_one_that_is_read_is_retired(f: &ViewFixture) -> Outcome {
    f.views().define(schema(2)).await?;
    let retired = ViewError::Retired { live: 2 };
    equal("defining an earlier one", f.views().define(schema(1)).await, Err(retired))
}

pub(crate) async fn view_schema_is_checked(f: &ViewFixture) -> Outcome {
    let wrong = schema(1).required("No Name", FieldKind::Text);
    let result = f.views().define(wrong).await;
    holds("a schema that breaks the rules is refused", matches!(result, Err(ViewError::Invalid(_))))
}

pub(crate) async fn view_state_tells_generations_and_slices(f: &ViewFixture) -> Outcome {
    f.views().define(schema(1)).await?;
    f.views().define(schema(2)).await?;
    let slices = (0..3).map(|index| Slice::new(index, 3)).collect::<Result<Vec<_>, _>>()?;
    for (number, slice) in (1..).zip(slices.iter().rev()) {
        let batch = step(2, Position::START, at(number), Vec::new());
        f.views().write(ViewBatch { slice: *slice, ..batch }).await?;
    }
    let expected = slices.iter().copied().zip([at(3), at(2), at(1)]).collect();
    let state = f.views().state(VIEW).await?;
    equal("generations and slices", state.generations, vec![(1, Vec::new()), (2, expected)])
}

pub(crate) async fn view_write_moves_the_checkpoint(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1)]).await?;
    equal("the checkpoint", checkpoint(f).await?, Some(at(1)))?;
    f.views().write(step(1, at(1), at(2), Vec::new())).await?;
    equal("the checkpoint behind an empty batch", checkpoint(f).await?, Some(at(2)))
}

pub(crate) async fn view_write_elsewhere_is_moved(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1)]).await?;
    let batch = step(1, at(5), at(6), puts([thing("b", "B", 2)]));
    let result = f.views().write(batch).await;
    equal("a write from elsewhere", result, Err(ViewError::Moved { actual: at(1) }))
}

pub(crate) async fn view_refused_write_changes_nothing(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1)]).await?;
    let changes = || [puts([thing("b", "B", 2)]), vec![Change::Remove("a".into())]].concat();
    let moved = f.views().write(step(1, Position::START, at(2), changes())).await;
    holds("a write from elsewhere is refused", moved.is_err())?;
    let mut wrong = changes();
    wrong.push(Change::Put(thing("c", "no\0name", 3)));
    let invalid = f.views().write(step(1, at(1), at(2), wrong)).await;
    holds("a document that does not fit is refused", matches!(invalid, Err(ViewError::Invalid(_))))?;
    equal("the checkpoint", checkpoint(f).await?, Some(at(1)))?;
    holds("what was to be removed is there", get(f, "a").await?.is_some())?;
    equal("what was to be written", get(f, "b").await?, None)
}

pub(crate) async fn view_last_change_of_a_document_counts(f: &ViewFixture) -> Outcome {
    let (first, last) = (thing("a", "first", 1), thing("a", "last", 2));
    with(f, [first.clone(), last.clone()]).await?;
    equal("the document", get(f, "a").await?, Some(last))?;
    let changes = vec![
        Change::Remove("a".into()),
        Change::Put(first.clone()),
        Change::Put(thing("b", "B", 3)),
        Change::Remove("b".into()),
    ];
    f.views().write(step(1, at(1), at(2), changes)).await?;
    equal("a document that was removed and put", get(f, "a").await?, Some(first))?;
    equal("a document that was put and removed", get(f, "b").await?, None)
}

pub(crate) async fn view_document_is_replaced_whole(f: &ViewFixture) -> Outcome {
    let rich = thing("a", "A", 1).with("kind", FieldValue::text("rich")).searched("words");
    with(f, [rich.clone()]).await?;
    equal("every part comes back", get(f, "a").await?, Some(rich))?;
    f.views().write(step(1, at(1), at(2), puts([thing("a", "B", 2)]))).await?;
    equal("nothing is left of the one before", get(f, "a").await?, Some(thing("a", "B", 2)))
}

pub(crate) async fn view_removes_documents(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1), thing("b", "B", 2)]).await?;
    f.views().write(step(1, at(1), at(2), vec![Change::Remove("a".into())])).await?;
    equal("a document that was removed", get(f, "a").await?, None)?;
    holds("the other is there", get(f, "b").await?.is_some())
}

pub(crate) async fn view_removes_what_is_not_there(f: &ViewFixture) -> Outcome {
    with(f, []).await?;
    let changes = vec![Change::Remove("nothing".into()), Change::Put(thing("a", "A", 1))];
    equal("removing nothing", f.views().write(step(1, at(1), at(2), changes)).await, Ok(()))?;
    holds("the rest of the batch was written", get(f, "a").await?.is_some())
}

pub(crate) async fn view_unknown_is_not_written(f: &ViewFixture) -> Outcome {
    let unknown = Err(ViewError::Unknown(VIEW.into()));
    let batch = |generation| step(generation, Position::START, at(1), Vec::new());
    equal("writing an unknown view", f.views().write(batch(1)).await, unknown.clone())?;
    f.views().define(schema(1)).await?;
    equal("writing an unknown generation", f.views().write(batch(2)).await, unknown)
}

pub(crate) async fn view_race_of_writers_has_one_winner(f: &ViewFixture) -> Outcome {
    f.views().define(schema(1)).await?;
    let writers = (0..8).map(|number: i64| {
        let views = f.shared();
        let document = thing(&format!("d{number}"), "A", number);
        async move { views.write(step(1, Position::START, at(1), puts([document]))).await }
    });
    let results = f.race(writers.collect()).await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    equal("winners", won, 1)?;
    let mut there = 0;
    for number in 0..8 {
        there += usize::from(get(f, &format!("d{number}")).await?.is_some());
    }
    equal("documents", there, 1)
}

pub(crate) async fn view_switches_to_a_generation(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "old", 1)]).await?;
    f.views().define(schema(2)).await?;
    f.views().write(step(2, Position::START, at(1), puts([thing("a", "new", 1)]))).await?;
    equal("before the switch", get(f, "a").await?, Some(thing("a", "old", 1)))?;
    f.views().switch(&ViewId::new(VIEW, 2)).await?;
    equal("behind the switch", get(f, "a").await?, Some(thing("a", "new", 1)))?;
    equal("the generation that is read", f.views().state(VIEW).await?.live, Some(2))
}

pub(crate) async fn view_switch_removes_earlier_generations(f: &ViewFixture) -> Outcome {
    for generation in 1..=3 {
        f.views().define(schema(generation)).await?;
    }
    f.views().switch(&ViewId::new(VIEW, 2)).await?;
    let state = f.views().state(VIEW).await?;
    let left: Vec<u32> = state.generations.iter().map(|(number, _)| *number).collect();
    equal("generations", left, vec![2, 3])?;
    let late = f.views().write(step(1, Position::START, at(1), Vec::new())).await;
    equal("a write to the earlier one", late, Err(ViewError::Unknown(VIEW.into())))
}

pub(crate) async fn view_switch_is_repeated(f: &ViewFixture) -> Outcome {
    with(f, [thing("a", "A", 1)]).await?;
    equal("switching to the one that is read", f.views().switch(&ViewId::new(VIEW, 1)).await, Ok(()))?;
    holds("its documents are there", get(f, "a").await?.is_some())
}

pub(crate) async fn view_switch_back_is_retired(f: &ViewFixture) -> Outcome {
    f.views().define(schema(1)).await?;
    f.views().define(schema(2)).await?;
    f.views().switch(&ViewId::new(VIEW, 2)).await?;
    let back = f.views().switch(&ViewId::new(VIEW, 1)).await;
    equal("switching back", back, Err(ViewError::Retired { live: 2 }))
}

pub(crate) async fn view_switch_needs_the_generation(f: &ViewFixture) -> Outcome {
    let unknown = Err(ViewError::Unknown(VIEW.into()));
    equal("an unknown view", f.views().switch(&ViewId::new(VIEW, 1)).await, unknown.clone())?;
    f.views().define(schema(1)).await?;
    equal("an unknown generation", f.views().switch(&ViewId::new(VIEW, 2)).await, unknown)?;
    equal("the generation that is read", f.views().state(VIEW).await?.live, Some(1))
}
