//! From what a store gives back to the state of an aggregate.

use super::aggregate::{Aggregate, EvolveError, Instance};
use super::codec::{CodecError, decode};
use super::commit::{LoadedStream, Snapshot};
use super::personal::Vault;
use super::stream::Version;

/// A stream cannot be folded into a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// An event cannot be read.
    #[error("an event cannot be read")]
    Codec(#[from] CodecError),
    /// An event does not fit.
    #[error("the stream is not one that this aggregate could have written")]
    Evolve(#[from] EvolveError),
    /// Versions are missing between what was folded and what came back.
    #[error("version {found} follows on {expected}")]
    Gap {
        /// The next version that would fit.
        expected: Version,
        /// The version that came.
        found: Version,
    },
}

/// Brings an instance up to date: snapshot first, where it is ahead, then the events behind it.
///
/// # Errors
///
/// [`ReplayError`] where the stream is damaged or newer than this program; nothing may be decided on it.
pub fn replay<A: Aggregate>(
    mut instance: Instance<A>,
    loaded: &LoadedStream,
) -> Result<Instance<A>, ReplayError> {
    if let Some(snapshot) = &loaded.snapshot
        && snapshot.schema == A::STATE_SCHEMA
        && snapshot.version > instance.version
        && let Some(state) = read_snapshot(snapshot)
    {
        instance.state = Some(state);
        instance.version = snapshot.version;
        instance.snapshot = snapshot.version;
    }
    for recorded in &loaded.events {
        if recorded.version <= instance.version {
            continue;
        }
        let expected = instance.version.after(1);
        if recorded.version != expected {
            return Err(ReplayError::Gap { expected, found: recorded.version });
        }
        let event: A::Event = decode(&recorded.event)?;
        instance.state = Some(A::evolve(instance.state.take(), &event)?);
        instance.version = recorded.version;
        instance.folded = instance.folded.saturating_add(1);
    }
    Ok(instance)
}

/// Folds events onto a state, as `replay` does, without a store.
///
/// # Errors
///
/// [`EvolveError`] of the first event that does not fit.
pub fn fold<'e, A: Aggregate>(
    state: Option<A>,
    events: impl IntoIterator<Item = &'e A::Event>,
) -> Result<Option<A>, EvolveError>
where
    A::Event: 'e,
{
    events.into_iter().try_fold(state, |state, event| A::evolve(state, event).map(Some))
}

/// Writes a state as a snapshot, personal values in place.
///
/// # Errors
///
/// [`CodecError::Unwritable`].
pub fn write_snapshot<A: Aggregate>(state: &A, version: Version) -> Result<Snapshot, CodecError> {
    let json = Vault::inline(|| serde_json::to_vec(state))
        .map_err(|error| CodecError::Unwritable { name: A::NAME.to_owned(), reason: error.to_string() })?;
    Ok(Snapshot { version, schema: A::STATE_SCHEMA, data: json.into() })
}

/// A snapshot that cannot be read is ignored: the events are the truth.
fn read_snapshot<A: Aggregate>(snapshot: &Snapshot) -> Option<A> {
    Vault::inline(|| serde_json::from_slice(&snapshot.data)).ok()
}
