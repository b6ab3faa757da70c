//! Editing orders: nothing before it is agreed to, everything at once then.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeSet;
use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::operations::OperationError;
use commerce_core::app::query::ById;
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::checkout::repack::shipment_of_edit;
use commerce_core::identity::Denied;
use commerce_core::kernel::commit::Load;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::orders::edit::{Addition, OrderEditStatus};
use commerce_core::orders::{OrderEdit, OrderEditCommand, OrderEditError, OrderError};
use commerce_core::prelude::*;
use commerce_core::pricing::price;

use commerce_core::settings::SettingsValues;
use commerce_core::shipping::CarrierStatus;
use commerce_core::value::id::RefundId;

use commerce_core::value::{
    Benefit, Phase, PriceRequestLine, PricingInput, PromotionCode, PromotionRule, Rate, Reason,
    RoundingLevel, TaxClass, TaxMode, TaxRate,
};
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::cases;
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

const SKUS: [&str; 3] = ["MUG", "PEN", "CAP"];
const PRICES: [&str; 3] = ["12.50", "0.99", "7.33"];
const STOCK: u32 = 30;

fn reason() -> Reason {
    Reason::new("a test").unwrap()
}

/// A shop with three products; every order belongs to buyer 1.
fn shop(settings: impl FnOnce(&mut SettingsValues) + Send) -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing());
    block_on(async {
        shop.settings(settings).await;
        for (sku, price) in SKUS.iter().zip(PRICES) {
            shop.list(sku, price, STOCK).await.unwrap();
        }
    });
    shop
}

async fn bought(shop: &Shop, units: &[u32], code: Option<&str>) -> OrderId {
    let lines: Vec<_> = SKUS.iter().copied().zip(units.iter().copied()).collect();
    let cart = shop.cart(1, &lines).await.unwrap();
    if let Some(code) = code {
        let code = PromotionCode::new(code).unwrap();
        shop.buyer(1).execute(cart, CartCommand::ApplyCode { code }).await.unwrap();
    }
    let receipt = shop.buy(1, cart).await.unwrap();
    assert_eq!(receipt.status, CheckoutStatus::Confirmed);
    receipt.order
}

async fn order(shop: &Shop, id: OrderId) -> Arc<Order> {
    shop.staff().query(ById::<Order>(id)).await.unwrap().unwrap()
}

async fn bytes(shop: &Shop, kind: &'static str, id: Uuid) -> Vec<Arc<RecordedEvent>> {
    shop.commerce.store().read_stream(&StreamId::new(kind, id), Version::NONE, 1000).await.unwrap()
}

/// Everything that an edit could change: the order's stream, the levels of stock, what the gateway keeps.
async fn picture(shop: &Shop, id: OrderId) -> (Vec<Arc<RecordedEvent>>, Vec<(i64, i64, i64)>, i64) {
    let mut levels = Vec::new();
    for sku in SKUS {
        let level = shop.level(sku).await.unwrap();
        levels.push((level.available, level.held, level.allocated));
    }
    (bytes(shop, "order", id.uuid()).await, levels, shop.gateway.ledger().kept(id))
}

/// An edit that wants these units of the order's lines, previewed.
async fn edited(shop: &Shop, id: OrderId, wanted: &[u32]) -> Result<OrderEditId, OperationError> {
    let staff = shop.staff();
    let edit = staff.open_edit(id).await?;
    let lines: Vec<OrderLineId> = order(shop, id).await.lines().map(|(line, _)| line.id).collect();
    for (line, wanted) in lines.into_iter().zip(wanted) {
        let set = OrderEditCommand::SetQuantity { line, wanted: *wanted };
        staff.execute(edit, set).await.unwrap();
    }
    staff.preview_edit(edit).await?;
    Ok(edit)
}

async fn agreed(shop: &Shop, edit: OrderEditId) -> Result<Money, OperationError> {
    shop.staff().execute(edit, OrderEditCommand::Request).await.unwrap();
    shop.buyer(1).confirm_edit(edit).await
}

async fn check(shop: &Shop) {
    let findings = Findings::of(shop).await.unwrap();
    assert!(findings.hold(), "{:#?}", findings.lines().collect::<Vec<_>>());
}

/// Sends what is in these parcels and delivers it.
async fn sent(shop: &Shop, parcels: impl IntoIterator<Item = ShipmentId>) {
    for parcel in parcels {
        let staff = shop.staff();
        staff.mark_ready(parcel).await.unwrap();
        staff.dispatch(parcel, None).await.unwrap();
        staff.record_tracking(parcel, CarrierStatus::Delivered, Timestamp::UNIX_EPOCH, 1).await.unwrap();
    }
}

async fn first_parcel(shop: &Shop, id: OrderId) -> ShipmentId {
    let checkout = order(shop, id).await.content().checkout.unwrap();
    shipment_of(checkout, SettingsValues::default().locations[0])
}

proptest! {
    #![proptest_config(cases(256))]

    /// orders-7: a preview and a refusal leave everything as it was; confirming changes order, stock and
    /// parcels at once, and the balance is new total − captured + refunded.
    #[test]
    fn orders_7_an_edit_is_whole_or_nothing(
        units in vec(1..5_u32, 3),
        wanted in vec(0..8_u32, 3),
        decline in any::<bool>(),
        refund in 0..400_i64,
    ) {
        block_on(async {
            let shop = shop(|_| ());
            let id = bought(&shop, &units, None).await;
            let before = picture(&shop, id).await;
            let old = order(&shop, id).await;
            let edit = match edited(&shop, id, &wanted).await {
                Ok(edit) => edit,
                Err(refused) => {
                    prop_assert_eq!(refused, OperationError::Edit(OrderEditError::NothingLeft));
                    prop_assert_eq!(&wanted, &vec![0; 3]);
                    return Ok(());
                }
            };
            prop_assert_eq!(&picture(&shop, id).await, &before, "a preview has an effect");
            if decline {
                shop.staff().execute(edit, OrderEditCommand::Request).await.unwrap();
                let no = OrderEditCommand::Decline { reason: reason() };
                shop.buyer(1).execute(edit, no).await.unwrap();
                prop_assert_eq!(picture(&shop, id).await, before, "a declined edit has an effect");
                prop_assert!(shop.staff().confirm_edit(edit).await.is_err());
                return Ok(());
            }
            let (mut captured, mut refunded) = (old.total().minor(), 0);
            if refund > 0 {
                let back = refund.min(captured);
                let payment = *old.payments().keys().next().unwrap();
                let name = RefundId::derived(Uuid::nil(), b"x");
                shop.staff().refund(payment, name, Shop::euros(back), reason()).await.unwrap();
                refunded = back;
            }
            let balance = agreed(&shop, edit).await.unwrap();
            let new = order(&shop, id).await;
            captured = captured.max(0);
            prop_assert_eq!(balance.minor(), new.total().minor() - captured + refunded);
            prop_assert_eq!(new.balance().unwrap(), balance);
            // Again: the same answer and nothing more.
            let stored = bytes(&shop, "order", id.uuid()).await.len();
            prop_assert_eq!(shop.buyer(1).confirm_edit(edit).await.unwrap(), balance);
            prop_assert_eq!(bytes(&shop, "order", id.uuid()).await.len(), stored);
            for ((sku, wanted), line) in SKUS.iter().zip(&wanted).zip(&new.content().lines) {
                let level = shop.level(sku).await.unwrap();
                let left = i64::from(STOCK) - i64::from(*wanted);
                prop_assert_eq!((level.available, level.held, level.allocated), (left, 0, i64::from(*wanted)));
                prop_assert_eq!(new.ledger(line.id).unwrap().wanted(), *wanted);
            }
            check(&shop).await;
            Ok(())
        })?;
    }

    /// promotions-10: what becomes of a promotion later changes no order, and an edit is priced by the
    /// version that the order was.
    #[test]
    fn promotions_10_an_order_keeps_its_promotions(
        units in vec(1..5_u32, 3),
        wanted in vec(1..8_u32, 3),
        (first, second) in (1..=100_u32, 1..=100_u32),
        fate in 0..4_u8,
        coded in any::<bool>(),
    ) {
        block_on(async {
            let shop = shop(|_| ());
            let promotion: PromotionId = Id::derived(Uuid::nil(), b"promotion");
            let rule = rule(promotion, first, coded);
            let create = PromotionCommand::Create {
                rule: rule.clone(),
                usage_limit: None,
                per_customer_limit: None,
                budget: None,
                returns_usage: true,
            };
            let staff = shop.staff();
            staff.execute(promotion, create).await.unwrap();
            staff.execute(promotion, PromotionCommand::Activate).await.unwrap();
            let id = bought(&shop, &units, coded.then_some("SAVE")).await;
            let stored = bytes(&shop, "order", id.uuid()).await;
            match fate {
                0 => drop(staff.execute(promotion, PromotionCommand::Pause).await.unwrap()),
                1 => drop(staff.execute(promotion, PromotionCommand::End).await.unwrap()),
                _ => {
                    let revised = self::rule(promotion, second, coded);
                    staff.execute(promotion, PromotionCommand::Revise { rule: revised }).await.unwrap();
                }
            }
            prop_assert_eq!(&bytes(&shop, "order", id.uuid()).await, &stored);
            let edit = edited(&shop, id, &wanted).await.unwrap();
            agreed(&shop, edit).await.unwrap();
            let new = order(&shop, id).await;
            // Priced from nothing by the rule of that time.
            let mut input = PricingInput::new(Currency::EUR, new.content().book.priced_at);
            for (line, wanted) in new.content().lines.iter().zip(&wanted) {
                let at = SKUS.iter().position(|sku| *sku == line.sku.as_str()).unwrap();
                input.lines.push(PriceRequestLine {
                    line: line.id.cast(),
                    product: line.product,
                    variant: line.variant,
                    sku: line.sku.clone(),
                    categories: Vec::new(),
                    quantity: Quantity::new(*wanted).unwrap(),
                    unit_price: Price::parse(PRICES[at], Currency::EUR).unwrap(),
                    taxable: TaxClass::Standard,
                    shippable: true,
                });
            }
            input.promotions = vec![rule];
            input.requested_codes = coded.then(|| PromotionCode::new("SAVE").unwrap()).into_iter().collect();
            let expected = price(&input).unwrap();
            prop_assert_eq!(&new.content().book.lines, &expected.lines);
            prop_assert_eq!(new.total(), expected.total);
            let versions = new.content().book.lines.iter().flat_map(|line| &line.discounts);
            prop_assert!(versions.into_iter().all(|discount| discount.version == 1));
            check(&shop).await;
            Ok(())
        })?;
    }

    /// An edit that wants what is there anyway changes no amount, whatever taxes and rounding are.
    #[test]
    fn an_edit_without_changes_keeps_every_amount(
        units in vec(1..9_u32, 3),
        rates in vec(0..2_500_u32, 1..3),
        inclusive in any::<bool>(),
        level in 0..3_usize,
        percent in 1..=99_u32,
    ) {
        block_on(async {
            let shop = shop(|values| {
                values.tax_mode = if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive };
                values.rounding.level = [RoundingLevel::Unit, RoundingLevel::Line, RoundingLevel::Order][level];
                values.taxes = rates.iter().enumerate().map(|(number, rate)| tax(number, *rate)).collect();
            });
            let promotion: PromotionId = Id::derived(Uuid::nil(), b"promotion");
            let create = PromotionCommand::Create {
                rule: rule(promotion, percent, false),
                usage_limit: None,
                per_customer_limit: None,
                budget: None,
                returns_usage: true,
            };
            shop.staff().execute(promotion, create).await.unwrap();
            shop.staff().execute(promotion, PromotionCommand::Activate).await.unwrap();
            let id = bought(&shop, &units, None).await;
            let old = order(&shop, id).await.content().book.clone();
            let edit = shop.staff().open_edit(id).await.unwrap();
            let shown = shop.staff().preview_edit(edit).await.unwrap();
            prop_assert_eq!(&*shown.book, &*old);
            prop_assert_eq!(shown.balance.minor(), 0);
            Ok(())
        })?;
    }
}

fn rule(promotion: PromotionId, percent: u32, coded: bool) -> PromotionRule {
    let rate = Rate::parse(&percent.to_string()).unwrap();
    let mut rule = PromotionRule::new(promotion, Phase::Order, Benefit::Percent(rate));
    rule.code = coded.then(|| PromotionCode::new("SAVE").unwrap());
    rule
}

fn tax(number: usize, hundredths: u32) -> commerce_core::settings::TaxRule {
    let rate = Rate::parse(&format!("{}.{:02}", hundredths / 100, hundredths % 100)).unwrap();
    let name = commerce_core::value::Label::new(&format!("tax {number}")).unwrap();
    let class = TaxClass::Standard;
    commerce_core::settings::TaxRule { country: None, rate: TaxRate { name, class, rate } }
}

#[test]
fn what_is_added_is_sent_and_given_back_like_the_rest() {
    block_on(async {
        let shop = shop(|_| ());
        let id = bought(&shop, &[2, 1], None).await;
        let staff = shop.staff();
        let edit = staff.open_edit(id).await.unwrap();
        let loaded =
            Load { by_claim: vec![commerce_core::kernel::unique::Key::new("sku", "CAP")], ..Load::default() };
        let owner = shop.commerce.store().load(loaded).await.unwrap().by_claim[0].clone().unwrap();
        let product = Id::from_uuid(owner.id).unwrap();
        let known = staff.query(ById::<Product>(product)).await.unwrap().unwrap();
        let variant = *known.variants().keys().next().unwrap();
        let addition =
            Addition { line: staff.new_id(), product, variant, quantity: Quantity::new(3).unwrap() };
        staff.execute(edit, OrderEditCommand::AddLine { addition }).await.unwrap();
        let shown = staff.preview_edit(edit).await.unwrap();
        assert_eq!(shown.balance, Shop::euros(3 * 733));
        assert_eq!(agreed(&shop, edit).await.unwrap(), Shop::euros(3 * 733));
        assert_eq!(shop.level("CAP").await.unwrap().allocated, 3);

        // The first parcel leaves; what is cut afterwards comes out of the second one.
        let location = SettingsValues::default().locations[0];
        sent(&shop, [first_parcel(&shop, id).await]).await;
        let second = edited(&shop, id, &[2, 1, 1]).await.unwrap();
        assert_eq!(agreed(&shop, second).await.unwrap(), Shop::euros(733));
        let level = shop.level("CAP").await.unwrap();
        assert_eq!((level.available, level.allocated), (i64::from(STOCK) - 1, 1));
        check(&shop).await;

        // Units that have left stay: the order is cut down to them and no further.
        let too_far = edited(&shop, id, &[1, 1, 1]).await.unwrap();
        let refused = agreed(&shop, too_far).await.unwrap_err();
        assert!(
            matches!(refused, OperationError::Order(OrderError::NotThatMany { room: 0, .. })),
            "{refused:?}"
        );

        sent(&shop, [shipment_of_edit(edit, location)]).await;
        let done = order(&shop, id).await;
        assert_eq!(done.balance().unwrap(), Shop::euros(733));
        assert_eq!(done.status(), OrderStatus::Confirmed, "it is not paid yet");
        assert_eq!(shop.level("CAP").await.unwrap().allocated, 0);
        check(&shop).await;
    });
}

#[test]
fn a_cancelled_order_gives_back_what_edits_added() {
    block_on(async {
        let shop = shop(|_| ());
        let id = bought(&shop, &[2, 1, 1], None).await;
        let edit = edited(&shop, id, &[5, 1, 0]).await.unwrap();
        agreed(&shop, edit).await.unwrap();
        assert_eq!(shop.level("MUG").await.unwrap().allocated, 5);
        shop.staff().cancel_order(id, reason()).await.unwrap();
        for sku in SKUS {
            let level = shop.level(sku).await.unwrap();
            assert_eq!((level.available, level.held, level.allocated), (i64::from(STOCK), 0, 0), "{sku}");
        }
        assert_eq!(shop.gateway.ledger().kept(id), 0);
        check(&shop).await;
    });
}

#[test]
fn an_edit_that_cannot_be_made_leaves_everything() {
    block_on(async {
        let shop = shop(|_| ());
        let id = bought(&shop, &[2, 1, 1], None).await;
        let greedy = edited(&shop, id, &[STOCK + 1, 1, 1]).await.unwrap();
        let before = picture(&shop, id).await;
        let refused = agreed(&shop, greedy).await.unwrap_err();
        assert!(matches!(refused, OperationError::Commit(CommitError::Short(_))), "{refused:?}");
        assert_eq!(picture(&shop, id).await, before);

        // Two edits of one order: the first that is agreed to wins.
        let (first, second) =
            (edited(&shop, id, &[3, 1, 1]).await.unwrap(), edited(&shop, id, &[4, 1, 1]).await.unwrap());
        agreed(&shop, first).await.unwrap();
        let refused = agreed(&shop, second).await.unwrap_err();
        assert_eq!(refused, OperationError::Order(OrderError::Outdated { revision: 1 }));
        let state = shop.staff().query(ById::<OrderEdit>(second)).await.unwrap().unwrap();
        assert_eq!(state.status(), OrderEditStatus::Requested);

        // Nobody else edits or agrees, and its parts are not to be had alone.
        assert!(shop.buyer(1).open_edit(id).await.is_err());
        assert!(shop.buyer(2).confirm_edit(second).await.is_err());
        let alone = shop.staff().execute(second, OrderEditCommand::Confirm).await.unwrap_err();
        assert!(matches!(alone, CommandError::Denied(Denied::NotAlone { .. })), "{alone:?}");
        check(&shop).await;
    });
}

#[test]
fn the_table_of_an_edit_is_what_it_does() {
    use commerce_core::kernel::aggregate::Aggregate;
    use commerce_core::orders::edit::EDIT_TRANSITIONS;

    let line: OrderLineId = Id::derived(Uuid::nil(), b"line");
    let (product, variant) = (Id::derived(Uuid::nil(), b"p"), Id::derived(Uuid::nil(), b"v"));
    let shop = shop(|_| ());
    let proposal = block_on(async {
        let id = bought(&shop, &[1, 1, 1], None).await;
        let edit = shop.staff().open_edit(id).await.unwrap();
        shop.staff().preview_edit(edit).await.unwrap()
    });
    let order = Id::derived(Uuid::nil(), b"order");
    let commands = [
        ("Open", OrderEditCommand::Open { order, subject: order.cast(), revision: 0 }),
        ("SetQuantity", OrderEditCommand::SetQuantity { line, wanted: 7 }),
        (
            "AddLine",
            OrderEditCommand::AddLine {
                addition: Addition { line, product, variant, quantity: Quantity::ONE },
            },
        ),
        ("Preview", OrderEditCommand::Preview { proposal: Box::new(proposal) }),
        ("Request", OrderEditCommand::Request),
        ("Confirm", OrderEditCommand::Confirm),
        ("Decline", OrderEditCommand::Decline { reason: reason() }),
        ("Cancel", OrderEditCommand::Cancel { reason: reason() }),
    ];
    let run = |path: &[usize]| {
        path.iter().try_fold(None::<OrderEdit>, |state, at| {
            let events = OrderEdit::decide(state.as_ref(), commands[*at].1.clone(), Timestamp::UNIX_EPOCH)?;
            let state =
                events.iter().fold(state, |state, event| Some(OrderEdit::evolve(state, event).unwrap()));
            Ok::<_, OrderEditError>(state)
        })
    };
    let name = |edit: &Option<OrderEdit>| {
        edit.as_ref().map_or("–".to_owned(), |edit| format!("{:?}", edit.status()))
    };
    // Every path of at most five commands: what changes the status is in the table, and all of the table is met.
    let (mut met, mut paths) = (BTreeSet::new(), vec![vec![]]);
    while let Some(path) = paths.pop() {
        let Ok(before) = run(&path) else { continue };
        for (at, (command, _)) in commands.iter().enumerate() {
            let mut longer = path.clone();
            longer.push(at);
            let Ok(after) = run(&longer) else { continue };
            let (from, to) = (name(&before), name(&after));
            if from != to {
                assert!(
                    EDIT_TRANSITIONS.contains(&(from.as_str(), *command, to.as_str())),
                    "{from} {command} {to}"
                );
                met.insert((from, *command, to));
            }
            if longer.len() < 5 {
                paths.push(longer);
            }
        }
    }
    let missing: Vec<_> = EDIT_TRANSITIONS
        .iter()
        .filter(|(from, _, to)| from != to)
        .filter(|(from, command, to)| !met.contains(&((*from).to_owned(), *command, (*to).to_owned())))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
