//! Properties of customers, over histories of valid and invalid commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::kernel::aggregate::{Aggregate, Command};
use crate::kernel::codec::{Encoded, decode, encode};
use crate::kernel::event::{DomainEvent, EventId, Metadata, NewEvent};
use crate::kernel::replay::{fold, write_snapshot};
use crate::kernel::stream::{Label, Version};
use crate::value::actor::{Actor, Owner};
use crate::value::id::{AddressId, CustomerId};
use crate::value::time::Timestamp;
use crate::value::{Address, AddressInput, Email, PersonName, Phone, Reason};

const SECRET: &str = "Zebulon";

fn customer(number: usize) -> CustomerId {
    CustomerId::derived(Uuid::nil(), &[u8::try_from(number).unwrap()])
}

fn address_id(number: u8) -> AddressId {
    AddressId::derived(Uuid::nil(), &[number])
}

fn email(number: u8, spelling: bool) -> Email {
    let local = if spelling { SECRET.to_lowercase() } else { SECRET.to_uppercase() };
    Email::new(&format!("{local}{number}@example.com")).unwrap()
}

fn address(number: u8) -> Address {
    Address::new(&AddressInput {
        recipient: SECRET.into(),
        line1: format!("{SECRET}gasse {number}"),
        city: "Wien".into(),
        postcode: Some("1010".into()),
        country: "AT".into(),
        ..AddressInput::default()
    })
    .unwrap()
}

fn at(seconds: u8) -> Timestamp {
    Timestamp::UNIX_EPOCH.plus(std::time::Duration::from_secs(seconds.into()))
}

fn kind() -> impl Strategy<Value = AddressKind> {
    prop_oneof![Just(AddressKind::Shipping), Just(AddressKind::Billing)]
}

pub(crate) fn command(who: usize) -> impl Strategy<Value = CustomerCommand> {
    let key = |email: &Email| email_key(b"shop", email);
    let emails = || (0..3_u8, any::<bool>()).prop_map(|(number, spelling)| email(number, spelling));
    let name = |number: u8| PersonName::new(&format!("{SECRET} {number}")).unwrap();
    let phone = |number: u8| Phone::new(&format!("+43 1 55555{number}")).unwrap();
    prop_oneof![
        3 => (emails(), 0..2_u8).prop_map(move |(email, n)| CustomerCommand::Register {
            customer: customer(who), key: key(&email), email, name: name(n), phone: Some(phone(n)),
        }),
        2 => (0..2_u8, 0..3_u8).prop_map(move |(n, p)| CustomerCommand::UpdateProfile {
            name: Some(name(n)),
            phone: match p { 0 => PhoneChange::Keep, 1 => PhoneChange::Clear, _ => PhoneChange::Set(phone(n)) },
        }),
        3 => (emails(), 0..2_u8, 0..9_u8).prop_map(move |(email, token, expires)| {
            let token = TokenHash::of(&token.to_string());
            CustomerCommand::RequestEmailChange { key: key(&email), email, token, expires: at(expires) }
        }),
        3 => (0..2_u8).prop_map(|token| CustomerCommand::VerifyEmailChange {
            token: TokenHash::of(&token.to_string()),
        }),
        5 => (0..5_u8, kind(), any::<bool>()).prop_map(|(n, kind, default)| CustomerCommand::AddAddress {
            id: address_id(n), kind, address: address(n), default,
        }),
        2 => (0..5_u8, 0..3_u8).prop_map(|(id, n)| CustomerCommand::ChangeAddress {
            id: address_id(id), address: address(n),
        }),
        3 => (0..5_u8, any::<bool>()).prop_map(|(id, keep)| CustomerCommand::RemoveAddress {
            id: address_id(id), last: if keep { LastAddress::Stays } else { LastAddress::MayGo },
        }),
        2 => (0..5_u8).prop_map(|id| CustomerCommand::SetDefaultAddress { id: address_id(id) }),
        1 => Just(CustomerCommand::Deactivate { reason: Some(Reason::new(SECRET).unwrap()) }),
        1 => Just(CustomerCommand::Reactivate),
        1 => Just(CustomerCommand::Erase),
    ]
}

fn history() -> impl Strategy<Value = Vec<(usize, CustomerCommand, u8)>> {
    let step = (0..3_usize, 0..9_u8).prop_flat_map(|(who, now)| (Just(who), command(who), Just(now)));
    prop::collection::vec(step, 1..40)
}

/// Three customers, their log, and the unique keys as a store keeps them.
#[derive(Default)]
struct Shop {
    states: [Option<Customer>; 3],
    logs: [Vec<CustomerEvent>; 3],
    keys: BTreeMap<Arc<str>, usize>,
}

impl Shop {
    /// Carries a command out; false where the customer or the store refuses.
    fn give(&mut self, who: usize, command: CustomerCommand, now: Timestamp) -> bool {
        let Ok(events) = Customer::decide(self.states[who].as_ref(), command, now) else { return false };
        let mut keys = self.keys.clone();
        for event in &events {
            let effects = Customer::effects(customer(who), event);
            for key in effects.releases {
                assert_eq!(key.scope, EMAIL_SCOPE);
                if keys.get(&key.key) == Some(&who) {
                    keys.remove(&key.key);
                }
            }
            for claim in effects.claims {
                assert_eq!(claim.subject, Some(customer(who).cast()));
                if *keys.entry(claim.key.key).or_insert(who) != who {
                    return false;
                }
            }
            if matches!(event, CustomerEvent::Erased) {
                keys.retain(|_, owner| *owner != who);
            }
        }
        self.keys = keys;
        self.states[who] = fold(self.states[who].take(), &events).unwrap();
        self.logs[who].extend(events);
        true
    }
}

fn stored(event: &CustomerEvent, keep: bool) -> NewEvent {
    let Encoded { data, mut personal } = encode(event).unwrap();
    assert!(!String::from_utf8_lossy(&data).to_lowercase().contains(&SECRET.to_lowercase()));
    if !keep {
        for value in &mut personal {
            value.value = None;
        }
    }
    let metadata = Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System };
    let id = EventId::derived(Uuid::nil(), b"e");
    NewEvent { id, name: Label::Borrowed(event.name()), schema: 1, at: at(0), metadata, data, personal }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// customers-1, customers-6: who is active owns the key of their e-mail address, and nobody else.
    #[test]
    fn customers_1_email_is_unique_among_active(history in history()) {
        let mut shop = Shop::default();
        for (who, command, now) in history {
            let before = shop.states[who].as_ref().and_then(|known| known.email().cloned());
            let verifies = matches!(command, CustomerCommand::VerifyEmailChange { .. });
            let registers = matches!(command, CustomerCommand::Register { .. });
            let erases = matches!(command, CustomerCommand::Erase);
            let done = shop.give(who, command, at(now));
            let after = shop.states[who].as_ref().and_then(|known| known.email().cloned());
            let text = |email: &Option<Email>| email.as_ref().map(|email| email.as_str().to_owned());
            prop_assert!(text(&before) == text(&after) || (done && (verifies || registers || erases)));
            let active = |known: &&Customer| known.status() == CustomerStatus::Active;
            let held: usize = shop.states.iter().flatten().filter(active).count();
            prop_assert_eq!(shop.keys.len(), held);
            for (index, known) in shop.states.iter().enumerate() {
                if let Some(email) = known.as_ref().filter(active).and_then(Customer::email) {
                    prop_assert_eq!(shop.keys.get(&Arc::from(email_key(b"shop", email))), Some(&index));
                }
            }
        }
    }

    /// customers-3: of each kind exactly one default, where there is any address.
    #[test]
    fn customers_3_one_default_address_per_kind(history in history()) {
        let mut shop = Shop::default();
        for (who, command, now) in history {
            shop.give(who, command, at(now));
            for known in shop.states.iter().flatten() {
                for kind in [AddressKind::Shipping, AddressKind::Billing] {
                    let of_kind = || known.addresses().values().filter(|stored| stored.kind == kind);
                    let defaults = of_kind().filter(|stored| stored.default).count();
                    prop_assert_eq!(defaults, usize::from(of_kind().count() > 0));
                    prop_assert_eq!(known.default_address(kind).is_some(), defaults == 1);
                }
            }
        }
    }

    /// customers-4: under the strict policy a book that had an address keeps one.
    #[test]
    fn customers_4_last_address_stays_under_strict_policy(history in history()) {
        let mut shop = Shop::default();
        for (who, command, now) in history {
            let strict = matches!(command, CustomerCommand::RemoveAddress { last: LastAddress::Stays, .. });
            let removed = shop.give(who, command, at(now)) && strict;
            let book = shop.states[who].as_ref().map(Customer::addresses);
            prop_assert!(!removed || book.is_some_and(|book| !book.is_empty()));
        }
    }

    /// customers-5: a copy of an address, as an order takes it, survives whatever happens to the book.
    #[test]
    fn customers_5_copies_of_addresses_do_not_change(history in history()) {
        let mut shop = Shop::default();
        let mut copies = Vec::new();
        for (who, command, now) in history {
            shop.give(who, command, at(now));
            let books = shop.states.iter().flatten().flat_map(|known| known.addresses().values());
            copies.extend(books.filter_map(|stored| stored.address.get()).map(|a| (a.clone(), a.line1().to_owned())));
        }
        prop_assert!(copies.iter().all(|(copy, line1)| copy.line1() == line1));
    }

    /// customers-10: what is stored of an erased customer still folds, and holds nothing personal.
    #[test]
    fn customers_10_erasure_leaves_nothing_personal(history in history()) {
        let mut shop = Shop::default();
        for (who, command, now) in history {
            shop.give(who, command, at(now));
        }
        for (state, log) in shop.states.iter().zip(&shop.logs) {
            let read = |keep: bool| -> Vec<CustomerEvent> {
                log.iter().map(|event| decode(&stored(event, keep)).unwrap()).collect()
            };
            prop_assert_eq!(&read(true), log);
            prop_assert_eq!(&fold(None, &read(true)).unwrap(), state);
            let Some(gone): Option<Customer> = fold(None, &read(false)).unwrap() else { continue };
            let addresses = state.as_ref().map(|known| known.addresses().len());
            prop_assert_eq!(Some(gone.addresses().len()), addresses);
            prop_assert!(gone.email().is_none() && gone.name().is_none() && gone.phone().is_none());
            let erased = state.as_ref().filter(|known| known.status() == CustomerStatus::Erased);
            for known in erased.into_iter().chain([&gone]) {
                let snapshot = write_snapshot(known, Version::new(1)).unwrap();
                let json = String::from_utf8_lossy(&snapshot.data).to_lowercase();
                prop_assert!(!json.contains(&SECRET.to_lowercase()));
            }
            let rebuilt = read(false).iter().all(|event| Customer::effects(gone.id(), event).claims.is_empty());
            prop_assert!(rebuilt, "an erased key is taken again");
            let shown = format!("{state:?}{log:?}").to_lowercase();
            prop_assert!(!shown.contains(&SECRET.to_lowercase()));
        }
    }

    /// Commands show nothing personal, and claim no owner but the customer.
    #[test]
    fn customers_2_commands_are_redacted(command in command(1)) {
        let shown = format!("{command:?}");
        let free_text = matches!(command, CustomerCommand::Deactivate { .. });
        prop_assert!(free_text || !shown.contains(SECRET));
        let owner = Owner::Subject(customer(1).cast());
        prop_assert!(command.claims_owner().is_none_or(|claimed| claimed == owner));
    }
}

#[test]
fn customers_6_a_change_of_email_needs_the_token_in_time() {
    let mut shop = Shop::default();
    let (old, new) = (email(0, true), email(1, true));
    let key = |email: &Email| email_key(b"shop", email);
    let name = PersonName::new("Ana").unwrap();
    let register =
        CustomerCommand::Register { customer: customer(0), key: key(&old), email: old, name, phone: None };
    let (right, wrong) = (TokenHash::of("right"), TokenHash::of("wrong"));
    let request =
        CustomerCommand::RequestEmailChange { key: key(&new), email: new, token: right, expires: at(5) };
    assert!(shop.give(0, register, at(0)) && shop.give(0, request, at(0)));
    let verify = |token, now| {
        Customer::decide(shop.states[0].as_ref(), CustomerCommand::VerifyEmailChange { token }, at(now))
    };
    assert_eq!(verify(wrong, 1), Err(CustomerError::WrongToken));
    assert_eq!(verify(right, 5), Err(CustomerError::TokenExpired));
    assert!(verify(right, 4).is_ok());
    assert!(shop.give(0, CustomerCommand::VerifyEmailChange { token: right }, at(4)));
    let again = CustomerCommand::VerifyEmailChange { token: right };
    assert_eq!(Customer::decide(shop.states[0].as_ref(), again, at(4)), Err(CustomerError::NoEmailChange));
}

#[test]
fn customers_9_who_is_deactivated_cannot_order() {
    let mut shop = Shop::default();
    let (email, name) = (email(0, true), PersonName::new("Ana").unwrap());
    let key = email_key(b"shop", &email);
    shop.give(0, CustomerCommand::Register { customer: customer(0), email, key, name, phone: None }, at(0));
    assert_eq!(shop.states[0].as_ref().unwrap().may_order(), Ok(()));
    shop.give(0, CustomerCommand::Deactivate { reason: None }, at(0));
    let known = shop.states[0].as_ref().unwrap();
    assert_eq!(known.may_order(), Err(CustomerError::Deactivated));
    assert!(known.email().is_some() && shop.keys.is_empty());
}
