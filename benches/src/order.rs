//! An order as it is placed: two events, three holds, a key, a mark, a timer.

use commerce_core::kernel::commit::{Append, Commit};
use commerce_core::kernel::event::{EventId, Metadata, NewEvent};
use commerce_core::kernel::mark::{Fingerprint, Mark, MarkKey};
use commerce_core::kernel::pool::{PoolKey, PoolMove, PoolOp};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::timer::{TimerKey, TimerWrite};
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::value::actor::Actor;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

/// Further pools than one order touches.
pub const SKUS: u64 = 1000;

/// The number of an order; everything else follows from it.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Counted by whoever places orders.
    pub number: u64,
}

/// When everything happens.
pub const AT: i64 = 1_790_000_000_000_000;

impl Order {
    /// The order of this number.
    pub fn new(number: u64) -> Self {
        Self { number }
    }

    /// Time-ordered, as the library makes them.
    pub fn id(self, part: u128) -> Uuid {
        let spread = u128::from(self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Uuid::from_u128(
            (u128::from(self.number) << 80)
                | (7 << 76)
                | (2 << 62)
                | (spread >> 8 << 8 & ((1 << 62) - 1))
                | part,
        )
    }

    /// The pools of its three lines.
    pub fn pools(self) -> [String; 3] {
        let spread = self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        [0, 1, 2].map(|line| format!("stock:SKU-{}@main", (spread + line * 331) % SKUS))
    }

    /// What each of its events says: some 600 bytes.
    pub fn data(self) -> Vec<u8> {
        let filler = "x".repeat(560);
        format!("{{\"number\":{},\"filler\":\"{filler}\"}}", self.number).into_bytes()
    }

    fn event(self, part: u128, name: &'static str) -> NewEvent {
        NewEvent {
            id: EventId::from_uuid(self.id(part)).unwrap(),
            name: name.into(),
            schema: 1,
            at: Timestamp::from_micros(AT).unwrap(),
            metadata: Metadata { correlation: self.id(1), causation: None, actor: Actor::System },
            data: self.data().into(),
            personal: Vec::new(),
        }
    }

    /// With three lines.
    pub fn commit(self) -> Commit {
        self.with_pools(self.pools().into_iter())
    }

    /// With this many lines, each on a pool of its own.
    pub fn with_pools(self, pools: impl Iterator<Item = String>) -> Commit {
        let stream = StreamId::new("order", self.id(1));
        let events = vec![self.event(2, "OrderPlaced"), self.event(3, "OrderConfirmed")];
        let key = Key::new("order-number", format!("N-{}", self.number));
        let timer = TimerKey::new(stream.clone(), "payment");
        let due = Timestamp::from_micros(AT + 4_000_000_000_000_000).unwrap();
        Commit {
            append: vec![Append { stream: stream.clone(), expected: Version::NONE, events, snapshot: None }],
            claim: vec![UniqueKey { key, owner: stream, subject: None }],
            moves: pools.map(|pool| PoolMove::new(PoolKey::new(pool), PoolOp::Hold(1))).collect(),
            timers: vec![TimerWrite::Set { key: timer, due, payload: b"{}".as_slice().into() }],
            mark: Some(Mark {
                key: MarkKey::new("command", self.id(4).to_string()),
                fingerprint: Fingerprint::of(1, b"order"),
                result: b"{}".as_slice().into(),
            }),
            ..Commit::default()
        }
    }

    /// Only holds of some pools, and the event that says so.
    pub fn holding(self, pools: Vec<String>) -> Commit {
        let moves = pools.into_iter().map(|pool| PoolMove::new(PoolKey::new(pool), PoolOp::Hold(1)));
        Commit { moves: moves.collect(), ..self.single() }
    }

    /// Only one event.
    pub fn single(self) -> Commit {
        let (stream, events) = (StreamId::new("order", self.id(1)), vec![self.event(2, "OrderPlaced")]);
        Commit {
            append: vec![Append { stream, expected: Version::NONE, events, snapshot: None }],
            ..Commit::default()
        }
    }
}

/// The pool that everybody wants.
pub fn one_hot(_order: Order) -> Vec<String> {
    vec!["stock:HOT@main".to_owned()]
}

/// Three of ten pools that everybody wants, in any order.
pub fn three_of_ten(order: Order) -> Vec<String> {
    let spread = order.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    [0, 3, 7].map(|line| format!("stock:SKU-{}@main", (spread + line) % 10)).to_vec()
}

/// Plenty of everything.
pub fn stock() -> Commit {
    let pools = (0..SKUS).map(|sku| format!("stock:SKU-{sku}@main")).chain(["stock:HOT@main".to_owned()]);
    let supply = |pool| PoolMove::new(PoolKey::new(pool), PoolOp::Supply(1 << 40));
    Commit { moves: pools.map(supply).collect(), ..Commit::default() }
}
