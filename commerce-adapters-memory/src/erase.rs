//! Erasing a data subject.

use std::sync::Arc;

use commerce_core::kernel::event::RecordedEvent;
use commerce_core::value::id::SubjectId;

use crate::state::State;

impl State {
    /// Deletes the subject's values, keys and snapshots, and remembers to refuse later ones.
    pub(crate) fn erase(&mut self, subject: SubjectId) {
        self.erased.insert(subject);
        self.keys.retain(|_, (_, owner)| *owner != Some(subject));
        for index in self.personal.get(&subject).into_iter().flatten() {
            let Some(slot) = self.log.get_mut(*index) else { continue };
            let mut recorded = RecordedEvent::clone(slot);
            for value in &mut recorded.event.personal {
                if value.subject == subject {
                    value.value = None;
                }
            }
            let recorded = Arc::new(recorded);
            *slot = recorded.clone();
            if let Some(stream) = self.streams.get_mut(&recorded.stream) {
                stream.snapshot = None;
                let within = usize::try_from(recorded.version.get()).unwrap_or(usize::MAX);
                if let Some(copy) = stream.events.get_mut(within.saturating_sub(1)) {
                    *copy = recorded;
                }
            }
        }
    }
}
