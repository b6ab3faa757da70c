//! A batch as columns: one array per parameter of the database's function, in the order of its parameters.

use std::borrow::Cow;

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use uuid::Uuid;

use crate::types::Moment;

/// A call under construction.
pub(super) type Call<'q> = Query<'q, Postgres, PgArguments>;

/// Nothing instead of an array without elements: the server need not unpack it.
fn some<T>(column: Vec<T>) -> Option<Vec<T>> {
    Some(column).filter(|column| !column.is_empty())
}

/// Declares groups of columns and how each is bound, field by field.
macro_rules! columns {
    ($($(#[$doc:meta])* $group:ident { $($field:ident: $kind:ty),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Debug, Default)]
        #[allow(dead_code)] // a group without borrowed columns needs no lifetime, but all have one
        pub(super) struct $group<'b> {
            $(pub(super) $field: Vec<$kind>,)+
            lifetime: std::marker::PhantomData<&'b ()>,
        }

        impl $group<'_> {
            pub(super) fn bind(self, call: Call<'_>) -> Call<'_> {
                call$(.bind(some(self.$field)))+
            }
        }
    )+ };
}

columns! {
    /// The marks of a batch.
    Marks {
        item: i32,
        name: &'b str,
        version: i32,
        hash: Uuid,
        result: &'b [u8],
    }
    /// The leased timers.
    Leases {
        item: i32,
        name: &'b str,
        token: Uuid,
    }
    /// The named leases.
    Fences {
        item: i32,
        name: &'b str,
        token: i64,
    }
    /// The streams, appended to or expected.
    Streams {
        item: i32,
        kind: &'b str,
        id: Uuid,
        expected: i64,
        added: i64,
    }
    /// The keys to claim.
    Claims {
        item: i32,
        name: &'b str,
        kind: &'b str,
        id: Uuid,
        subject: Option<Uuid>,
        mixed: bool,
    }
    /// The keys to release.
    Releases {
        item: i32,
        name: &'b str,
        kind: &'b str,
        id: Uuid,
    }
    /// The pools and the net moves of each commit.
    Pools {
        name: &'b str,
        item: i32,
        pool: i32,
        available: i64,
        guarded: i64,
        held: i64,
        allocated: i64,
        guard: Option<i64>,
        floor: Option<i64>,
        consumes: bool,
        beyond: bool,
    }
    /// The events.
    Events {
        last: i32,
        item: i32,
        kind: &'b str,
        id: Uuid,
        version: i64,
        event: Uuid,
        name: &'b str,
        schema: i32,
        at: Moment,
        correlation: Uuid,
        causation: Option<Uuid>,
        actor: Cow<'static, str>,
        personal: i16,
        data: &'b [u8],
    }
    /// The personal values.
    Values {
        item: i32,
        kind: &'b str,
        id: Uuid,
        version: i64,
        field: i32,
        subject: Uuid,
        value: Option<&'b [u8]>,
    }
    /// The snapshots.
    Snapshots {
        item: i32,
        kind: &'b str,
        id: Uuid,
        version: i64,
        schema: i32,
        data: &'b [u8],
    }
    /// The subjects to erase.
    Erasures {
        item: i32,
        subject: Uuid,
    }
    /// The timers to set.
    Timers {
        item: i32,
        name: &'b str,
        kind: &'b str,
        due: Moment,
        payload: &'b [u8],
    }
    /// The timers to cancel.
    Cancels {
        item: i32,
        name: &'b str,
    }
}
