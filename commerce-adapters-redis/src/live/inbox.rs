//! What was pushed to a connection and has not been looked at yet.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;

/// So many updates wait for whoever follows; one who is slower reads them from the buffer.
const ROOM: usize = 1_024;

/// Pushed updates, in the order in which they came. Never more than there is room for: the socket is read however
/// slow whoever follows is, so nothing heaps up at the server.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    pushed: VecDeque<Vec<Value>>,
    overflowed: bool,
    lost: bool,
}

/// What an inbox has next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Channel and payload.
    Pushed(Vec<Value>),
    /// Some were thrown away.
    Overflowed,
    /// The connection is lost, and there is nothing more.
    Lost,
    /// Nothing yet.
    Nothing,
}

impl Inbox {
    /// Never waits.
    pub(super) fn put(&self, info: PushInfo) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match info.kind {
            PushKind::Message if state.overflowed => return,
            PushKind::Message if state.pushed.len() < ROOM => state.pushed.push_back(info.data),
            PushKind::Message => {
                state.pushed = VecDeque::new();
                state.overflowed = true;
            }
            PushKind::Disconnection => state.lost = true,
            _ => return,
        }
        drop(state);
        self.news.notify_one();
    }

    pub(super) fn take(&self) -> Next {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.overflowed) {
            return Next::Overflowed;
        }
        match state.pushed.pop_front() {
            Some(data) => Next::Pushed(data),
            None if state.lost => Next::Lost,
            None => Next::Nothing,
        }
    }

    /// Waits until something was put in since it was last waited for.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: i64) -> PushInfo {
        PushInfo { kind: PushKind::Message, data: vec![Value::Int(number)] }
    }

    #[test]
    fn what_there_is_no_room_for_is_thrown_away_and_told() {
        let inbox = Inbox::default();
        let full = i64::try_from(ROOM).unwrap();
        for number in 0..full {
            inbox.put(message(number));
        }
        assert_eq!(inbox.take(), Next::Pushed(vec![Value::Int(0)]));
        for number in full..full + 3 {
            inbox.put(message(number));
        }
        assert_eq!((inbox.take(), inbox.take()), (Next::Overflowed, Next::Nothing));
        inbox.put(message(7));
        inbox.put(PushInfo { kind: PushKind::Disconnection, data: Vec::new() });
        assert_eq!((inbox.take(), inbox.take()), (Next::Pushed(vec![Value::Int(7)]), Next::Lost));
        assert_eq!(inbox.take(), Next::Lost);
    }
}
