//! Histories of customers.

use commerce_core::customers::{
    AddressKind, Customer, CustomerCommand, EmailKey, LastAddress, PhoneChange, TokenHash, email_key,
};
use commerce_core::value::{Email, PersonName, Phone};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::{Storied, address, email, few, nth, reason, soon};

fn keyed() -> impl Strategy<Value = (Email, EmailKey)> {
    email().prop_map(|email| {
        let key = email_key(b"a shop's key", &email);
        (email, key)
    })
}

fn name() -> impl Strategy<Value = PersonName> {
    select(vec!["Erika Mustermann", "José", "田中"])
        .prop_filter_map("a name", |text| PersonName::new(text).ok())
}

fn phone_number() -> impl Strategy<Value = Phone> {
    select(vec!["+49 221 1234567", "+33 1 23 45 67 89"])
        .prop_filter_map("a number", |text| Phone::new(text).ok())
}

fn token() -> impl Strategy<Value = TokenHash> {
    select(vec!["token", "another token"]).prop_map(TokenHash::of)
}

impl Storied for Customer {
    fn begins() -> BoxedStrategy<CustomerCommand> {
        (keyed(), name(), option::of(phone_number()))
            .prop_map(|((email, key), name, phone)| CustomerCommand::Register {
                customer: nth(0),
                email,
                key,
                name,
                phone,
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<CustomerCommand> {
        use CustomerCommand as C;
        let phone = prop_oneof![
            Just(PhoneChange::Keep),
            phone_number().prop_map(PhoneChange::Set),
            Just(PhoneChange::Clear),
        ];
        let kind = select(vec![AddressKind::Shipping, AddressKind::Billing]);
        prop_oneof![
            3 => (option::of(name()), phone)
                .prop_map(|(name, phone)| C::UpdateProfile { name, phone }),
            3 => (keyed(), token(), soon()).prop_map(|((email, key), token, expires)| {
                C::RequestEmailChange { email, key, token, expires }
            }),
            3 => token().prop_map(|token| C::VerifyEmailChange { token }),
            4 => (few(), kind, address(), any::<bool>())
                .prop_map(|(id, kind, address, default)| C::AddAddress { id, kind, address, default }),
            2 => (few(), address()).prop_map(|(id, address)| C::ChangeAddress { id, address }),
            2 => (few(), select(vec![LastAddress::MayGo, LastAddress::Stays]))
                .prop_map(|(id, last)| C::RemoveAddress { id, last }),
            2 => few().prop_map(|id| C::SetDefaultAddress { id }),
            1 => option::of(reason()).prop_map(|reason| C::Deactivate { reason }),
            1 => Just(C::Reactivate),
            1 => Just(C::Erase),
        ]
        .boxed()
    }
}
