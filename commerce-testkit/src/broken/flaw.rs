//! The breaks.

breaks! {
    /// One way to break the contract of a store or of leases.
    pub enum Break;

    /// The events of a refused commit stay.
    LeavesEvents => refused_commit_leaves_no_events,
    /// The keys of a refused commit stay.
    LeavesKeys => refused_commit_leaves_no_keys,
    /// The pools of a refused commit stay moved.
    LeavesPools => refused_commit_leaves_no_pools,
    /// The timers of a refused commit stay.
    LeavesTimers => refused_commit_leaves_no_timers,
    /// The mark of a refused commit stays.
    LeavesMark => refused_commit_leaves_no_mark,
    /// A refused commit erases.
    LeavesErasure => refused_commit_erases_nothing,
    /// The snapshots of a refused commit stay.
    LeavesSnapshots => refused_commit_leaves_no_snapshot,
    /// Snapshots are not kept.
    ForgetsSnapshots => commit_applies_every_part,

    /// Every commit to a stream skips a version.
    LeavesGaps => stream_versions_have_no_gaps,
    /// Events come back without their correlation.
    ForgetsMetadata => stream_gives_back_what_was_written,
    /// An append on an old version passes.
    AppendsBehindTheHead => stream_append_behind_the_head_is_stale,
    /// An append on a version that is not there yet passes.
    AppendsAheadOfTheHead => stream_append_ahead_of_the_head_is_stale,
    /// Expects are not looked at.
    IgnoresExpects => stream_stale_expect_is_refused,
    /// An absent stream passes every expect.
    AbsentPassesExpects => stream_absent_can_be_expected,
    /// An expect moves the head.
    ExpectsMoveTheHead => stream_expect_appends_nothing,
    /// Streams of two kinds with one id share a head.
    MixesKinds => stream_kinds_are_apart,
    /// An unknown stream shows the events of others.
    InventsStreams => stream_unknown_reads_as_empty,
    /// A stream is always read from its start.
    ReadsStreamsFromTheStart => stream_is_read_in_pages,
    /// A stream is read whole.
    ReadsStreamsWithoutBound => stream_page_is_bounded,

    /// The mark is looked at last.
    MarkLast => precedence_mark_before_all_others,
    /// The version is looked at before the lease.
    VersionBeforeLease => precedence_lease_before_version,
    /// A commit under a lease need not be fresh.
    LeaseReplacesVersions => precedence_lease_that_lasts_lets_the_rest_decide,
    /// Keys are looked at before versions.
    KeyBeforeVersion => precedence_version_before_key,
    /// Pools are looked at before keys.
    PoolBeforeKey => precedence_key_before_pool,
    /// The first stale stream is named, not the smallest.
    NamesFirstStale => precedence_smallest_stale_stream_is_named,
    /// The first taken key is named, not the smallest.
    NamesFirstTaken => precedence_smallest_taken_key_is_named,
    /// The largest unbalanced pool is named.
    NamesLastUnbalanced => precedence_smallest_unbalanced_pool_is_named,
    /// Only one short pool is named.
    NamesOneShort => precedence_short_names_every_pool,
    /// Short pools are named in the order of the commit.
    ShortUnsorted => precedence_short_is_sorted,
    /// Any number of short pools is named.
    ShortUnbounded => precedence_short_is_bounded,

    /// The last claim wins.
    LastClaimWins => key_has_one_owner,
    /// An owner cannot claim their key again.
    OwnerCannotReclaim => key_of_the_present_owner_can_be_claimed,
    /// Releases do nothing.
    ReleasesNothing => key_that_was_released_is_free,
    /// Claims are looked at without the releases beside them.
    ClaimsBeforeReleases => key_released_and_claimed_is_transferred,
    /// Only the first release of a commit counts.
    OneReleaseCounts => key_swap_of_two_owners_passes,
    /// Anyone can release a key.
    AnyoneReleases => key_of_another_is_not_released,
    /// Releasing a free key is refused.
    ReleaseOfFreeRefused => key_that_is_free_can_be_released,
    /// A key is unique over all scopes.
    MixesScopes => key_scopes_are_apart,
    /// Keys are compared without case.
    FoldsCase => key_is_compared_by_its_bytes,

    /// A missing pool is full.
    MissingPoolIsFull => pool_that_was_never_moved_is_zeros,
    /// `supply` does nothing.
    LosesSupply => pool_supply_moves_available,
    /// `correct` does nothing.
    LosesCorrect => pool_correct_moves_available,
    /// `hold` does nothing.
    LosesHold => pool_hold_moves_available_to_held,
    /// `hold` with a floor does nothing.
    LosesHoldAbove => pool_hold_above_moves_available_to_held,
    /// `release` does nothing.
    LosesRelease => pool_release_moves_held_to_available,
    /// `allocate` does nothing.
    LosesAllocate => pool_allocate_moves_held_to_allocated,
    /// `consume` does nothing.
    LosesConsume => pool_consume_takes_from_allocated,
    /// `return` does nothing.
    LosesReturn => pool_return_moves_allocated_to_available,
    /// `floor` does nothing.
    LosesFloor => pool_floor_sets_the_floor,
    /// Every move is guarded by itself.
    GuardsEachMove => pool_moves_of_a_commit_are_summed,
    /// Only the first pool of a commit is moved.
    MovesOnePool => pool_transfer_in_one_commit,
    /// What is available counts, not what is available above the floor.
    ReportsAvailableWithoutFloor => pool_agrees_with_the_kernel_on_random_moves,

    /// `hold` is not guarded.
    HoldUnguarded => guard_hold_stops_at_the_floor,
    /// A negative floor counts as zero.
    FloorIsAtLeastZero => guard_negative_floor_allows_backorders,
    /// The floor that a hold carries is not looked at.
    IgnoresCarriedFloor => guard_carried_floor_replaces_the_pools,
    /// A decrease of supply is not guarded.
    SupplyUnguarded => guard_decrease_of_supply_stops_at_the_floor,
    /// `correct` is guarded.
    CorrectGuarded => guard_count_is_never_refused,
    /// A floor above what is available is refused.
    FloorGuarded => guard_floor_is_never_refused,
    /// `release` is not guarded.
    ReleaseUnguarded => guard_release_stops_at_what_is_held,
    /// `allocate` is not guarded.
    AllocateUnguarded => guard_allocate_stops_at_what_is_held,
    /// `consume` is not guarded.
    ConsumeUnguarded => guard_consume_stops_at_what_is_allocated,
    /// `return` is not guarded.
    ReturnUnguarded => guard_return_stops_at_what_is_allocated,
    /// `consume` takes what is not there yet.
    ConsumesBackorders => guard_consume_stops_at_what_is_physically_there,
    /// Sums beyond 64 bits are cut off.
    SumsSaturate => guard_sums_do_not_wrap,

    /// Marks come back without their position.
    ForgetsMarkPositions => mark_comes_back_with_result_and_position,
    /// Marks are not looked at.
    IgnoresMarks => mark_repeat_is_already_handled,
    /// A repeat gets its own result back.
    RepeatsGetTheirOwnResult => mark_repeat_gives_the_first_result,
    /// Fingerprints are not compared.
    IgnoresFingerprints => mark_of_another_request_is_key_reused,
    /// Fingerprints of different versions are compared.
    ComparesAllFingerprints => mark_of_another_fingerprint_version_agrees,
    /// A mark is unique over all scopes.
    MixesMarkScopes => mark_scopes_are_apart,
    /// The mark of a commit without events is not kept.
    DropsMarksOfNoOps => mark_alone_is_kept,
    /// Results are cut off.
    CutsResults => mark_keeps_a_result_of_full_size,
    /// A refusal is remembered.
    RemembersRefusals => mark_of_a_refusal_is_decided_anew,
    /// A repeat without a mark is recognised and passes.
    RecognisesUnmarkedRepeats => mark_is_missed_by_an_unmarked_repeat,

    /// Timers are given out before they are due.
    GivesTimersEarly => timer_is_due_at_its_time,
    /// The store's clock stands still.
    ClockStandsStill => timer_becomes_due_when_time_passes,
    /// Timers come without their payload.
    ForgetsPayloads => timer_comes_with_due_and_payload,
    /// A timer that is there cannot be set again.
    SetKeepsTheFirst => timer_that_is_set_again_is_replaced,
    /// Timers are not cancelled.
    IgnoresCancel => timer_that_is_cancelled_is_gone,
    /// The first write of a timer counts.
    FirstWriteCounts => timer_last_write_of_a_commit_counts,
    /// Timers of one stream share their name.
    MixesTimerNames => timer_names_and_streams_are_apart,
    /// Timers are given out latest first.
    LatestFirst => timer_earliest_comes_first,
    /// All due timers are given out.
    IgnoresDueLimit => timer_limit_is_kept,
    /// Timers of all kinds are given out.
    IgnoresKinds => timer_kinds_are_kept_apart,
    /// The next due time is not told.
    ForgetsNext => timer_next_is_the_next_that_was_not_given_out,
    /// The next due time leaves out what the limit cut off.
    NextForgetsTheCutOff => timer_next_sees_what_the_limit_cut_off,
    /// Giving a timer out removes it.
    DueRemoves => timer_stays_until_a_commit_ends_it,

    /// Timers are not leased.
    LeasesNothing => timer_lease_excludes_others,
    /// A timer's lease never ends.
    TimerLeaseNeverEnds => timer_lease_ends_and_is_given_again,
    /// Every lease of a timer has the same token.
    GivesTheSameToken => timer_lease_ends_and_is_given_again,
    /// A lease that ran out still counts.
    HonoursLeasesThatRanOut => timer_lease_that_ran_out_is_lost,
    /// Every lease counts as lost.
    RefusesEveryLease => timer_lease_lets_its_holder_commit,
    /// Setting a timer keeps its lease.
    SetKeepsTheLease => timer_lease_is_cleared_by_setting,
    /// A lease outlives the timer's move.
    MoveKeepsTheLease => timer_lease_is_cleared_before_it_is_given_again,
    /// A lease outlives its timer.
    LeaseOutlivesItsTimer => timer_lease_is_lost_with_its_timer,
    /// Any token will do.
    IgnoresTokens => timer_lease_of_another_token_is_lost,

    /// The log shows the events of a page backwards.
    LogRunsBackwards => log_keeps_the_order_of_every_stream,
    /// The log sorts the appends of a commit.
    LogSortsAppends => log_keeps_a_commit_together,
    /// The log hides the first event of every stream.
    LogHidesAnEvent => log_equals_the_streams,
    /// Pages overlap.
    PagesOverlap => log_pages_show_each_event_once,
    /// The end of the log leads back to its start.
    EndLeadsToTheStart => log_is_followed_from_its_end,
    /// The log is read whole.
    ReadsTheLogWithoutBound => log_page_is_bounded,
    /// An empty log is an error.
    EmptyLogIsAnError => log_empty_is_an_empty_page,
    /// The first event of a stream is in every slice.
    SlicesOverlap => log_slices_keep_streams_apart,
    /// A slice gives the first event of its streams only.
    SlicesLoseEvents => log_slices_make_up_the_whole,
    /// A receipt lies before its commit.
    ReceiptLiesBefore => log_receipt_lies_behind_its_commit,

    /// Answers come sorted, not in the order of the questions.
    SortsAnswers => load_answers_in_the_order_of_the_questions,
    /// Unknown things have no answer.
    LeavesUnknownOut => load_of_unknown_things_is_empty,
    /// `after` is not looked at.
    LoadIgnoresAfter => load_gives_only_events_behind_after,
    /// The first event behind a snapshot is missing.
    LoadSkipsAnEvent => load_gives_the_snapshot_and_the_events_behind_it,
    /// Any snapshot is given.
    IgnoresSnapshotSchema => load_ignores_a_snapshot_of_another_schema,
    /// A snapshot is given although the caller is ahead of it.
    IgnoresSnapshotVersion => load_ignores_a_snapshot_that_is_not_later,
    /// The first snapshot stays.
    KeepsTheFirstSnapshot => load_gives_the_newest_snapshot,
    /// At most a page of events is loaded.
    LoadsOnePage => load_is_complete_beyond_a_page,
    /// Loaded events come without their position.
    LoadForgetsPositions => load_gives_what_the_stream_gives,

    /// A directory gives all keys of its scope.
    IgnoresPrefix => directory_gives_the_keys_of_a_prefix,
    /// A directory gives keys of other scopes.
    DirectoryMixesScopes => directory_keeps_scopes_apart,
    /// A directory is sorted without case.
    DirectoryFoldsCase => directory_ascends_by_bytes,
    /// A prefix is a pattern of SQL.
    PrefixIsAPattern => directory_takes_a_prefix_literally,
    /// A directory shows keys that were released.
    DirectoryKeepsReleased => directory_forgets_released_keys,
    /// A directory is read whole.
    DirectoryWithoutBound => directory_is_bounded,

    /// Personal values do not come back.
    ForgetsPersonalValues => personal_values_come_back_with_their_event,
    /// Erasure does nothing to values.
    EraseKeepsValues => personal_values_of_an_erased_subject_come_without_content,
    /// Everybody's values are erased.
    ErasesEverybody => erase_spares_other_subjects,
    /// Only the first stream with values is erased.
    ErasesOneStream => erase_reaches_every_stream,
    /// Values that come after the erasure are kept.
    EraseForgetsLater => erase_holds_for_later_values,
    /// Values that come with the erasure are kept.
    EraseMissesItsOwnCommit => erase_holds_within_its_own_commit,
    /// Personal keys stay.
    EraseKeepsKeys => erase_frees_personal_keys,
    /// Snapshots with values stay.
    EraseKeepsSnapshots => erase_deletes_snapshots_of_streams_with_values,
    /// Snapshots that were decided on before the erasure are kept.
    EraseForgetsLaterSnapshots => erase_holds_for_later_snapshots,
    /// Events with values go.
    EraseDropsEvents => erase_keeps_money_counts_and_order,
    /// Erasing twice is refused.
    EraseOnlyOnce => erase_can_be_repeated,

    /// A scan orders by the parts of a key.
    ScanOrdersByParts => scan_gives_keys,
    /// A scan shows levels without what is held.
    ScanForgetsHeld => scan_gives_pools,
    /// A scan gives every page from the start.
    ScanIgnoresAfter => scan_gives_timers,
    /// A scan shows marks without their result.
    ScanForgetsResults => scan_gives_marks,
    /// Scanning an empty table is an error.
    EmptyTableIsAnError => scan_of_an_empty_table_is_empty,
    /// A scan ends where the row it reads behind is gone.
    ScanNeedsItsRow => scan_goes_on_behind_a_row_that_is_gone,
    /// A table is read whole.
    ScanWithoutBound => scan_page_is_bounded,

    /// A stream may stand twice in a commit.
    AcceptsAStreamTwice => form_a_stream_stands_once_in_append,
    /// An append may be empty.
    AcceptsEmptyAppends => form_an_append_has_events,
    /// A snapshot may be of any version.
    AcceptsAnySnapshot => form_a_snapshot_is_of_the_last_event,
    /// A result may be of any size.
    AcceptsLargeResults => form_a_result_is_small,

    /// What was committed is gone after reopening.
    ForgetsOnReopening => durable_commit_survives_reopening,
    /// Another handle sees the store as it was.
    ReopensACopy => shared_commits_are_seen_by_each_other,

    /// Others can commit between the checks and the writes: keys.
    KeysOutsideTheLock => race_for_a_key_has_one_winner,
    /// Others can commit between the checks and the writes: pools.
    PoolsOutsideTheLock => race_for_a_pool_has_as_many_winners_as_units,
    /// Others can commit between the checks and the writes: versions.
    VersionsOutsideTheLock => race_to_append_has_one_winner,
    /// Others can commit between the checks and the writes: marks.
    MarksOutsideTheLock => race_of_repeats_has_one_effect,
    /// Others can append between the check of an expect and the writes.
    ExpectsOutsideTheLock => race_of_expects_allows_no_write_skew,
    /// Pools are read before the lock and written behind it.
    LosesUpdates => race_over_the_same_things_in_any_order_ends,
    /// Timers are chosen before the lock and leased behind it.
    DueOutsideTheLock => race_for_due_timers_gives_each_once,
    /// A commit is applied in parts.
    CommitsInParts => race_of_readers_sees_no_commit_in_part,
    /// A load reads its parts one by one.
    LoadsInParts => race_of_readers_sees_no_commit_in_part,
    /// Positions are given out before events can be seen.
    PositionsBeforeEvents => race_of_writers_hides_no_event_from_a_follower,

    /// A lease is granted while another lasts.
    GrantsTwice => lease_excludes_others_while_it_lasts,
    /// A named lease never ends.
    LeaseNeverEnds => lease_ends_by_itself,
    /// A token is given again after a release.
    RepeatsTokens => lease_tokens_grow,
    /// Renewing gives another token.
    RenewsUnderAnotherToken => lease_is_renewed_under_its_token,
    /// Renewing does not extend.
    RenewDoesNotExtend => lease_lasts_as_long_as_it_was_renewed_for,
    /// What was lost can be renewed.
    RenewsWhatWasLost => lease_that_was_lost_is_not_renewed,
    /// A release does nothing.
    KeepsReleasedLeases => lease_that_was_released_is_free,
    /// Anyone can release a lease.
    AnyoneReleasesLeases => lease_of_another_is_not_released,
    /// Leases are looked at before the lock and granted behind it.
    GrantsOutsideTheLock => lease_race_has_one_winner,
    /// Every fence is refused.
    RefusesEveryFence => fence_lets_its_holder_commit,
    /// Fences of earlier holders pass.
    HonoursEarlierFences => fence_of_an_earlier_holder_is_refused,
    /// Fences that were never granted pass.
    HonoursUnknownFences => fence_of_nobody_is_refused,
    /// Fences of leases that are over pass.
    HonoursFencesThatAreOver => fence_of_a_lease_that_is_over_is_refused,
    /// The version is looked at before the fence.
    VersionBeforeFence => fence_is_judged_before_versions,
}
