//! What is decided right at a boundary, and what the same command comes to when it is given again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commerce_core::carts::cart::MAX_CODES;
use commerce_core::carts::{Cart, CartCommand, CartError};
use commerce_core::catalog::{
    CategoryError, CategoryTree, PricePolicy, Product, ProductCommand, ProductDetails, ProductError,
};
use commerce_core::checkout::event::CheckoutPlan;
use commerce_core::checkout::{Checkout, CheckoutCommand, CheckoutRefusal};
use commerce_core::customers::{
    AddressKind, Customer, CustomerCommand, CustomerError, CustomerEvent, LastAddress, PhoneChange,
    ProfileField, email_key,
};
use commerce_core::inventory::{
    Reservation, ReservationCommand, ReservationError, ReservationEvent, ReservedLine, StockCommand,
    StockItem,
};
use commerce_core::kernel::aggregate::{Aggregate, Command};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::pool::{NetMove, PoolLevel, PoolOp, PoolRefusal};
use commerce_core::kernel::replay::fold;
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::messaging::dead_letter::DeadLetterError;
use commerce_core::messaging::{
    Backlog, BacklogCommand, ConsumerProgress, DeadLetter, DeadLetterCommand, DeadLetterStatus,
    ProgressCommand, Reader,
};
use commerce_core::orders::edit::event::Addition;
use commerce_core::orders::edit::state::MAX_CHANGES;
use commerce_core::orders::{
    Order, OrderCommand, OrderEdit, OrderEditCommand, OrderEditError, OrderError, OrderStatus,
};
use commerce_core::payments::{Payment, PaymentCommand, PaymentError};
use commerce_core::port::payment::IdempotencyKey;
use commerce_core::promotions::{Redemption, RedemptionCommand, RedemptionError};
use commerce_core::settings::{CapturePolicy, SettingsCommand, SettingsError, SettingsValues, ShopSettings};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Address, AddressInput, Code, Currency, Email, Money, Name, PersonName, Phone, PromotionCode, Quantity,
    Reason, Sku, Slug,
};
use commerce_testkit::build::{Draft, numbered};
use commerce_testkit::fake::START;
use commerce_tests::orders::{Basket, number};
use commerce_tests::world::id;

fn seconds(count: u64) -> Timestamp {
    START.plus(Duration::from_secs(count))
}

fn reason() -> Reason {
    Reason::new("because").unwrap()
}

/// The state behind commands that are all accepted.
fn after<A: Aggregate>(commands: impl IntoIterator<Item = A::Command>) -> Option<A> {
    commands.into_iter().fold(None, |state, command| accepted(state, command, START))
}

fn accepted<A: Aggregate>(state: Option<A>, command: A::Command, now: Timestamp) -> Option<A> {
    let events = A::decide(state.as_ref(), command, now).unwrap();
    fold(state, &events).unwrap()
}

fn decided<'a, A: Aggregate>(
    state: impl Into<Option<&'a A>>,
    command: A::Command,
) -> Result<usize, A::Error> {
    A::decide(state.into(), command, START).map(|events| events.len())
}

#[test]
fn a_cart_takes_so_many_codes_and_each_once() {
    let code = |number: usize| PromotionCode::new(&format!("CODE{number}")).unwrap();
    let apply = |number| CartCommand::ApplyCode { code: code(number) };
    let owner = commerce_core::value::actor::Owner::Subject(id("buyer"));
    let create = CartCommand::Create { owner, currency: Currency::EUR };
    let full = after::<Cart>([create].into_iter().chain((0..MAX_CODES).map(apply)));
    assert_eq!(decided(full.as_ref(), apply(MAX_CODES)), Err(CartError::TooManyCodes { max: MAX_CODES }));
    assert_eq!(decided(full.as_ref(), apply(0)), Ok(0), "it has that one");
}

#[test]
fn a_product_has_so_many_options_and_categories() {
    let create = |options: usize, categories: usize| {
        let name = Name::new("Shirt").unwrap();
        let options = (0..options).map(|number| Code::new(&format!("option{number}")).unwrap());
        let create = ProductCommand::Create {
            product: id("shirt"),
            seller: None,
            slug: Slug::new("shirt").unwrap(),
            details: Box::new(ProductDetails::new(name)),
            options: options.collect(),
            categories: (0..categories).map(|number| id(&format!("category {number}"))).collect(),
            variants: Vec::new(),
            prices: PricePolicy::Positive,
        };
        Product::decide(None, create, START).map(drop)
    };
    let Err(ProductError::TooMany { what: "options", max: options }) = create(1000, 1) else {
        panic!("no bound")
    };
    assert_eq!(create(options, 1), Ok(()));
    assert_eq!(create(options + 1, 1), Err(ProductError::TooMany { what: "options", max: options }));
    let Err(ProductError::TooMany { what: "categories", max }) = create(0, 1000) else { panic!("no bound") };
    assert_eq!(create(0, max), Ok(()));
    assert_eq!(create(0, max + 1), Err(ProductError::TooMany { what: "categories", max }));
    assert_eq!(create(0, 0), Err(ProductError::NoCategory));
}

#[test]
fn a_category_that_is_not_there_is_named() {
    let create = commerce_core::catalog::CategoryCommand::Create {
        category: id("tea"),
        name: Name::new("Tea").unwrap(),
        slug: Slug::new("tea").unwrap(),
        parent: None,
        sort: 0,
    };
    let tree = after::<CategoryTree>([create]).unwrap();
    assert_eq!(tree.check([]), Ok(()));
    assert_eq!(tree.check([&id("tea")]), Ok(()));
    let missing = Err(CategoryError::NotFound { category: id("coffee") });
    assert_eq!(tree.check([&id("tea"), &id("coffee"), &id("wine")]), missing);
}

fn address(city: &str) -> Address {
    let text = str::to_owned;
    Address::new(&AddressInput {
        recipient: text("Ada"),
        line1: text("Street 1"),
        city: text(city),
        postcode: Some(text("10115")),
        country: text("DE"),
        ..AddressInput::default()
    })
    .unwrap()
}

fn customer() -> Option<Customer> {
    let email = Email::new("ada@example.com").unwrap();
    after([CustomerCommand::Register {
        customer: id("ada"),
        key: email_key(b"shop", &email),
        email,
        name: PersonName::new("Ada").unwrap(),
        phone: Some(Phone::new("+49 30 1234567").unwrap()),
    }])
}

#[test]
fn a_profile_tells_which_fields_have_changed() {
    let fields = |name: &str, phone: PhoneChange| {
        let name = Some(PersonName::new(name).unwrap());
        let update = CustomerCommand::UpdateProfile { name, phone };
        let events = Customer::decide(customer().as_ref(), update, START).unwrap();
        match events.as_slice() {
            [] => Vec::new(),
            [CustomerEvent::ProfileUpdated { updated_fields, .. }] => updated_fields.clone(),
            other => panic!("{other:?}"),
        }
    };
    let other = || PhoneChange::Set(Phone::new("+49 30 7654321").unwrap());
    assert_eq!(fields("Ada", PhoneChange::Keep), []);
    assert_eq!(fields("Grace", PhoneChange::Keep), [ProfileField::Name]);
    assert_eq!(fields("Ada", other()), [ProfileField::Phone]);
    assert_eq!(fields("Grace", PhoneChange::Clear), [ProfileField::Name, ProfileField::Phone]);
}

#[test]
fn a_customer_shows_what_they_said() {
    let known = customer().unwrap();
    assert_eq!(known.name().map(PersonName::as_str), Some("Ada"));
    assert_eq!(known.phone(), Some(&Phone::new("+49 30 1234567").unwrap()));
    assert_eq!(known.pending_email(), None);
    let email = Email::new("grace@example.com").unwrap();
    let token = commerce_core::customers::TokenHash::of("token");
    let (key, expires) = (email_key(b"shop", &email), seconds(60));
    let request = CustomerCommand::RequestEmailChange { email: email.clone(), key, token, expires };
    let waiting = accepted(Some(known), request, START).unwrap();
    assert_eq!(waiting.pending_email(), Some(&email));
    let cleared = CustomerCommand::UpdateProfile { name: None, phone: PhoneChange::Clear };
    assert_eq!(accepted(Some(waiting), cleared, START).unwrap().phone(), None);
}

#[test]
fn an_address_changes_only_where_it_differs_and_the_last_one_may_have_to_stay() {
    let add = |name: &str, city: &str| CustomerCommand::AddAddress {
        id: id(name),
        kind: AddressKind::Shipping,
        address: address(city),
        default: false,
    };
    let one = accepted(customer(), add("home", "Berlin"), START);
    let change = |city: &str| CustomerCommand::ChangeAddress { id: id("home"), address: address(city) };
    assert_eq!(decided(one.as_ref(), change("Berlin")), Ok(0));
    assert_eq!(decided(one.as_ref(), change("Bremen")), Ok(1));
    let remove = |last| CustomerCommand::RemoveAddress { id: id("home"), last };
    assert_eq!(decided(one.as_ref(), remove(LastAddress::Stays)), Err(CustomerError::LastAddress));
    assert!(decided(one.as_ref(), remove(LastAddress::MayGo)).is_ok());
    let two = accepted(one, add("work", "Bremen"), START);
    assert!(decided(two.as_ref(), remove(LastAddress::Stays)).is_ok());
}

#[test]
fn the_same_address_under_another_spelling_keeps_its_key() {
    let change = |old: &str, new: &str| {
        let key = |text: &str| {
            commerce_core::kernel::personal::Personal::new(
                id("ada"),
                email_key(b"shop", &Email::new(text).unwrap()),
            )
        };
        let event = CustomerEvent::EmailChanged {
            email: commerce_core::kernel::personal::Personal::new(id("ada"), Email::new(new).unwrap()),
            old_key: key(old),
            new_key: key(new),
        };
        let effects = Customer::effects(id("ada"), &event);
        (effects.releases.len(), effects.claims.len())
    };
    assert_eq!(change("ada@example.com", "grace@example.com"), (1, 1));
    assert_eq!(change("ada@example.com", "ADA@example.com"), (0, 0));
}

fn held() -> Option<Reservation> {
    let quantity = Quantity::new(2).unwrap();
    let lines = vec![ReservedLine { sku: Sku::new("MUG").unwrap(), location: id("north"), quantity }];
    let (checkout, expires_at, extendable_until) = (id("checkout"), seconds(60), seconds(120));
    after([ReservationCommand::Hold { checkout, lines, expires_at, extendable_until }])
}

#[test]
fn a_hold_is_extended_only_to_a_later_end_that_is_allowed() {
    let extend =
        |until| Reservation::decide(held().as_ref(), ReservationCommand::Extend { expires_at: until }, START);
    assert_eq!(extend(seconds(59)), Ok(vec![]));
    assert_eq!(extend(seconds(60)), Ok(vec![]), "it lasts that long already");
    let extended = |end| Ok(vec![ReservationEvent::Extended { expires_at: end }]);
    assert_eq!(extend(seconds(61)), extended(seconds(61)));
    assert_eq!(extend(seconds(120)), extended(seconds(120)));
    assert_eq!(extend(seconds(121)), Err(ReservationError::BadExpiry { expires_at: seconds(121) }));
}

#[test]
fn a_state_is_over_where_nothing_leads_out_of_it() {
    use commerce_core::carts::state::Status as OfCart;
    use commerce_core::inventory::state::{Status, TRANSITIONS};
    let all = [
        Status::Held,
        Status::Committed,
        Status::PartiallyConsumed,
        Status::Consumed,
        Status::Released,
        Status::Expired,
    ];
    for status in all {
        let name = format!("{status:?}");
        let leads_on = TRANSITIONS.iter().any(|(from, _, to)| *from == name && *to != name);
        assert_eq!(status.is_terminal(), !leads_on, "{name}");
    }
    for over in [OfCart::Converted, OfCart::Merged, OfCart::Expired] {
        assert!(over.is_terminal());
    }
    for open in [OfCart::Active, OfCart::CheckingOut, OfCart::Abandoned] {
        assert!(!open.is_terminal());
    }
}

fn plan(total: i64) -> CheckoutPlan {
    CheckoutPlan {
        cart: id("cart"),
        number: 1,
        subject: id("buyer"),
        customer: None,
        total: Money::from_minor(total, Currency::EUR),
        payment: None,
        capture: CapturePolicy::AtConfirm,
        redemptions: Vec::new(),
        reserves: false,
        ships_from: Vec::new(),
        backordered: false,
        deadline: seconds(600),
    }
}

#[test]
fn a_checkout_begins_once_with_one_plan_and_tells_why_it_failed() {
    let start = |total| CheckoutCommand::Start {
        checkout: id("checkout"),
        plan: plan(total),
        resume_at: seconds(30),
    };
    let begun = after::<Checkout>([start(100)]);
    assert_eq!(decided(begun.as_ref(), start(100)), Ok(0));
    assert_eq!(decided(begun.as_ref(), start(101)), Err(CheckoutRefusal::AlreadyStarted));
    assert_eq!(begun.as_ref().unwrap().failure(), None);
    let fail = CheckoutCommand::Fail { code: "declined".into(), reason: reason(), resume_at: seconds(30) };
    let failed = accepted(begun, fail, START).unwrap();
    assert_eq!(failed.failure(), Some(&("declined".into(), reason())));
}

#[test]
fn pools_are_counted_to_the_unit() {
    let level = |available, held, allocated, floor| PoolLevel { available, held, allocated, floor };
    let net = |moves: &[PoolOp]| {
        moves.iter().fold(NetMove::default(), |mut net, op| {
            net.add(*op);
            net
        })
    };
    // A counted fact beside a hold counts towards what is there.
    let short = net(&[PoolOp::Correct(3), PoolOp::Hold(10)]).apply(level(5, 0, 0, 0));
    assert_eq!(short, Err(PoolRefusal::Short { wanted: 10, available: 8 }));
    // Nothing leaves where nothing is taken, however little is there.
    let backordered = level(-5, 0, 2, -10);
    assert_eq!(net(&[PoolOp::Consume(0)]).apply(backordered), Ok(backordered));
    assert!(net(&[PoolOp::Consume(1)]).apply(backordered).is_err());
    // A hold of nothing carries no floor along.
    let nothing = PoolOp::HoldAbove { amount: 0, floor: 50 };
    assert_eq!(net(&[PoolOp::Supply(-1), nothing]).apply(level(10, 0, 0, 0)), Ok(level(9, 0, 0, 0)));
    let sums = |amount| net(&[PoolOp::Correct(amount), PoolOp::Correct(amount)]).total().available;
    assert_eq!((sums(i64::MAX), sums(i64::MIN)), (i64::MAX, i64::MIN));
    assert_eq!((level(3, 0, 0, 5).holdable(), level(5, 0, 0, 3).holdable()), (0, 2));
}

#[test]
fn a_commit_with_anything_in_it_is_not_empty() {
    assert!(Commit::default().is_empty());
    assert!(!Commit::default().appends(&numbered(1), 0, 1).is_empty());
    assert!(!Commit { erase: vec![id("buyer")], ..Commit::default() }.is_empty());
}

fn order() -> Option<Order> {
    let content = Basket { cart: Some(0), lines: vec![(2, 500)] }.content();
    after([OrderCommand::Place { number: number(0), content: Some(content) }])
}

#[test]
fn an_order_is_placed_once() {
    let content = |cents| Basket { cart: Some(0), lines: vec![(2, cents)] }.content();
    let place = |index, content| OrderCommand::Place { number: number(index), content };
    let placed = order();
    assert_eq!(decided(placed.as_ref(), place(0, None)), Ok(0));
    assert_eq!(decided(placed.as_ref(), place(0, Some(content(500)))), Ok(0));
    assert_eq!(decided(placed.as_ref(), place(0, Some(content(501)))), Err(OrderError::AlreadyPlaced));
    assert_eq!(decided(placed.as_ref(), place(1, None)), Err(OrderError::AlreadyPlaced));
    let draft = |cents| OrderCommand::Draft { content: content(cents) };
    assert_eq!(decided(placed.as_ref(), draft(500)), Err(OrderError::AlreadyPlaced));
    let drafted = after::<Order>([draft(500)]);
    assert_eq!(decided(drafted.as_ref(), draft(500)), Ok(0));
    assert_eq!(decided(drafted.as_ref(), draft(501)), Err(OrderError::AlreadyPlaced));
}

#[test]
fn an_order_is_taken_over_once() {
    let content = Basket { cart: None, lines: vec![(2, 500)] }.content();
    let import = |index, content| OrderCommand::Import {
        number: number(index),
        content,
        placed_at: Timestamp::UNIX_EPOCH,
    };
    let imported = after::<Order>([import(0, content.clone())]);
    assert_eq!(imported.as_ref().unwrap().placed_at(), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(decided(imported.as_ref(), import(0, content.clone())), Ok(0));
    assert_eq!(decided(imported.as_ref(), import(1, content.clone())), Err(OrderError::AlreadyPlaced));
    assert_eq!(decided(order().as_ref(), import(0, content.clone())), Err(OrderError::AlreadyPlaced));
    let place = OrderCommand::Place { number: number(0), content: None };
    assert_eq!(decided(imported.as_ref(), place), Err(OrderError::AlreadyPlaced));
    assert_eq!(order().unwrap().placed_at(), None);
}

#[test]
fn an_order_fails_once_and_only_before_it_is_confirmed() {
    let fail = || OrderCommand::Fail { code: "declined".into(), reason: reason() };
    let failed = accepted(order(), fail(), START);
    assert_eq!(failed.as_ref().unwrap().status(), OrderStatus::Failed);
    assert_eq!(decided(failed.as_ref(), fail()), Ok(0));
    let confirm = |backordered| OrderCommand::Confirm {
        coverage: commerce_core::orders::Coverage::Override { reason: reason() },
        backordered,
    };
    let confirmed = accepted(order(), confirm(false), START);
    assert_eq!(decided(confirmed.as_ref(), confirm(true)), Ok(0));
    assert!(matches!(decided(confirmed.as_ref(), fail()), Err(OrderError::IllegalTransition { .. })));
    assert!(matches!(decided(failed.as_ref(), confirm(false)), Err(OrderError::IllegalTransition { .. })));
}

#[test]
fn the_parts_of_an_order_add_up() {
    let mut content = Basket { cart: None, lines: vec![(2, 500)] }.content();
    let mut book = commerce_core::value::PriceBook::clone(&content.book);
    let euros = |minor| Money::from_minor(minor, Currency::EUR);
    (book.shipping_total, book.fee_total) = (euros(490), euros(100));
    for (total, fits) in [(1590, true), (1000, false), (1390, false), (610, false), (1490, false)] {
        book.total = euros(total);
        content.book = std::sync::Arc::new(book.clone());
        let placed = OrderCommand::Place { number: number(0), content: Some(content.clone()) };
        let refused = Err(OrderError::Inconsistent("the total is not the sum of its parts"));
        assert_eq!(decided::<Order>(None, placed), if fits { Ok(1) } else { refused }, "{total}");
    }
}

#[test]
fn each_part_of_a_line_has_to_be_that_of_its_price() {
    type Change = fn(&mut commerce_core::orders::OrderLine);
    let changes: [Change; 3] = [
        |line| line.id = id("another line"),
        |line| line.sku = Sku::new("OTHER").unwrap(),
        |line| line.quantity = Quantity::new(3).unwrap(),
    ];
    for change in changes {
        let mut content = Basket { cart: None, lines: vec![(2, 500)] }.content();
        change(&mut content.lines[0]);
        let placed = OrderCommand::Place { number: number(0), content: Some(content) };
        assert_eq!(decided::<Order>(None, placed), Err(OrderError::Inconsistent("a line differs")));
    }
}

#[test]
fn a_payment_begins_once() {
    let initiate = |order: &str, checkout: &str, minor| PaymentCommand::Initiate {
        payment: id("payment"),
        order: id(order),
        checkout: id(checkout),
        gateway: "fake".into(),
        method: "card".into(),
        amount: Money::from_minor(minor, Currency::EUR),
        capture: false,
        deadline: seconds(600),
        key: IdempotencyKey("key".into()),
        resolve_at: seconds(30),
    };
    let begun = after::<Payment>([initiate("order", "checkout", 100)]);
    assert_eq!(decided(begun.as_ref(), initiate("order", "checkout", 100)), Ok(0));
    for other in [
        initiate("another", "checkout", 100),
        initiate("order", "another", 100),
        initiate("order", "checkout", 101),
    ] {
        assert_eq!(decided(begun.as_ref(), other), Err(PaymentError::AlreadyInitiated));
    }
}

fn used() -> Option<Redemption> {
    after([RedemptionCommand::Hold {
        promotion: id("ten"),
        version: 7,
        code: None,
        checkout: id("checkout"),
        subject: id("buyer"),
        amount: Money::from_minor(100, Currency::EUR),
        limited: true,
        per_customer_limit: None,
        budgeted: false,
        returns_usage: true,
        expires_at: seconds(60),
    }])
}

#[test]
fn a_use_of_a_promotion_ends_at_its_time_and_is_given_back_once() {
    let expire = |now| Redemption::decide(used().as_ref(), RedemptionCommand::Expire, now);
    assert_eq!(expire(seconds(59)), Err(RedemptionError::NotExpired));
    assert_eq!(expire(seconds(60)).map(|events| events.len()), Ok(1));
    let redeemed = accepted(used(), RedemptionCommand::Redeem { order: id("order") }, START);
    let known = redeemed.as_ref().unwrap();
    assert_eq!((known.version(), known.order()), (7, Some(id("order"))));
    assert_eq!(used().unwrap().order(), None);
    let reversed = accepted(redeemed, RedemptionCommand::Reverse, START);
    assert_eq!(decided(reversed.as_ref(), RedemptionCommand::Reverse), Ok(0));
    assert!(decided(used().as_ref(), RedemptionCommand::Reverse).is_err());
}

#[test]
fn progress_only_grows() {
    let advance = |to| ProgressCommand::Advance { position: Position::from_parts(0, to) };
    let at = after::<ConsumerProgress>([advance(5)]);
    assert_eq!([4, 5, 6].map(|to| decided(at.as_ref(), advance(to)).unwrap()), [0, 0, 1]);
    assert_eq!(decided::<ConsumerProgress>(None, advance(0)), Ok(0));
}

fn reader() -> Reader {
    Reader::new(Code::new("mailer").unwrap())
}

fn message() -> commerce_core::messaging::MessageRef {
    commerce_core::messaging::MessageRef {
        event: commerce_core::kernel::event::EventId::derived(uuid::Uuid::nil(), b"event"),
        name: Code::new("OrderPlaced").unwrap(),
        stream: numbered(1),
        version: Version::new(3),
    }
}

#[test]
fn a_stream_is_blocked_until_it_is_cleared() {
    let fail = || BacklogCommand::Fail {
        reader: reader(),
        message: message(),
        error: reason(),
        retry_at: Some(seconds(1)),
    };
    let given_up = after::<Backlog>([fail(), BacklogCommand::Clear]).unwrap();
    assert!(!given_up.is_blocked() && given_up.failed().is_none());
    let blocked = after::<Backlog>([fail()]);
    assert!(blocked.as_ref().unwrap().is_blocked());
    assert!(blocked.as_ref().unwrap().failed().is_some());
    let handled = accepted(blocked, BacklogCommand::Advance { version: Version::new(3) }, START);
    assert!(handled.as_ref().unwrap().is_blocked(), "what stands behind it comes first");
    let cleared = accepted(handled, BacklogCommand::Clear, START).unwrap();
    assert!(!cleared.is_blocked());
    assert!(cleared.failed().is_none());
}

#[test]
fn a_dead_letter_is_kept_for_its_time_and_buried_once() {
    let failed = commerce_core::messaging::backlog::FailedMessage {
        message: message(),
        error: reason(),
        attempts: 4,
        first: START,
        last: seconds(7),
        retry_at: None,
    };
    let bury = || DeadLetterCommand::Bury { reader: reader(), failed: Box::new(failed.clone()) };
    let buried = after::<DeadLetter>([bury()]);
    assert_eq!(decided(buried.as_ref(), bury()), Ok(0));
    let days = |count: u64| START.plus(Duration::from_secs(count * 24 * 3600));
    let purge = |now| DeadLetter::decide(buried.as_ref(), DeadLetterCommand::Purge, now);
    let early = days(7).minus(Duration::from_micros(1));
    assert_eq!(purge(early), Err(DeadLetterError::Kept { until: days(7) }));
    assert_eq!(purge(days(7)).map(|events| events.len()), Ok(1));
    let redelivered = accepted(buried.clone(), DeadLetterCommand::Redeliver, START);
    assert_eq!(redelivered.as_ref().unwrap().status(), DeadLetterStatus::Redelivered);
    assert_eq!(decided(redelivered.as_ref(), bury()), Ok(1), "it fails anew in another replay");
}

#[test]
fn bookkeeping_is_not_done_by_hand() {
    let advance = ProgressCommand::Advance { position: Position::START };
    assert!(!advance.stands_alone());
    assert!(!BacklogCommand::Clear.stands_alone());
    let alone = [DeadLetterCommand::Discard { reason: reason() }, DeadLetterCommand::Purge];
    assert!(alone.iter().all(Command::stands_alone));
    let followed = [DeadLetterCommand::Redeliver, DeadLetterCommand::Fail { error: reason() }];
    assert!(followed.iter().all(|command| !command.stands_alone()));
}

#[test]
fn settings_are_within_their_ranges_to_the_second() {
    type Set = fn(&mut SettingsValues, u32);
    let fields: [(&str, Set); 6] = [
        // Kept as long as it is idle at most.
        ("cart_idle_seconds", |values, to| {
            (values.cart_idle_seconds, values.cart_kept_seconds) = (to, to.max(values.cart_kept_seconds));
        }),
        ("cart_kept_seconds", |values, to| values.cart_kept_seconds = to),
        ("hold_seconds", |values, to| values.hold_seconds = to),
        ("grace_seconds", |values, to| values.grace_seconds = to),
        ("payment_seconds", |values, to| values.payment_seconds = to),
        ("resume_seconds", |values, to| values.resume_seconds = to),
    ];
    let mut seen = BTreeMap::new();
    for (name, set) in fields {
        let decide = |to| {
            let mut values = SettingsValues::default();
            set(&mut values, to);
            ShopSettings::decide(None, SettingsCommand::Update { values: Box::new(values) }, START).map(drop)
        };
        let Err(SettingsError::OutOfRange { field, min, max }) = decide(u32::MAX) else {
            panic!("{name} has no bound")
        };
        assert_eq!(field, name);
        assert!(decide(max + 1).is_err() && decide(min - 1).is_err(), "{name}");
        // A grace as long as the hold would leave no time to pay.
        let no_time = Err(SettingsError::OutOfRange { field: "payment_seconds", min: 1, max: 0 });
        assert_eq!(decide(max), if name == "grace_seconds" { no_time } else { Ok(()) }, "{name}");
        seen.insert(name, (min, max));
    }
    let defaults = SettingsValues::default();
    assert_eq!(seen["hold_seconds"], (60, 86_400));
    assert_eq!(seen["grace_seconds"].1, defaults.hold_seconds);
    assert_eq!(seen["payment_seconds"].1, defaults.hold_seconds - defaults.grace_seconds);
    assert_eq!(seen["cart_idle_seconds"], (300, 30 * 86_400));
    assert_eq!(seen["cart_kept_seconds"], (defaults.cart_idle_seconds, 365 * 86_400));
    assert_eq!(seen.keys().collect::<BTreeSet<_>>().len(), 6);
}

#[test]
fn a_product_shows_whose_it_is_and_a_stock_item_whether_it_is_low() {
    let create = |seller| ProductCommand::Create {
        product: id("shirt"),
        seller,
        slug: Slug::new("shirt").unwrap(),
        details: Box::new(ProductDetails::new(Name::new("Shirt").unwrap())),
        options: Vec::new(),
        categories: [id("clothes")].into(),
        variants: Vec::new(),
        prices: PricePolicy::Positive,
    };
    let seller = |seller| after::<Product>([create(seller)]).unwrap().seller();
    assert_eq!((seller(None), seller(Some(id("ada")))), (None, Some(id("ada"))));
    let (sku, location) = (Sku::new("MUG").unwrap(), id("north"));
    let observe = |available| StockCommand::ObserveLevel { available, on_hand: available };
    let begun =
        [StockCommand::Open { sku, location }, StockCommand::SetThreshold { threshold: Some(3) }, observe(3)];
    let item = after::<StockItem>(begun);
    assert!(!item.as_ref().unwrap().is_low());
    let low = accepted(item, observe(2), START);
    assert!(low.as_ref().unwrap().is_low());
    assert!(!accepted(low, observe(3), START).unwrap().is_low());
}

#[test]
fn an_edit_is_opened_for_one_order_and_takes_so_many_lines() {
    let open = |order: &str| OrderEditCommand::Open { order: id(order), subject: id("buyer"), revision: 1 };
    let add = |number: usize, units| OrderEditCommand::AddLine {
        addition: Addition {
            line: id(&format!("line {number}")),
            product: id("mug"),
            variant: id("mug"),
            quantity: Quantity::new(units).unwrap(),
        },
    };
    let begun = after::<OrderEdit>([open("order")]);
    assert_eq!(decided(begun.as_ref(), open("order")), Ok(0));
    assert_eq!(decided(begun.as_ref(), open("another")), Err(OrderEditError::AlreadyOpen));
    let full = (0..MAX_CHANGES).fold(begun, |edit, number| accepted(edit, add(number, 1), START));
    assert_eq!(decided(full.as_ref(), add(0, 1)), Ok(0));
    assert!(matches!(decided(full.as_ref(), add(0, 2)), Err(OrderEditError::LineExists(_))));
    let refused = Err(OrderEditError::TooManyChanges { max: MAX_CHANGES });
    assert_eq!(decided(full.as_ref(), add(MAX_CHANGES, 1)), refused);
}
