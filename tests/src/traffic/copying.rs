//! What one side writes, and who copies it on the other side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use commerce_core::app::consumer::{Consumer, ConsumerFailure, Delivery};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::messaging::ConsumerName;
use commerce_core::prelude::*;
use commerce_core::value::Reason;
use uuid::Uuid;

use crate::notes::{Copied, CopiedEvent, Note};

/// The note with this number.
pub(super) fn note(number: usize) -> Id<Note> {
    Id::derived(Uuid::from_u128(11), &number.to_be_bytes())
}

/// One message of a hundred fails until its consumer is mended.
pub(super) fn is_poison(note: Uuid, version: u64) -> bool {
    let (_, low) = note.as_u64_pair();
    low.wrapping_mul(31).wrapping_add(version.wrapping_mul(7)) % 100 == 0
}

/// Copies the versions of notes; clones are one consumer.
#[derive(Debug, Clone, Default)]
pub(super) struct Copying {
    mended: Arc<AtomicBool>,
}

impl Copying {
    /// Fails no more.
    pub(super) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Consumer for Copying {
    fn name(&self) -> ConsumerName {
        ConsumerName::new("traffic").unwrap()
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        event.stream.kind == Note::NAME
    }

    async fn handle(&self, delivery: Delivery<'_>) -> Result<Commit, ConsumerFailure> {
        let (stream, version) = (delivery.event.stream.id, delivery.event.version.get());
        if is_poison(stream, version) && !self.mended.load(Ordering::SeqCst) {
            return Err(ConsumerFailure::transient(Reason::lossy("poison")));
        }
        let id: Id<Note> = Id::from_uuid(stream).unwrap();
        let mut copied = delivery.load::<Copied>(id.cast()).await?;
        let mut batch = delivery.batch();
        batch.append(&mut copied, &[CopiedEvent::Written(version)]).unwrap();
        Ok(batch.into_commit())
    }
}
