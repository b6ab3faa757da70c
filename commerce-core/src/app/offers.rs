//! What a cart is priced by: its products, and the promotions that may apply.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::commerce::Commerce;
use super::reading::{Answer, Ask, ReadError};
use crate::carts::Cart;
use crate::catalog::Product;
use crate::checkout::CheckoutError;
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::batch::Batch;
use crate::kernel::commit::{DirectoryQuery, MAX_DIRECTORY};
use crate::kernel::pool::PoolLevel;
use crate::kernel::stream::StreamId;
use crate::kernel::unique::Key;
use crate::promotions::{
    ACTIVE_SCOPE, CODE_SCOPE, Promotion, Redemption, RedemptionCommand, budget_pool, redemption_id, uses_pool,
};
use crate::value::id::{CheckoutId, ProductId, PromotionId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Money, MoneyError, PriceBook, PromotionCode, PromotionRule};

/// Products and promotions, loaded together.
#[derive(Debug, Default)]
pub(super) struct Offers {
    pub(super) products: HashMap<ProductId, Arc<Instance<Product>>>,
    promotions: Vec<(Arc<Instance<Promotion>>, PoolLevel, PoolLevel)>,
}

impl Offers {
    /// What can be asked for before the cart is known.
    pub(super) fn ask_first(ask: &mut Ask, codes: &[PromotionCode]) {
        let scope = ACTIVE_SCOPE.into();
        ask.load.directory.push(DirectoryQuery { scope, prefix: "".into(), limit: MAX_DIRECTORY });
        ask.load.by_claim.extend(codes.iter().map(|code| Key::new(CODE_SCOPE, code.as_str())));
    }

    /// The rules for pricing, withheld where a promotion cannot be used.
    pub(super) fn rules(&self, now: Timestamp) -> Vec<PromotionRule> {
        let offered = |(promotion, uses, budget): &(Arc<Instance<Promotion>>, PoolLevel, PoolLevel)| {
            promotion.state.as_ref().map(|promotion| promotion.offered(now, *uses, *budget))
        };
        self.promotions.iter().filter_map(offered).collect()
    }

    /// Asserts everything that the price was decided on.
    pub(super) fn expect(&self, batch: &mut Batch<'_>) {
        for product in self.products.values() {
            batch.expect(product);
        }
        for (promotion, ..) in &self.promotions {
            batch.expect(promotion);
        }
    }

    /// The promotions whose uses are counted.
    pub(super) fn used(&self, book: &PriceBook) -> Vec<PromotionId> {
        let granted = granted(book).unwrap_or_default();
        granted.keys().copied().filter(|promotion| self.counted(*promotion).is_some()).collect()
    }

    fn counted(&self, id: PromotionId) -> Option<&Promotion> {
        let (promotion, ..) = self.promotions.iter().find(|(known, ..)| known.id == id)?;
        promotion.state.as_ref().filter(|promotion| {
            promotion.rule().code.is_some()
                || promotion.usage_limit().is_some()
                || promotion.per_customer_limit().is_some()
                || promotion.budget().is_some()
        })
    }

    /// The holds of counted promotions, in the order of [`used`](Self::used).
    pub(super) fn holds(
        &self,
        book: &PriceBook,
        checkout: CheckoutId,
        subject: SubjectId,
        expires_at: Timestamp,
    ) -> Result<Vec<(Instance<Redemption>, RedemptionCommand)>, CheckoutError> {
        let mut holds = Vec::new();
        for (id, amount) in granted(book)? {
            let Some(promotion) = self.counted(id) else { continue };
            let hold = RedemptionCommand::Hold {
                promotion: id,
                version: promotion.rule().version,
                code: promotion.rule().code.clone(),
                checkout,
                subject,
                amount,
                limited: promotion.usage_limit().is_some(),
                per_customer_limit: promotion.per_customer_limit(),
                budgeted: promotion.budget().is_some(),
                returns_usage: promotion.returns_usage(),
                expires_at,
            };
            holds.push((Instance::absent(redemption_id(checkout, id)), hold));
        }
        Ok(holds)
    }
}

/// What each promotion gives, over lines and shipping.
fn granted(book: &PriceBook) -> Result<BTreeMap<PromotionId, Money>, MoneyError> {
    let lines = book.lines.iter().flat_map(|line| &line.discounts);
    let shipping = book.shipping.iter().flat_map(|charge| &charge.discounts);
    let mut sums: BTreeMap<PromotionId, Money> = BTreeMap::new();
    for discount in lines.chain(shipping) {
        let sum = sums.entry(discount.promotion).or_insert_with(|| Money::zero(book.currency));
        *sum = sum.checked_add(discount.amount)?;
    }
    Ok(sums)
}

impl Commerce {
    /// Loads what a cart is priced by. Codes that were not looked up on the way cost one more load.
    pub(super) async fn offers(
        &self,
        cart: &Cart,
        asked: &[PromotionCode],
        first: &Answer,
    ) -> Result<Offers, ReadError> {
        let mut owners: Vec<StreamId> = Vec::new();
        let listed = first.loaded.directory.iter().flatten().map(|(_, owner)| owner.clone());
        owners.extend(listed.chain(first.loaded.by_claim.iter().flatten().cloned()));
        let missing: Vec<_> = cart.codes().filter(|code| !asked.contains(code)).collect();
        if !missing.is_empty() {
            let mut ask = Ask::default();
            ask.load.by_claim = missing.iter().map(|code| Key::new(CODE_SCOPE, code.as_str())).collect();
            owners.extend(self.ask(ask).await?.loaded.by_claim.into_iter().flatten());
        }
        owners.retain(|owner| owner.kind == Promotion::NAME);
        owners.sort();
        owners.dedup();
        self.load_offers(cart, owners).await
    }

    async fn load_offers(&self, cart: &Cart, owners: Vec<StreamId>) -> Result<Offers, ReadError> {
        let cache = &self.shared.cache;
        let mut ids: Vec<ProductId> = cart.lines().iter().map(|line| line.product).collect();
        ids.sort();
        ids.dedup();
        let products: Vec<_> = ids.into_iter().map(|id| cache.peek::<Product>(id)).collect();
        let promotions: Vec<_> = owners
            .into_iter()
            .filter_map(|owner| PromotionId::from_uuid(owner.id).ok())
            .map(|id| cache.peek::<Promotion>(id))
            .collect();
        let mut ask = Ask::default();
        for product in &products {
            ask.stream(product);
        }
        for promotion in &promotions {
            ask.stream(promotion);
        }
        let pools = promotions.iter().flat_map(|known| [uses_pool(known.id), budget_pool(known.id)]);
        ask.load.pools = pools.collect();
        let answer = self.ask(ask).await?;
        let mut offers = Offers::default();
        for product in products {
            let product = answer.fold_shared(product)?;
            cache.keep(&product);
            offers.products.insert(product.id, product);
        }
        let mut levels = answer.loaded.pools.iter().copied();
        for promotion in promotions {
            let promotion = answer.fold_shared(promotion)?;
            cache.keep(&promotion);
            let uses = levels.next().unwrap_or_default();
            let budget = levels.next().unwrap_or_default();
            offers.promotions.push((promotion, uses, budget));
        }
        Ok(offers)
    }
}
