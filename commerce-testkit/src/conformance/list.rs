//! Every check with its clause, in one place: the lists, and the tests that the macros write.

use super::report::{Check, Need};
use super::{lease, store};

/// Hands the checks of the `Store` port to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_checks {
    ([$($with:tt)+] $context:tt) => { $($with)+! { $context
        { Store store::atomic refused_commit_leaves_no_events
            "A refusal changes nothing: no events." }
        { Store store::atomic refused_commit_leaves_no_keys
            "A refusal changes nothing: no unique keys." }
        { Store store::atomic refused_commit_leaves_no_pools
            "A refusal changes nothing: no pools." }
        { Store store::atomic refused_commit_leaves_no_timers
            "A refusal changes nothing: no timers." }
        { Store store::atomic refused_commit_leaves_no_mark
            "A refusal changes nothing: no mark." }
        { Store store::atomic refused_commit_erases_nothing
            "A refusal changes nothing: no personal value is erased." }
        { Store store::atomic refused_commit_leaves_no_snapshot
            "A refusal changes nothing: no snapshot." }
        { Store store::atomic commit_applies_every_part
            "Applies a commit, all of it." }
        { Store store::stream stream_versions_have_no_gaps
            "Streams: versions are gapless." }
        { Store store::stream stream_gives_back_what_was_written
            "Events come back as they were written." }
        { Store store::stream stream_append_behind_the_head_is_stale
            "Streams: `Append` compares with the head; lower is Stale." }
        { Store store::stream stream_append_ahead_of_the_head_is_stale
            "Streams: `Append` compares with the head; higher is Stale." }
        { Store store::stream stream_stale_expect_is_refused
            "Streams: `Expect` compares with the head." }
        { Store store::stream stream_absent_can_be_expected
            "Streams: a stream that does not exist is at version 0." }
        { Store store::stream stream_expect_appends_nothing
            "`Expect` asserts a version without appending." }
        { Store store::stream stream_kinds_are_apart
            "A stream is named by its kind and its id." }
        { Store store::stream stream_unknown_reads_as_empty
            "read_stream: an unknown stream is empty." }
        { Store store::stream stream_is_read_in_pages
            "read_stream: in order, without gaps, at most `limit`." }
        { Store store::stream stream_page_is_bounded
            "read_stream: at most MAX_PAGE." }
        { Store store::precedence precedence_mark_before_all_others
            "Order of refusals: mark first." }
        { Store store::precedence precedence_lease_before_version
            "Order of refusals: lease before version." }
        { Store store::precedence precedence_version_before_key
            "Order of refusals: version before unique key." }
        { Store store::precedence precedence_key_before_pool
            "Order of refusals: unique key before pool." }
        { Store store::precedence precedence_smallest_stale_stream_is_named
            "Within version the smallest stream is named, appended or expected; of one stream its append, then its first expect." }
        { Store store::precedence precedence_smallest_taken_key_is_named
            "Within unique key the smallest key is named." }
        { Store store::precedence precedence_smallest_unbalanced_pool_is_named
            "Within pool the smallest unbalanced pool is named." }
        { Store store::precedence precedence_short_names_every_pool
            "`Short` lists all short pools with net wanted and available." }
        { Store store::precedence precedence_short_is_sorted
            "`Short` is sorted by pool." }
        { Store store::precedence precedence_short_is_bounded
            "`Short` names at most fifty pools, the smallest." }
        { Store store::precedence precedence_lease_that_lasts_lets_the_rest_decide
            "Order of refusals: a lease that lasts refuses nothing." }
        { Store store::key key_has_one_owner
            "Keys: a key belongs to at most one stream; Taken names it." }
        { Store store::key key_of_the_present_owner_can_be_claimed
            "Keys: taking a key one owns succeeds." }
        { Store store::key key_that_was_released_is_free
            "Keys: a released key is free." }
        { Store store::key key_released_and_claimed_is_transferred
            "Keys: the net of release and claim counts; both in one commit transfer." }
        { Store store::key key_swap_of_two_owners_passes
            "Keys: the net of release and claim counts, for several keys at once." }
        { Store store::key key_of_another_is_not_released
            "Keys: giving up another's key does nothing." }
        { Store store::key key_that_is_free_can_be_released
            "Keys: giving up a free key does nothing." }
        { Store store::key key_scopes_are_apart
            "Keys: unique within their scope." }
        { Store store::key key_is_compared_by_its_bytes
            "Keys: compared exactly." }
        { Store store::pool pool_that_was_never_moved_is_zeros
            "Pools: a missing pool is all zeros." }
        { Store store::pool pool_supply_moves_available
            "supply: available plus or minus n." }
        { Store store::pool pool_correct_moves_available
            "correct: available plus or minus n." }
        { Store store::pool pool_hold_moves_available_to_held
            "hold: available to held." }
        { Store store::pool pool_hold_above_moves_available_to_held
            "hold with a floor: available to held." }
        { Store store::pool pool_release_moves_held_to_available
            "release: held to available." }
        { Store store::pool pool_allocate_moves_held_to_allocated
            "allocate: held to allocated." }
        { Store store::pool pool_consume_takes_from_allocated
            "consume: allocated minus n." }
        { Store store::pool pool_return_moves_allocated_to_available
            "return: allocated to available." }
        { Store store::pool pool_floor_sets_the_floor
            "floor: the floor is set." }
        { Store store::pool pool_moves_of_a_commit_are_summed
            "Pools: the moves of a commit are summed per pool before the guards." }
        { Store store::pool pool_transfer_in_one_commit
            "Pools: a commit moves several pools." }
        { Store store::pool pool_agrees_with_the_kernel_on_random_moves
            "Pools: every adapter does what `NetMove::apply` does." }
        { Store store::guard guard_hold_stops_at_the_floor
            "hold: available stays at or above the floor." }
        { Store store::guard guard_negative_floor_allows_backorders
            "hold: a floor may be negative." }
        { Store store::guard guard_carried_floor_replaces_the_pools
            "hold: a floor that the move carries replaces the pool's and is not kept." }
        { Store store::guard guard_decrease_of_supply_stops_at_the_floor
            "supply: after a decrease available is at or above the floor." }
        { Store store::guard guard_count_is_never_refused
            "correct: no guard; below the floor every hold is short." }
        { Store store::guard guard_floor_is_never_refused
            "floor: no guard." }
        { Store store::guard guard_release_stops_at_what_is_held
            "release: held stays at or above zero, else Unbalanced." }
        { Store store::guard guard_allocate_stops_at_what_is_held
            "allocate: held stays at or above zero, else Unbalanced." }
        { Store store::guard guard_consume_stops_at_what_is_allocated
            "consume: allocated stays at or above zero, else Unbalanced." }
        { Store store::guard guard_return_stops_at_what_is_allocated
            "return: allocated stays at or above zero, else Unbalanced." }
        { Store store::guard guard_consume_stops_at_what_is_physically_there
            "consume: physical stays at or above zero, else Unbalanced." }
        { Store store::guard guard_sums_do_not_wrap
            "Pools: a sum that leaves 64 bits is Unbalanced." }
        { Store store::mark mark_comes_back_with_result_and_position
            "Marks: come back with fingerprint, result and position." }
        { Store store::mark mark_repeat_is_already_handled
            "Idempotency: the same commit with the same mark has its effect once." }
        { Store store::mark mark_repeat_gives_the_first_result
            "Marks: a repeat gets the stored result, not its own." }
        { Store store::mark mark_of_another_request_is_key_reused
            "Marks: the same key with another fingerprint is KeyReused." }
        { Store store::mark mark_of_another_fingerprint_version_agrees
            "Marks: against a fingerprint of another version only ids are compared." }
        { Store store::mark mark_scopes_are_apart
            "Marks: unique within their scope." }
        { Store store::mark mark_alone_is_kept
            "Marks: a no-op is remembered." }
        { Store store::mark mark_keeps_a_result_of_full_size
            "Marks: a result of any bytes up to MAX_RESULT." }
        { Store store::mark mark_of_a_refusal_is_decided_anew
            "Refusals store nothing: the same command id is decided anew." }
        { Store store::mark mark_is_missed_by_an_unmarked_repeat
            "Idempotency: without a mark, repeating a commit is Stale." }
        { Store store::timer timer_is_due_at_its_time
            "due: judged by the store's clock; a timer is due at its time, not before." }
        { Store store::timer timer_becomes_due_when_time_passes
            "due: judged by the store's clock, whose time is returned." }
        { Store store::timer timer_comes_with_due_and_payload
            "due: a timer comes with its time and payload." }
        { Store store::timer timer_that_is_set_again_is_replaced
            "Timers: setting replaces." }
        { Store store::timer timer_that_is_cancelled_is_gone
            "Timers: cancelling removes; where there is none it does nothing." }
        { Store store::timer timer_last_write_of_a_commit_counts
            "Timers: in order, the last write of a key counts." }
        { Store store::timer timer_names_and_streams_are_apart
            "Timers: named by stream and name." }
        { Store store::timer timer_earliest_comes_first
            "due: earliest first." }
        { Store store::timer timer_limit_is_kept
            "due: at most `limit`, the earliest." }
        { Store store::timer timer_kinds_are_kept_apart
            "due: only timers of streams of the wanted kinds." }
        { Store store::timer timer_next_is_the_next_that_was_not_given_out
            "due: `next` is when the next timer of these kinds is due." }
        { Store store::timer timer_next_sees_what_the_limit_cut_off
            "due: `next` counts timers that the limit cut off, also behind leased ones." }
        { Store store::timer timer_stays_until_a_commit_ends_it
            "due: nothing is removed; a timer ends by the commit that handles it." }
        { Store store::timer_lease timer_lease_excludes_others
            "due: a leased timer is given to nobody else." }
        { Store store::timer_lease timer_lease_ends_and_is_given_again
            "due: when a lease ends the timer is given again under another token; the old one is LeaseLost." }
        { Store store::timer_lease timer_lease_that_ran_out_is_lost
            "A worker whose lease ran out changes nothing." }
        { Store store::timer_lease timer_lease_lets_its_holder_commit
            "A commit under a lease that lasts passes." }
        { Store store::timer_lease timer_lease_is_cleared_by_setting
            "Timers: setting clears the lease; the timer can be given again at once." }
        { Store store::timer_lease timer_lease_is_cleared_before_it_is_given_again
            "Timers: setting clears the lease; its holder has lost it." }
        { Store store::timer_lease timer_lease_is_lost_with_its_timer
            "LeaseLost: the timer is gone." }
        { Store store::timer_lease timer_lease_of_another_token_is_lost
            "LeaseLost: the token was never given for this timer." }
        { Store store::log log_keeps_the_order_of_every_stream
            "read_all: keeps the order within every stream." }
        { Store store::log log_keeps_a_commit_together
            "read_all: the events of one commit stand together, its appends in their order." }
        { Store store::log log_equals_the_streams
            "read_all: shows what the streams hold." }
        { Store store::log log_pages_show_each_event_once
            "read_all: reading on from `next` sees every event once, at most `limit` a page." }
        { Store store::log log_is_followed_from_its_end
            "read_all: an empty page means the end; reading on sees every later event." }
        { Store store::log log_page_is_bounded
            "read_all: at most MAX_PAGE." }
        { Store store::log log_empty_is_an_empty_page
            "read_all: an empty log is an empty page." }
        { Store store::log log_slices_keep_streams_apart
            "read_all: only events of streams in the slice." }
        { Store store::log log_slices_make_up_the_whole
            "read_all: every event is in one slice of a division, in the order of its stream." }
        { Store store::log log_receipt_lies_behind_its_commit
            "Receipt: the log's end right behind the commit." }
        { Store store::load load_answers_in_the_order_of_the_questions
            "load: answers come in the order of the questions." }
        { Store store::load load_of_unknown_things_is_empty
            "load: what does not exist is an empty answer, not an error." }
        { Store store::load load_gives_only_events_behind_after
            "load: only events behind `after`; the head in any case." }
        { Store store::load load_gives_the_snapshot_and_the_events_behind_it
            "load: the snapshot of the wanted schema and all events behind it." }
        { Store store::load load_ignores_a_snapshot_of_another_schema
            "load: a snapshot is given only where its schema is the wanted one." }
        { Store store::load load_ignores_a_snapshot_that_is_not_later
            "load: a snapshot is given only where it is later than `after`." }
        { Store store::load load_gives_the_newest_snapshot
            "load: the newest snapshot." }
        { Store store::load load_is_complete_beyond_a_page
            "load: the events behind are complete." }
        { Store store::load load_gives_what_the_stream_gives
            "load: events are those of the stream." }
        { Store store::directory directory_gives_the_keys_of_a_prefix
            "load: a directory gives the keys of its scope and prefix with their owners." }
        { Store store::directory directory_keeps_scopes_apart
            "load: a directory is of one scope." }
        { Store store::directory directory_ascends_by_bytes
            "load: a directory gives ascending keys, the first up to the limit." }
        { Store store::directory directory_takes_a_prefix_literally
            "load: a prefix is no pattern." }
        { Store store::directory directory_forgets_released_keys
            "load: a released key is in no directory." }
        { Store store::directory directory_is_bounded
            "load: a directory gives at most MAX_DIRECTORY." }
        { Store store::personal personal_values_come_back_with_their_event
            "Personal values come back with their event." }
        { Store store::personal personal_values_of_an_erased_subject_come_without_content
            "Erasure: values of the subject lose their content at once, by every way of reading." }
        { Store store::erase erase_spares_other_subjects
            "Erasure: only values of the subject." }
        { Store store::erase erase_reaches_every_stream
            "Erasure: in all streams at once." }
        { Store store::erase erase_holds_for_later_values
            "Erasure: also values that come later." }
        { Store store::erase erase_holds_within_its_own_commit
            "Erasure: also values of the commit that erases." }
        { Store store::erase erase_frees_personal_keys
            "Erasure: the subject's personal keys are freed." }
        { Store store::erase erase_deletes_snapshots_of_streams_with_values
            "Erasure: snapshots of streams with values of the subject go." }
        { Store store::erase erase_holds_for_later_snapshots
            "Erasure: also values that come later within a snapshot." }
        { Store store::erase erase_keeps_money_counts_and_order
            "Erasure: money, counts and order of events stay." }
        { Store store::erase erase_can_be_repeated
            "Erasure: repeating it changes nothing." }
        { Store store::scan scan_gives_keys
            "scan: unique keys, ascending by the text of the key, each once over all pages." }
        { Store store::scan scan_gives_pools
            "scan: pools, ascending by the text of the key, each once over all pages." }
        { Store store::scan scan_gives_timers
            "scan: timers, ascending by the text of the key, each once over all pages." }
        { Store store::scan scan_gives_marks
            "scan: marks, ascending by the text of the key, each once over all pages." }
        { Store store::scan scan_of_an_empty_table_is_empty
            "scan: an empty page means the end." }
        { Store store::scan scan_goes_on_behind_a_row_that_is_gone
            "scan: reads behind a key, also one that is gone." }
        { Store store::scan scan_page_is_bounded
            "scan: at most MAX_PAGE." }
        { Store store::form form_a_stream_stands_once_in_append
            "Form: a stream stands in `append` at most once." }
        { Store store::form form_an_append_has_events
            "Form: an append has at least one event." }
        { Store store::form form_a_snapshot_is_of_the_last_event
            "Form: a snapshot is the state behind the last event." }
        { Store store::form form_a_result_is_small
            "Form: a result has at most MAX_RESULT bytes." }
        { Store store::race race_for_a_key_has_one_winner
            "Races: a key has one winner." }
        { Store store::race race_for_a_pool_has_as_many_winners_as_units
            "Races: n units have exactly n winners." }
        { Store store::race race_to_append_has_one_winner
            "Races: a version has one winner." }
        { Store store::race race_of_repeats_has_one_effect
            "Races: concurrent repeats of a marked commit have one effect." }
        { Store store::race race_of_expects_allows_no_write_skew
            "Races: `Expect` holds against a concurrent append." }
        { Store store::race race_over_the_same_things_in_any_order_ends
            "Races: commits over the same things in any order all end." }
        { Store store::race race_for_due_timers_gives_each_once
            "Races: a timer is leased to one caller." }
        { Store store::race race_of_readers_sees_no_commit_in_part
            "load, read_all: one consistent snapshot; no commit is seen in part." }
        { Store store::race race_of_writers_hides_no_event_from_a_follower
            "read_all: never skips an event, also while commits are under way." }
        { Durable store::durable durable_commit_survives_reopening
            "Capability durable: what was committed survives." }
        { Shared store::durable shared_commits_are_seen_by_each_other
            "Capability shared: several handles see one store." }
    } };
}

/// Hands the checks of the `Lease` port to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __lease_checks {
    ([$($with:tt)+] $context:tt) => { $($with)+! { $context
        { Lease lease lease_excludes_others_while_it_lasts
            "acquire: `None` while another lease of the name lasts." }
        { Lease lease lease_ends_by_itself
            "acquire: a lease ends when its span is over." }
        { Lease lease lease_tokens_grow
            "acquire: a token is greater than every earlier one, also after a release." }
        { Lease lease lease_is_renewed_under_its_token
            "renew: the token stays the same; repeating it is harmless." }
        { Lease lease lease_lasts_as_long_as_it_was_renewed_for
            "renew: extends by the span from now." }
        { Lease lease lease_that_was_lost_is_not_renewed
            "renew: `None` where the lease is over or another's." }
        { Lease lease lease_that_was_released_is_free
            "release: gives the lease up; repeating it is harmless." }
        { Lease lease lease_of_another_is_not_released
            "release: does nothing where the token is not the present holder's." }
        { Lease lease lease_race_has_one_winner
            "Races: a name has one holder." }
        { Lease lease fence_lets_its_holder_commit
            "A commit under a lease that lasts passes." }
        { Lease lease fence_of_an_earlier_holder_is_refused
            "Fenced: another holder came." }
        { Lease lease fence_of_nobody_is_refused
            "Fenced: the token was never granted." }
        { Lease lease fence_of_a_lease_that_is_over_is_refused
            "Fenced: the lease is over." }
        { Lease lease fence_is_judged_before_versions
            "Order of refusals: mark, then lease and fence, then version." }
    } };
}

/// Writes a test per check.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$factory:expr, $block_on:expr] $({ $need:ident $($group:ident)::+ $name:ident $clause:literal })*) => { $(
        #[doc = $clause]
        #[test]
        fn $name() {
            ($block_on)($crate::conformance::run_named(stringify!($name), $factory));
        }
    )* };
}

/// Writes one `#[test]` per clause of the `Store` port's contract.
///
/// Takes an async factory of fresh, empty stores: its output is a
/// [`Fixture`](crate::conformance::Fixture) or an `Arc<dyn Store>`. A store that needs a runtime names
/// what runs a future on it.
///
/// ```no_run
/// # mod my {
/// #     use commerce_core::port::store::Store;
/// #     pub async fn store() -> std::sync::Arc<dyn Store> {
/// #         std::sync::Arc::new(commerce_adapters_memory::MemoryStore::new())
/// #     }
/// #     pub fn on_runtime<F: Future>(work: F) -> F::Output { pollster::block_on(work) }
/// # }
/// commerce_testkit::store_conformance!(|| my::store(), block_on = my::on_runtime);
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($factory:expr $(,)?) => {
        $crate::store_conformance!($factory, block_on = $crate::conformance::block_on);
    };
    ($factory:expr, block_on = $block_on:expr $(,)?) => {
        $crate::__store_checks!([$crate::__conformance_tests] [$factory, $block_on]);
    };
}

/// Writes one `#[test]` per clause of the `Lease` port's contract; see [`store_conformance!`].
///
/// The fixture must have been given its leases with
/// [`with_lease`](crate::conformance::Fixture::with_lease).
#[macro_export]
macro_rules! lease_conformance {
    ($factory:expr $(,)?) => {
        $crate::lease_conformance!($factory, block_on = $crate::conformance::block_on);
    };
    ($factory:expr, block_on = $block_on:expr $(,)?) => {
        $crate::__lease_checks!([$crate::__conformance_tests] [$factory, $block_on]);
    };
}

macro_rules! checks {
    ([] $({ $need:ident $($group:ident)::+ $name:ident $clause:literal })*) => {
        vec![$(Check {
            name: stringify!($name),
            clause: $clause,
            need: Need::$need,
            run: |fixture| Box::pin($($group)::+::$name(fixture)),
        }),*]
    };
}

/// The checks of the `Store` port, one per clause.
pub fn store_checks() -> Vec<Check> {
    crate::__store_checks!([checks] [])
}

/// The checks of the `Lease` port, one per clause.
pub fn lease_checks() -> Vec<Check> {
    crate::__lease_checks!([checks] [])
}
