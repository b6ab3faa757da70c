//! What the contract of `SessionStore` says, as named checks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::PortErrorKind;
use commerce_core::port::session::{Expected, Session, SessionKey, SessionStore, SessionWrite};

use super::cache::Waiting;
use super::exec::{BlockOn, Task, block_on, race};
use super::outcome::{Failure, Outcome, equal, holds};
use super::suite::{PortCheck, PortFixture, port_checks};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(500);

/// A store of sessions under test.
#[derive(Clone)]
pub struct SessionFixture {
    store: Arc<dyn SessionStore>,
    wait: Arc<dyn Fn(Duration) -> Waiting + Send + Sync>,
    block_on: BlockOn,
}

impl SessionFixture {
    /// A store without sessions, and what lets time go by for it.
    pub fn new<W: Future<Output = ()> + Send + 'static>(
        store: Arc<dyn SessionStore>,
        wait: impl Fn(Duration) -> W + Send + Sync + 'static,
    ) -> Self {
        let wait = Arc::new(move |span| -> Waiting { Box::pin(wait(span)) });
        Self { store, wait, block_on: Arc::new(block_on) }
    }

    /// Runs the callers of a race with this, for stores that need a runtime.
    #[must_use]
    pub fn with_block_on(mut self, block_on: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.block_on = Arc::new(block_on);
        self
    }

    async fn put(
        &self,
        key: &SessionKey,
        data: &str,
        (idle, expected): (Duration, Expected),
    ) -> Result<Option<u64>, Failure> {
        let write = SessionWrite { data: data.as_bytes().into(), idle, expected };
        Ok(self.store.put(key, write).await?)
    }

    async fn is(&self, what: &str, key: &SessionKey, expected: Option<(&str, u64)>) -> Outcome {
        let expected = expected.map(|(data, revision)| Session { data: data.as_bytes().into(), revision });
        equal(what, self.store.get(key).await?, expected)
    }
}

impl fmt::Debug for SessionFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFixture").field("store", &self.store).finish_non_exhaustive()
    }
}

impl PortFixture for SessionFixture {}

fn ann() -> SessionKey {
    SessionKey::new("session", b"ann's secret")
}

async fn session_gives_what_was_put(f: &SessionFixture) -> Outcome {
    f.is("no session", &ann(), None).await?;
    equal("the first revision", f.put(&ann(), "a", (LONG, Expected::Any)).await?, Some(1))?;
    equal("the next", f.put(&ann(), "b", (LONG, Expected::Any)).await?, Some(2))?;
    f.is("the session", &ann(), Some(("b", 2))).await?;
    f.is("a cart of the same holder", &SessionKey::new("cart", b"ann's secret"), None).await
}

async fn session_lasts_while_it_is_used(f: &SessionFixture) -> Outcome {
    f.put(&ann(), "a", (SHORT, Expected::Any)).await?;
    for _ in 0..3 {
        (f.wait)(SHORT.saturating_mul(3) / 5).await;
        f.is("a session that is used", &ann(), Some(("a", 1))).await?;
    }
    Ok(())
}

async fn session_ends_when_nobody_uses_it(f: &SessionFixture) -> Outcome {
    f.put(&ann(), "a", (SHORT, Expected::Any)).await?;
    f.is("a session", &ann(), Some(("a", 1))).await?;
    (f.wait)(SHORT.saturating_mul(13) / 10).await;
    f.is("a session that was not used", &ann(), None).await?;
    equal("its revision", f.put(&ann(), "b", (LONG, Expected::Revision(1))).await?, None)?;
    equal("a new one", f.put(&ann(), "b", (LONG, Expected::New)).await?, Some(1))
}

async fn session_is_replaced_as_expected_only(f: &SessionFixture) -> Outcome {
    equal("none yet", f.put(&ann(), "a", (LONG, Expected::Revision(1))).await?, None)?;
    equal("nor of revision zero", f.put(&ann(), "a", (LONG, Expected::Revision(0))).await?, None)?;
    equal("a new one", f.put(&ann(), "a", (LONG, Expected::New)).await?, Some(1))?;
    equal("not another", f.put(&ann(), "b", (LONG, Expected::New)).await?, None)?;
    equal("behind it", f.put(&ann(), "c", (LONG, Expected::Revision(1))).await?, Some(2))?;
    equal("not behind it again", f.put(&ann(), "d", (LONG, Expected::Revision(1))).await?, None)?;
    f.is("the session", &ann(), Some(("c", 2))).await
}

async fn session_writes_of_one_revision_have_one_winner(f: &SessionFixture) -> Outcome {
    f.put(&ann(), "a", (LONG, Expected::New)).await?;
    let writers = (0..8).map(|_| {
        let f = f.clone();
        async move { f.put(&ann(), "b", (LONG, Expected::Revision(1))).await }
    });
    let written = race(&f.block_on, writers.collect()).await;
    let written = written.into_iter().collect::<Result<Vec<_>, _>>()?;
    equal("winners", written.into_iter().flatten().collect::<Vec<_>>(), vec![2])
}

async fn session_is_removed(f: &SessionFixture) -> Outcome {
    f.put(&ann(), "a", (LONG, Expected::Any)).await?;
    holds("there was one", f.store.remove(&ann()).await?)?;
    f.is("the session", &ann(), None).await?;
    holds("and then none", !f.store.remove(&ann()).await?)?;
    equal("its revision", f.put(&ann(), "b", (LONG, Expected::Revision(1))).await?, None)
}

async fn session_has_some_time(f: &SessionFixture) -> Outcome {
    let write = SessionWrite { data: [].into(), idle: Duration::from_micros(999), expected: Expected::Any };
    let answer = f.store.put(&ann(), write).await;
    equal("an idle time of nothing", answer.map_err(|error| error.kind), Err(PortErrorKind::Invalid))
}

/// The checks of the `SessionStore` port, one per clause.
pub fn session_checks() -> Vec<PortCheck<SessionFixture>> {
    port_checks! { []
        { self session_gives_what_was_put "put: whole; its new revision. get: the session of a key." }
        { self session_lasts_while_it_is_used "get: it lasts its whole idle time again." }
        { self session_ends_when_nobody_uses_it "get: `None` where nobody used it for its idle time." }
        { self session_is_replaced_as_expected_only "put: `None` where it is not the expected one." }
        { self session_writes_of_one_revision_have_one_winner "put: of those that write behind the same revision one wins." }
        { self session_is_removed "remove: nobody gets it any more; whether there was one; a session that was removed has no revision." }
        { self session_has_some_time "put: `Invalid` for an idle time below a millisecond." }
    }
}
