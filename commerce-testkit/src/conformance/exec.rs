//! Waiting for futures without a runtime, and races on real threads.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// A future that a check hands to an executor.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a task to its end on the calling thread.
pub(crate) type BlockOn = Arc<dyn Fn(Task) + Send + Sync>;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on the calling thread; enough for stores that need no runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Results<T> {
    done: Vec<Option<T>>,
    running: usize,
    waker: Option<Waker>,
}

/// Counts a thread out, also when it panics.
struct Ending<T>(Arc<Mutex<Results<T>>>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        let mut results = lock(&self.0);
        results.running = results.running.saturating_sub(1);
        let waker = results.waker.take();
        drop(results);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock<T>(results: &Mutex<Results<T>>) -> MutexGuard<'_, Results<T>> {
    results.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs every future on a thread of its own, started together; gives their results in order.
///
/// The caller's thread is not blocked, so that a runtime that lives on it can go on. A thread that
/// panics gives no result.
pub(crate) async fn race<T, F>(block_on: &BlockOn, futures: Vec<F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let count = futures.len();
    let done = (0..count).map(|_| None).collect();
    let results = Arc::new(Mutex::new(Results { done, running: count, waker: None }));
    let start = Arc::new(Barrier::new(count));
    for (index, future) in futures.into_iter().enumerate() {
        let (results, start, block_on) = (results.clone(), start.clone(), block_on.clone());
        thread::spawn(move || {
            let ending = Ending(results);
            start.wait();
            let results = ending.0.clone();
            block_on(Box::pin(async move {
                let result = future.await;
                if let Some(slot) = lock(&results).done.get_mut(index) {
                    *slot = Some(result);
                }
            }));
        });
    }
    poll_fn(|context| {
        let mut results = lock(&results);
        results.waker = Some(context.waker().clone());
        if results.running == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let done = std::mem::take(&mut lock(&results).done);
    done.into_iter().flatten().collect()
}
