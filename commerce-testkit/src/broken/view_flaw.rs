//! The breaks of views.

breaks! {
    /// One way to break the contract of a store of views.
    pub enum ViewBreak;

    /// A view that was never defined has a generation that is read.
    KnowsEveryView => view_unknown_has_no_state,
    /// The generation that was defined last is read.
    LastGenerationIsRead => view_first_generation_is_read,
    /// Defining a generation again is refused.
    DefinesOnce => view_is_defined_again,
    /// Other fields are taken for the same.
    AcceptsOtherFields => view_with_other_fields_differs,
    /// A generation below the one that is read is defined.
    DefinesWhatIsRetired => view_below_the_one_that_is_read_is_retired,
    /// A schema is not checked.
    AcceptsAnySchema => view_schema_is_checked,
    /// Slices come in another order.
    SlicesInAnyOrder => view_state_tells_generations_and_slices,
    /// A write leaves the checkpoint where it was.
    KeepsTheCheckpoint => view_write_moves_the_checkpoint,
    /// A refusal names another place.
    MovedFromTheStart => view_write_elsewhere_is_moved,
    /// Documents that fit are written although one does not.
    WritesWhatFits => view_refused_write_changes_nothing,
    /// The first change of a document counts.
    FirstChangeCounts => view_last_change_of_a_document_counts,
    /// Fields of the document before are kept.
    AddsToDocuments => view_document_is_replaced_whole,
    /// Nothing is removed.
    RemovesNothing => view_removes_documents,
    /// Removing what is not there is refused.
    RemovesOnlyWhatIsThere => view_removes_what_is_not_there,
    /// Writing a view that was never defined succeeds.
    DefinesWhatItWrites => view_unknown_is_not_written,
    /// Whoever loses a race is told that they have written.
    LosersSucceed => view_race_of_writers_has_one_winner,
    /// Where a write starts from does not count.
    LastWriterWins => view_refused_write_changes_nothing,
    /// A switch does nothing.
    NeverSwitches => view_switches_to_a_generation,
    /// A generation that was removed is written.
    WritesToTheRetired => view_switch_removes_earlier_generations,
    /// Switching again is refused.
    SwitchesOnce => view_switch_is_repeated,
    /// Switching back succeeds.
    SwitchesBack => view_switch_back_is_retired,
    /// Switching to what is not there succeeds.
    SwitchesToNothing => view_switch_needs_the_generation,
    /// Documents come in the order of the store.
    AnswersSorted => view_documents_come_in_the_order_of_their_ids,
    /// What is not there is left out.
    LeavesOutWhatIsNotThere => view_document_that_is_not_there_is_none,
    /// The generation that is read is always asked.
    IgnoresTheGeneration => view_generation_can_be_named,
    /// An unknown view is empty.
    ReadsWhatIsUnknown => view_unknown_is_not_read,
    /// A filter on a value is ignored.
    IgnoresIs => view_filter_is,
    /// A filter on one of several texts is ignored.
    IgnoresOneOfSeveral => view_filter_finds_one_of_several_texts,
    /// A filter on one of several values is ignored.
    IgnoresOneOf => view_filter_one_of,
    /// A lower bound is ignored.
    IgnoresAtLeast => view_filter_at_least,
    /// An upper bound is ignored.
    IgnoresBelow => view_filter_below,
    /// Only the first filter counts.
    OneFilterCounts => view_filters_hold_together,
    /// Words are ignored.
    IgnoresTheSearch => view_search_finds_beginnings_of_words,
    /// Only the first word counts.
    OneWordCounts => view_search_needs_every_word,
    /// What does not fit the fields is ignored.
    AcceptsAnyQuestion => view_question_has_to_fit,
    /// The order is ignored.
    IgnoresTheSort => view_is_sorted_by_a_field,
    /// The direction is ignored.
    IgnoresTheDirection => view_is_sorted_downwards,
    /// Capitals and small letters are sorted alike.
    SortsTextsWithoutCase => view_texts_are_sorted_by_their_bytes,
    /// Equal ones come in another order.
    EqualOnesInAnyOrder => view_equal_ones_are_sorted_by_id,
    /// The last document of a page is the first of the next one.
    RepeatsTheLastOfAPage => view_pages_join,
    /// A page begins anew where its cursor's document is gone.
    ForgetsWhereItWas => view_page_begins_behind_what_is_gone,
    /// A page is one too long.
    OneMoreThanTheLimit => view_page_has_at_most_its_limit,
    /// A page may be of any size.
    AnyPageSize => view_page_is_bounded,
    /// Nothing is said to follow.
    NothingFollows => view_page_tells_whether_more_follow,
    /// A cursor of another order is ignored.
    AcceptsAnyCursor => view_cursor_has_to_fit,
    /// Counts come in another order.
    CountsInAnyOrder => view_values_are_counted,
    /// Every document is counted.
    CountsEverything => view_counts_follow_the_selection,
    /// Of several texts one is counted.
    CountsSeveralTextsOnce => view_texts_are_counted_one_by_one,
    /// All values are given.
    IgnoresTheLimitOfValues => view_counts_are_limited,
    /// More values are given than there may be.
    AnyNumberOfValues => view_counts_are_bounded,
    /// Counts that are not whole are said to be.
    SaysThatCountsAreWhole => view_counting_ends_somewhere,
}
