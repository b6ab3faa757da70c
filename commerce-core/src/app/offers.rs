//! What a cart is priced by: its products, and the promotions that may apply.

use std::collections::HashMap;
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
use crate::value::{PriceBook, PromotionCode, PromotionRule};

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
        let granted = book.granted().unwrap_or_default();
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
        for (id, amount) in book.granted()? {
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

impl Commerce {
    /// Loads what a cart is priced by. A code that was not looked up on the way is taken to be of the
    /// promotion that it was the last time, which the same load confirms; one that this process never met
    /// costs one more load.
    pub(super) async fn offers(
        &self,
        cart: &Cart,
        asked: &[PromotionCode],
        first: &Answer,
    ) -> Result<Offers, ReadError> {
        let mut owners: Vec<StreamId> = Vec::new();
        let listed = first.loaded.directory.iter().flatten().map(|(_, owner)| owner.clone());
        owners.extend(listed.chain(first.loaded.by_claim.iter().flatten().cloned()));
        self.shared.cache.keep_owners(asked.iter().zip(&first.loaded.by_claim));
        let missing: Vec<_> = cart.codes().filter(|code| !asked.contains(code)).cloned().collect();
        let guessed = self.shared.cache.owners_of(&missing);
        if guessed.len() == missing.len() {
            let known = owners.iter().cloned().chain(guessed.iter().cloned()).collect();
            if let Some(offers) = self.load_offers(cart, known, &missing, &guessed).await? {
                return Ok(offers);
            }
        }
        let mut ask = Ask::default();
        ask.load.by_claim = missing.iter().map(|code| Key::new(CODE_SCOPE, code.as_str())).collect();
        let found = self.ask(ask).await?.loaded.by_claim;
        self.shared.cache.keep_owners(missing.iter().zip(&found));
        owners.extend(found.into_iter().flatten());
        Ok(self.load_offers(cart, owners, &[], &[]).await?.unwrap_or_default())
    }

    /// `None` where a code is not of the promotion that it was taken to be of.
    async fn load_offers(
        &self,
        cart: &Cart,
        mut owners: Vec<StreamId>,
        codes: &[PromotionCode],
        guessed: &[StreamId],
    ) -> Result<Option<Offers>, ReadError> {
        owners.retain(|owner| owner.kind == Promotion::NAME);
        owners.sort();
        owners.dedup();
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
        ask.load.by_claim = codes.iter().map(|code| Key::new(CODE_SCOPE, code.as_str())).collect();
        let answer = self.ask(ask).await?;
        if !answer.loaded.by_claim.iter().flatten().eq(guessed) {
            cache.keep_owners(codes.iter().zip(&answer.loaded.by_claim));
            return Ok(None);
        }
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
        Ok(Some(offers))
    }
}
