//! Polls tasks in an order that the dice give.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::world::{Spawned, Work};
use crate::dice::Dice;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    node: Option<usize>,
    name: Arc<str>,
    work: Work,
    woken: Arc<Flag>,
    /// Goes on for as long as its process lives; nobody waits for it.
    endless: bool,
}

/// Tasks, in the order in which they were taken up.
#[derive(Default)]
pub(super) struct Scheduler {
    tasks: Vec<Task>,
}

impl Scheduler {
    pub(super) fn take_up(&mut self, spawned: Vec<Spawned>, endless: bool) {
        for Spawned { node, name, work } in spawned {
            let woken = Arc::new(Flag(AtomicBool::new(true)));
            self.tasks.push(Task { node, name, work, woken, endless });
        }
    }

    /// The task that goes on next, by its place; `None` where everybody waits.
    pub(super) fn choose(&self, dice: &mut Dice) -> Option<usize> {
        let woken = self.tasks.iter().enumerate().filter(|(_, task)| task.woken.0.load(Ordering::SeqCst));
        let woken: Vec<_> = woken.map(|(place, _)| place).collect();
        dice.pick(&woken).copied()
    }

    pub(super) fn name(&self, place: usize) -> Option<Arc<str>> {
        self.tasks.get(place).map(|task| task.name.clone())
    }

    /// Lets a task go on until it waits.
    pub(super) fn poll(&mut self, place: usize) {
        let Some(task) = self.tasks.get_mut(place) else { return };
        task.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(task.woken.clone());
        if task.work.as_mut().poll(&mut Context::from_waker(&waker)) != Poll::Pending {
            self.tasks.remove(place);
        }
    }

    /// A process dies: its tasks are dropped.
    pub(super) fn kill(&mut self, node: usize) {
        self.tasks.retain(|task| task.node != Some(node));
    }

    /// Whether nobody is left but tasks without an end.
    pub(super) fn is_done(&self) -> bool {
        self.tasks.iter().all(|task| task.endless)
    }
}
