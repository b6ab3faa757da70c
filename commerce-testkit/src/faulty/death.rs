//! Driving a process until it dies.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::faults::Faults;

/// Polls until the future is done or its process is dead; then it is dropped, as the end of a process
/// would.
pub async fn until_it_dies<F: Future>(faults: &Faults, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if faults.is_dead() {
            return Poll::Ready(None);
        }
        match future.as_mut().poll(context) {
            Poll::Ready(output) if !faults.is_dead() => Poll::Ready(Some(output)),
            _ if faults.is_dead() => Poll::Ready(None),
            _ => Poll::Pending,
        }
    })
    .await
}
