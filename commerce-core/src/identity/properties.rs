//! Properties of the permission check.

use proptest::prelude::*;
use uuid::Uuid;

use super::permission::TABLE;
use super::*;
use crate::kernel::aggregate::Permission;
use crate::value::actor::{Actor, Owner};
use crate::value::id::SubjectId;

fn person(number: u8) -> SubjectId {
    SubjectId::derived(Uuid::nil(), &[number])
}

fn actor() -> impl Strategy<Value = Actor> {
    (0..5_u8, 0..3_u8).prop_map(|(kind, number)| match kind {
        0 => Actor::System,
        1 => Actor::Guest(person(number)),
        2 => Actor::User(person(number).cast()),
        3 => Actor::Seller(person(number).cast()),
        _ => Actor::Admin(person(number).cast()),
    })
}

fn owner() -> impl Strategy<Value = Option<Owner>> {
    (0..4_u8, 0..3_u8).prop_map(|(kind, number)| match kind {
        0 => None,
        1 => Some(Owner::Shop),
        2 => Some(Owner::Subject(person(number))),
        _ => Some(Owner::Seller(person(number).cast())),
    })
}

fn permission() -> impl Strategy<Value = Permission> {
    let unknown = prop_oneof![
        Just(Permission::new("order", "steal")),
        Just(Permission::new("", "")),
        Just(Permission::new("planet", "read")),
    ];
    prop_oneof![8 => prop::sample::select(TABLE).prop_map(|(known, _)| known), 1 => unknown]
}

fn permissions() -> impl Strategy<Value = Vec<Permission>> {
    prop::collection::vec(permission(), 0..6)
}

fn with(actor: Actor, grants: &[Permission], denies: &[Permission]) -> Principal {
    let granted = grants.iter().fold(Principal::new(actor), |principal, grant| principal.grant(*grant));
    denies.iter().fold(granted, |principal, deny| principal.deny(*deny))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// identity-2: role ∪ grants − denies, monotone in grants, roles nested.
    #[test]
    fn identity_2_effective_permissions_are_role_and_grants_without_denies(
        actor in actor(), grants in permissions(), denies in permissions(),
        more in permission(), asked in permission(),
    ) {
        let principal = with(actor, &grants, &denies);
        let denied = denies.contains(&asked) && actor != Actor::System;
        let expected = !denied && (grants.contains(&asked) || Role::of(actor) >= least_role(asked));
        prop_assert_eq!(principal.may(asked), expected);
        prop_assert!(!principal.may(asked) || principal.clone().grant(more).may(asked));
        let ladder = [
            Actor::Guest(person(0)), Actor::User(person(0).cast()),
            Actor::Seller(person(0).cast()), Actor::Admin(person(0).cast()), Actor::System,
        ];
        for pair in ladder.windows(2) {
            prop_assert!(!Principal::new(pair[0]).may(asked) || Principal::new(pair[1]).may(asked));
        }
    }

    /// identity-3: total; what is unknown is for staff only, whatever it is called.
    #[test]
    fn identity_3_unknown_is_denied(
        actor in actor(), owner in owner(), resource in "[a-z_]{0,12}", action in "[a-z-]{0,12}",
    ) {
        let known = find(&resource, &action).is_some();
        let asked = Permission::new(resource.leak(), action.leak());
        let staff = Role::of(actor) == Role::Admin;
        prop_assert!(known || authorise(&Principal::new(actor), asked, owner).is_ok() == staff);
    }

    /// identity-4: what belongs to another is out of reach, also with a grant.
    #[test]
    fn identity_4_ownership(actor in actor(), owner in owner(), grants in permissions(), asked in permission()) {
        let allowed = authorise(&with(actor, &grants, &[]), asked, owner).is_ok();
        if let (true, Some(owner)) = (allowed, owner) {
            prop_assert!(owner.is(actor));
        }
        if let Some(owner) = owner.filter(|owner| !owner.is(actor)) {
            prop_assert!(authorise(&with(actor, &grants, &[]).grant(asked), asked, Some(owner)).is_err());
        }
        let may = with(actor, &grants, &[]).may(asked);
        prop_assert_eq!(allowed, may && owner.is_none_or(|owner| owner.is(actor)));
    }
}

#[test]
fn the_table_has_no_permission_twice_and_is_spelled_alike() {
    let mut known: Vec<Permission> = TABLE.iter().map(|(permission, _)| *permission).collect();
    known.sort_unstable();
    let count = known.len();
    known.dedup();
    assert_eq!(known.len(), count);
    for permission in known {
        assert!(permission.resource.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{permission}");
        assert!(permission.action.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{permission}");
    }
}

#[test]
fn guests_may_fill_a_cart_and_check_out() {
    let guest = Principal::new(Actor::Guest(person(1)));
    let own = Some(Owner::Subject(person(1)));
    for (resource, action) in [("cart", "create"), ("cart", "add-line"), ("checkout", "start")] {
        let asked = find(resource, action).unwrap();
        assert_eq!(authorise(&guest, asked, own), Ok(()));
        let others = Some(Owner::Subject(person(2)));
        assert_eq!(authorise(&guest, asked, others), Err(Denied::NotOwner { permission: asked }));
    }
}
