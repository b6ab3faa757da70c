//! Form: what is not a commit is refused as such.

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::mark::{MAX_RESULT, Mark};

use crate::build::{Draft, append, mark, snapshot, stream};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Outcome, equal, malformed};

pub(crate) async fn form_a_stream_stands_once_in_append(f: &Fixture) -> Outcome {
    let s = stream("s");
    let twice = Commit::default().appends(&s, 0, 1).appends(&stream("other"), 0, 1).appends(&s, 1, 1);
    malformed("a stream twice, in sequence", f.store().commit(twice).await)?;
    let twice = Commit::default().appends(&s, 0, 1).appends(&s, 0, 1);
    malformed("a stream twice, at the same version", f.store().commit(twice).await)?;
    equal("events", f.log().await?.len(), 0)
}

pub(crate) async fn form_an_append_has_events(f: &Fixture) -> Outcome {
    let empty = Commit::default().appends(&stream("other"), 0, 1).appends(&stream("s"), 0, 0);
    malformed("an append without events", f.store().commit(empty).await)?;
    equal("events", f.log().await?.len(), 0)
}

pub(crate) async fn form_a_snapshot_is_of_the_last_event(f: &Fixture) -> Outcome {
    for version in [0, 1, 3] {
        let mut wrong = append(&stream("s"), 0, 2);
        wrong.snapshot = Some(snapshot(version, 1, "state"));
        malformed(
            "a snapshot of another version",
            f.store().commit(Commit::default().appending(wrong)).await,
        )?;
    }
    Ok(())
}

pub(crate) async fn form_a_result_is_small(f: &Fixture) -> Outcome {
    let large = Mark { result: vec![0; MAX_RESULT + 1].into(), ..mark("m") };
    let commit = Commit { mark: Some(large), ..Commit::default() };
    malformed("a result above the limit", f.store().commit(commit).await)
}
