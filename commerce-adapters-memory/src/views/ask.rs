//! Answers by looking at every document.

use std::collections::BTreeMap;

use commerce_core::port::view::{
    Direction, Document, FacetCount, FacetQuery, Facets, FieldValue, MAX_FACET_VALUES, MAX_MATCHES,
    MAX_VIEW_PAGE, ViewPage, ViewQuery,
};

pub(super) fn page<'d>(documents: impl Iterator<Item = &'d Document>, query: &ViewQuery) -> ViewPage {
    let place = |document: &'d Document| {
        let field = query.sort.field.as_ref();
        (field.and_then(|field| document.fields.get(field)), &document.id)
    };
    let ascending = query.sort.direction == Direction::Ascending;
    let behind = |document: &&Document| {
        let Some(cursor) = &query.after else { return true };
        let last = (cursor.value.as_ref(), &cursor.id);
        let here = (query.sort.field.as_ref().and_then(|field| document.fields.get(field)), &document.id);
        if ascending { here > last } else { here < last }
    };
    let mut selected: Vec<&Document> =
        documents.filter(|document| query.selection.selects(document)).filter(behind).collect();
    selected.sort_unstable_by(|left, right| {
        let order = place(left).cmp(&place(right));
        if ascending { order } else { order.reverse() }
    });
    let limit = query.limit.min(MAX_VIEW_PAGE) as usize;
    let more = selected.len() > limit;
    let documents: Vec<Document> = selected.into_iter().take(limit).cloned().collect();
    let next = documents.last().filter(|_| more).map(|last| query.cursor(last));
    ViewPage { documents, next }
}

pub(super) fn facets<'d>(documents: impl Iterator<Item = &'d Document>, query: &FacetQuery) -> Facets {
    let mut counted: Vec<BTreeMap<FieldValue, u64>> = vec![BTreeMap::new(); query.fields.len()];
    let mut answer = Facets::default();
    for document in documents.filter(|document| query.selection.selects(document)) {
        if answer.matches == MAX_MATCHES {
            answer.more = true;
            break;
        }
        answer.matches = answer.matches.saturating_add(1);
        for (field, counts) in query.fields.iter().zip(&mut counted) {
            for value in values(document, field) {
                let count = counts.entry(value).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    for (field, counts) in query.fields.iter().zip(counted) {
        let mut counts: Vec<FacetCount> =
            counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
        // Values ascend already, and the sort keeps the order of equal ones.
        counts.sort_by_key(|counted| std::cmp::Reverse(counted.count));
        counts.truncate(query.limit.min(MAX_FACET_VALUES) as usize);
        answer.fields.push((field.clone(), counts));
    }
    answer
}

fn values(document: &Document, field: &str) -> Vec<FieldValue> {
    match document.fields.get(field) {
        Some(FieldValue::Texts(texts)) => texts.iter().cloned().map(FieldValue::Text).collect(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    }
}
