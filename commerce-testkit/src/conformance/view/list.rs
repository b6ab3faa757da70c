//! Every check of views with its clause.

use super::super::suite::{PortCheck, port_checks};
use super::fixture::ViewFixture;
use super::{asking, counting, paging, reading, writing};

/// Hands the checks of the `ViewStore` port to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __view_checks {
    ([$($with:tt)+] $context:tt) => { $($with)+! { $context
        { writing view_unknown_has_no_state
            "state: a view that was never defined is an empty answer." }
        { writing view_first_generation_is_read
            "define: the first generation of a view is the one that is read." }
        { writing view_is_defined_again
            "define: repeating it does nothing." }
        { writing view_with_other_fields_differs
            "define: the same generation with other fields is `Differs`." }
        { writing view_below_the_one_that_is_read_is_retired
            "define: one below that which is read is `Retired`." }
        { writing view_schema_is_checked
            "define: a schema that breaks the rules is `Invalid`." }
        { writing view_state_tells_generations_and_slices
            "state: generations and slices ascending." }
        { writing view_write_moves_the_checkpoint
            "write: documents and how far the log was followed." }
        { writing view_write_elsewhere_is_moved
            "write: `Moved` where the checkpoint is not `batch.after`, and where it is." }
        { writing view_refused_write_changes_nothing
            "write: all or nothing; a refusal changes nothing." }
        { writing view_last_change_of_a_document_counts
            "write: changes are made in their order; the last of a document counts." }
        { writing view_document_is_replaced_whole
            "write: the document is as given, whatever was there." }
        { writing view_removes_documents
            "write: a removed document is gone." }
        { writing view_removes_what_is_not_there
            "write: removing what is not there does nothing." }
        { writing view_unknown_is_not_written
            "write: `Unknown` where there is no such generation." }
        { writing view_race_of_writers_has_one_winner
            "Races: one of the writers from one place wins." }
        { writing view_switches_to_a_generation
            "switch: lets a generation be the one that is read." }
        { writing view_switch_removes_earlier_generations
            "switch: removes the earlier generations." }
        { writing view_switch_is_repeated
            "switch: repeating it does nothing." }
        { writing view_switch_back_is_retired
            "switch: one below that which is read is `Retired`." }
        { writing view_switch_needs_the_generation
            "switch: `Unknown` where there is no such generation." }
        { reading view_documents_come_in_the_order_of_their_ids
            "get: in the order of the ids." }
        { reading view_document_that_is_not_there_is_none
            "get: `None` for what is not there." }
        { reading view_generation_can_be_named
            "get, find: of the generation that is named." }
        { reading view_unknown_is_not_read
            "get, find: `Unknown` where there is no such view or generation." }
        { asking view_filter_is
            "find: the field is this." }
        { asking view_filter_finds_one_of_several_texts
            "find: the field holds this text among others." }
        { asking view_filter_one_of
            "find: the field is one of these." }
        { asking view_filter_at_least
            "find: the field is not below this; a document without it does not meet it." }
        { asking view_filter_below
            "find: the field is below this; a document without it does not meet it." }
        { asking view_filters_hold_together
            "find: all filters hold." }
        { asking view_search_finds_beginnings_of_words
            "find: a word of the search begins a word of the document's text." }
        { asking view_search_needs_every_word
            "find: every word of the search; nothing else in it has a meaning." }
        { asking view_question_has_to_fit
            "find, facets: `Invalid` where the question does not fit the fields." }
        { paging view_is_sorted_by_a_field
            "find: sorted by one field." }
        { paging view_is_sorted_downwards
            "find: greatest first." }
        { paging view_texts_are_sorted_by_their_bytes
            "find: texts by their bytes." }
        { paging view_equal_ones_are_sorted_by_id
            "find: equal ones by id, in the same direction." }
        { paging view_pages_join
            "find: pages together are the whole." }
        { paging view_page_begins_behind_what_is_gone
            "find: behind the cursor, also where its document is gone." }
        { paging view_page_has_at_most_its_limit
            "find: at most `limit`." }
        { paging view_page_is_bounded
            "find: at most MAX_VIEW_PAGE." }
        { paging view_page_tells_whether_more_follow
            "find: `next` is there where more may follow." }
        { paging view_cursor_has_to_fit
            "find: `Invalid` where the cursor is of another order." }
        { counting view_values_are_counted
            "facets: the most frequent first, equal ones ascending." }
        { counting view_counts_follow_the_selection
            "facets: among the documents that are selected." }
        { counting view_texts_are_counted_one_by_one
            "facets: a text of several counts once for each." }
        { counting view_counts_are_limited
            "facets: at most `limit` values." }
        { counting view_counts_are_bounded
            "facets: at most MAX_FACET_VALUES values." }
        { counting view_counting_ends_somewhere
            "facets: no more than MAX_MATCHES documents are looked at, and the answer says so." }
    } };
}

/// Writes one `#[test]` per clause of the `ViewStore` port's contract.
///
/// Takes an async factory of fresh, empty stores of views: its output is a
/// [`ViewFixture`](crate::conformance::ViewFixture) or an `Arc<dyn ViewStore>`. A store that needs a runtime
/// names what runs a future on it, as for [`store_conformance!`](crate::store_conformance).
#[macro_export]
macro_rules! view_conformance {
    ($factory:expr $(,)?) => {
        $crate::view_conformance!($factory, block_on = $crate::conformance::block_on);
    };
    ($factory:expr, block_on = $block_on:expr $(,)?) => {
        $crate::__view_checks!([$crate::__port_tests] [$crate::conformance::view_checks, $factory, $block_on]);
    };
}

/// The checks of the `ViewStore` port, one per clause.
pub fn view_checks() -> Vec<PortCheck<ViewFixture>> {
    crate::__view_checks!([port_checks] [])
}
