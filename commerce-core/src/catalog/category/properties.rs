//! Properties of the tree, over histories of valid and invalid commands.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::kernel::aggregate::Aggregate;
use crate::kernel::replay::fold;
use crate::value::id::CategoryId;
use crate::value::time::Timestamp;
use crate::value::{Name, Slug};

fn id(number: u8) -> CategoryId {
    CategoryId::derived(Uuid::nil(), &[number])
}

fn name(number: u8) -> Name {
    Name::new(&format!("Category {number}")).unwrap()
}

fn slug(number: u8) -> Slug {
    Slug::new(&format!("category-{number}")).unwrap()
}

pub(crate) fn command() -> impl Strategy<Value = CategoryCommand> {
    let any = || (0..12_u8).prop_map(id);
    let maybe = || prop::option::of((0..12_u8).prop_map(id));
    prop_oneof![
        6 => (0..12_u8, 0..14_u8, maybe(), 0..3_i32).prop_map(|(n, s, parent, sort)| {
            CategoryCommand::Create { category: id(n), name: name(n), slug: slug(s), parent, sort }
        }),
        1 => (any(), 0..14_u8).prop_map(|(category, n)| {
            CategoryCommand::Rename { category, name: name(n), slug: slug(n) }
        }),
        5 => (any(), maybe(), 0..3_i32)
            .prop_map(|(category, parent, sort)| CategoryCommand::Move { category, parent, sort }),
        2 => (any(), maybe())
            .prop_map(|(category, successor)| CategoryCommand::Delete { category, successor }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// catalog-4: no cycle; the path of a category is that of its parent and itself.
    #[test]
    fn catalog_4_categories_form_a_forest(commands in prop::collection::vec(command(), 1..60)) {
        let mut tree: Option<CategoryTree> = None;
        for command in commands {
            let Ok(events) = CategoryTree::decide(tree.as_ref(), command, Timestamp::UNIX_EPOCH) else {
                continue;
            };
            tree = fold(tree, &events).unwrap();
            let Some(tree) = &tree else { continue };
            let mut slugs = BTreeSet::new();
            for (category, known) in tree.categories() {
                let mut path = known.parent.map(|parent| tree.path(parent)).unwrap_or_default();
                prop_assert!(known.parent.is_none() || !path.is_empty());
                prop_assert!(!path.contains(category));
                path.push(*category);
                prop_assert_eq!(tree.path(*category), path);
                prop_assert!(slugs.insert(&known.slug));
            }
            let reached: usize = {
                let mut open = tree.children(None);
                let mut count = 0;
                while let Some(next) = open.pop() {
                    count += 1;
                    open.extend(tree.children(Some(next)));
                }
                count
            };
            prop_assert_eq!(reached, tree.categories().len());
        }
    }

    /// catalog-3: a category that a product was put into is, whatever happens, a living one or has an heir.
    #[test]
    fn catalog_3_products_never_lose_their_category(commands in prop::collection::vec(command(), 1..60)) {
        let mut tree: Option<CategoryTree> = None;
        let mut used = BTreeSet::new();
        for command in commands {
            let Ok(events) = CategoryTree::decide(tree.as_ref(), command, Timestamp::UNIX_EPOCH) else {
                continue;
            };
            tree = fold(tree, &events).unwrap();
            let Some(tree) = &tree else { continue };
            used.extend(tree.categories().keys().copied());
            for category in &used {
                let heir = tree.resolve(*category);
                prop_assert!(heir.is_some_and(|heir| tree.check([&heir]).is_ok()));
                prop_assert!(!tree.with_ancestors([category]).is_empty());
            }
        }
    }
}

#[test]
fn catalog_4_a_category_cannot_stand_below_itself_and_a_root_needs_a_successor() {
    let create = |n: u8, parent| CategoryCommand::Create {
        category: id(n),
        name: name(n),
        slug: slug(n),
        parent,
        sort: 0,
    };
    let give = |tree: Option<CategoryTree>, command| {
        let events = CategoryTree::decide(tree.as_ref(), command, Timestamp::UNIX_EPOCH).unwrap();
        fold(tree, &events).unwrap()
    };
    let tree = give(give(None, create(0, None)), create(1, Some(id(0))));
    let refuse = |command| CategoryTree::decide(tree.as_ref(), command, Timestamp::UNIX_EPOCH).unwrap_err();
    let below = CategoryCommand::Move { category: id(0), parent: Some(id(1)), sort: 0 };
    assert_eq!(refuse(below), CategoryError::Cycle { category: id(0) });
    let delete = |n, successor| CategoryCommand::Delete { category: id(n), successor };
    assert_eq!(refuse(delete(0, None)), CategoryError::NoSuccessor { category: id(0) });
    assert_eq!(refuse(delete(0, Some(id(1)))), CategoryError::Cycle { category: id(0) });
    let tree = give(tree.clone(), delete(1, None)).unwrap();
    assert_eq!(tree.resolve(id(1)), Some(id(0)));
}
