//! What shops do all day, in one call each: list a product, fill a cart, ask what it costs.

use std::collections::{BTreeMap, BTreeSet};

use super::commerce::Commerce;
use super::execute::Executed;
use super::observing::{outcome, span::Span};
use super::reading::Ask;
use crate::app::begin::read_error;
use crate::app::error::CommandError;
use crate::carts::{Cart, CartCommand, CartError, CartEvent};
use crate::catalog::{
    CategoryCommand, CategoryTree, PricePolicy, Product, ProductCommand, ProductDetails, SKU_SCOPE,
    VariantInput,
};
use crate::checkout::CheckoutError;
use crate::checkout::quote::quote;
use crate::identity::authorise;
use crate::inventory::{StockCommand, StockItem, stock_item_id};
use crate::kernel::aggregate::{Aggregate, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::error::ErrorClass;
use crate::kernel::unique::Key;
use crate::settings::SettingsValues;
use crate::value::actor::Owner;
use crate::value::id::{CartId, CategoryId, Id, ProductId};
use crate::value::{Currency, Name, Price, PriceBook, Quantity, Sku, Slug};
use uuid::Uuid;

/// A product with one variant, to be put on sale at once.
#[derive(Debug, Clone)]
pub struct Listing {
    sku: Sku,
    name: Name,
    price: Price,
    stock: Option<Quantity>,
    tracked: bool,
    shippable: bool,
}

impl Listing {
    /// A product that is sold under this SKU and name at this price.
    pub const fn new(sku: Sku, name: Name, price: Price) -> Self {
        Self { sku, name, price, stock: None, tracked: true, shippable: true }
    }

    /// With units at the shop's first location.
    #[must_use]
    pub const fn with_stock(mut self, units: Quantity) -> Self {
        self.stock = Some(units);
        self
    }

    /// Nothing is sent; stock is kept, as of tickets or licences.
    #[must_use]
    pub const fn digital(mut self) -> Self {
        self.shippable = false;
        self
    }

    /// A service: no stock is kept of it and nothing is sent.
    #[must_use]
    pub const fn service(mut self) -> Self {
        self.tracked = false;
        self.shippable = false;
        self
    }
}

/// A product could not be listed, or a cart not be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShopfrontError {
    /// The catalogue refuses.
    #[error("the catalogue refuses")]
    Product(#[from] crate::catalog::ProductError),
    /// The category tree refuses.
    #[error("the category tree refuses")]
    Category(#[from] crate::catalog::CategoryError),
    /// The stock refuses.
    #[error("the stock refuses")]
    Stock(#[from] crate::inventory::StockError),
    /// The cart refuses.
    #[error("the cart refuses")]
    Cart(#[from] CartError),
    /// Nothing is sold under this SKU.
    #[error("nothing is sold under {0}")]
    NoSuchSku(Sku),
    /// Whatever else can go wrong with a decision over several aggregates.
    #[error("the shop cannot do it now")]
    Checkout(#[from] CheckoutError),
}

impl ShopfrontError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Checkout(error) => error.class(),
            _ => ErrorClass::Refused,
        }
    }
}

/// The namespace of ids derived from SKUs.
const LISTINGS: Uuid = Uuid::from_u128(0x1157_1265_0000_5000_8000_0000_0000_0001);

/// The tree of a shop: one stream per store.
pub fn category_tree_id() -> Id<CategoryTree> {
    CategoryTree::id(LISTINGS)
}

/// The category of products that were listed without one.
pub fn default_category() -> CategoryId {
    CategoryId::derived(LISTINGS, b"category:all")
}

fn decide<A: Aggregate>(
    batch: &mut Batch<'_>,
    instance: &mut Instance<A>,
    command: A::Command,
) -> Result<(), ShopfrontError>
where
    ShopfrontError: From<A::Error>,
{
    let events = A::decide(instance.state.as_ref(), command, batch.now())?;
    batch.append(instance, &events).map_err(CheckoutError::from)?;
    Ok(())
}

impl Commerce {
    /// Puts a product with one variant on sale, with its stock, in one commit.
    ///
    /// Listing the same SKU again is refused: it is taken.
    ///
    /// # Errors
    ///
    /// [`ShopfrontError`]; nothing happened.
    pub async fn list(&self, listing: Listing) -> Result<ProductId, ShopfrontError> {
        let product = ProductId::derived(LISTINGS, format!("product:{}", listing.sku.as_str()).as_bytes());
        let what = Permission::new(Product::NAME, "list");
        let shop = self.traced();
        let watched = shop.begins(what, product.uuid());
        let span = Span::command(what, product.uuid(), shop.trace());
        let done = span.around(Box::pin(shop.listed(product, listing))).await;
        shop.ends(watched, shop.trace(), outcome(&done, ShopfrontError::class), 1);
        done
    }

    async fn listed(&self, product: ProductId, listing: Listing) -> Result<ProductId, ShopfrontError> {
        authorise(&self.request.principal, Permission::new("product", "create"), Some(Owner::Shop))
            .map_err(CheckoutError::from)?;
        let settings = self.settings().await?;
        let Listing { sku, name, price, stock, tracked, shippable } = listing;
        let variant = product.cast();
        let location = settings.locations.first().copied().ok_or(CheckoutError::NoLocation)?;

        let mut tree = Instance::<CategoryTree>::absent(category_tree_id());
        let mut item = Instance::<StockItem>::absent(stock_item_id(&sku, location));
        let mut known = Instance::<Product>::absent(product);
        let mut ask = Ask::default();
        ask.stream(&tree);
        ask.stream(&item);
        ask.stream(&known);
        let answer = self.ask(ask).await.map_err(CheckoutError::from)?;
        tree = answer.fold(tree).map_err(CheckoutError::from)?;
        item = answer.fold(item).map_err(CheckoutError::from)?;
        known = answer.fold(known).map_err(CheckoutError::from)?;

        let category = default_category();
        let mut batch = Batch::new(self.ids(), self.now(), self.metadata());
        let exists = tree.state.as_ref().is_some_and(|tree| tree.check([&category]).is_ok());
        if !exists {
            let (name, slug) = (text("All products")?, slug("all-products")?);
            let create = CategoryCommand::Create { category, name, slug, parent: None, sort: 0 };
            decide(&mut batch, &mut tree, create)?;
        }
        batch.expect(&tree);
        let mut details = ProductDetails::new(name);
        (details.tracked, details.shippable) = (tracked, shippable);
        let path = slug(&format!("p-{}", product.uuid().simple()))?;
        let create = ProductCommand::Create {
            product,
            seller: None,
            slug: path,
            details: Box::new(details),
            options: Vec::new(),
            categories: BTreeSet::from([category]),
            variants: vec![VariantInput {
                id: variant,
                sku: sku.clone(),
                options: BTreeMap::new(),
                prices: vec![price],
            }],
            prices: PricePolicy::FreeAllowed,
        };
        decide(&mut batch, &mut known, create)?;
        decide(&mut batch, &mut known, ProductCommand::Publish)?;
        if tracked {
            decide(&mut batch, &mut item, StockCommand::Open { sku, location })?;
            if let Some(quantity) = stock {
                decide(&mut batch, &mut item, StockCommand::Receive { quantity })?;
            }
        }
        self.commit_resolved(batch.into_commit()).await.map_err(CheckoutError::Commit)?;
        Ok(product)
    }

    /// Puts units of a SKU into a cart; the cart is begun where there is none yet, for whoever acts.
    ///
    /// # Errors
    ///
    /// [`ShopfrontError`]; nothing happened.
    pub async fn add_to_cart(
        &self,
        cart: CartId,
        sku: &Sku,
        quantity: Quantity,
        currency: Currency,
    ) -> Result<Executed<CartEvent>, ShopfrontError> {
        let mut ask = Ask::default();
        ask.load.by_claim.push(Key::new(SKU_SCOPE, sku.as_str()));
        let known = self.shared.cache.take::<Cart>(cart);
        ask.stream(&known);
        let answer = self.ask(ask).await.map_err(CheckoutError::from)?;
        let known = answer.fold(known).map_err(CheckoutError::from)?;
        let owner = answer.loaded.by_claim.into_iter().flatten().next();
        let product = owner.and_then(|owner| ProductId::from_uuid(owner.id).ok());
        let product = product.ok_or_else(|| ShopfrontError::NoSuchSku(sku.clone()))?;
        let state = self.read::<Product>(product).await.map_err(read_error)?;
        let variants = state.state.iter().flat_map(Product::variants);
        let mut variant =
            variants.filter(|(_, variant)| !variant.removed && variant.sku == *sku).map(|(id, _)| *id);
        let variant = variant.next_back().ok_or_else(|| ShopfrontError::NoSuchSku(sku.clone()))?;
        let is_new = known.state.is_none();
        self.shared.cache.put(known);
        if is_new {
            let subject = self.request.principal.actor().subject();
            let owner = Owner::Subject(subject.ok_or(CartError::OwnerIsNoBuyer)?);
            // The command id belongs to what is asked for; a cart that is there needs no creating.
            let mut other = self.clone();
            other.request.command_id = None;
            other.execute(cart, CartCommand::Create { owner, currency }).await.map_err(flatten)?;
        }
        // The same request names the same line, or its repeat would be another request.
        let line =
            self.request.command_id.map_or_else(|| self.new_id(), |id| Id::derived(id.uuid(), b"line"));
        let add = CartCommand::AddLine {
            line,
            product,
            variant,
            quantity,
            customisation: None,
            price_override: None,
        };
        self.execute(cart, add).await.map_err(flatten)
    }

    /// What a cart costs now.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`]: as the checkout would be refused.
    pub async fn quote(&self, cart: CartId) -> Result<PriceBook, CheckoutError> {
        let known = self.shared.cache.take::<Cart>(cart);
        let mut ask = Ask::default();
        ask.stream(&known);
        let codes: Vec<_> = known.state.iter().flat_map(|cart| cart.codes().cloned()).collect();
        super::offers::Offers::ask_first(&mut ask, &codes);
        let answer = self.ask(ask).await?;
        let known = answer.fold(known)?;
        let state = known.state.as_ref().ok_or(CartError::NotFound)?;
        authorise(&self.request.principal, Permission::new("cart", "read"), Some(state.owner()))?;
        let settings: SettingsValues = self.settings().await?;
        let offers = self.offers(state, &codes, &answer).await.map_err(read_error)?;
        let priced = (state, &offers, &settings);
        let assessed = self.assessed(priced).await?;
        let book = quote(&self.quote_input(priced, &assessed))?.book;
        self.shared.cache.put(known);
        Ok(book)
    }
}

fn text(text: &str) -> Result<Name, ShopfrontError> {
    Name::new(text).map_err(|_| CheckoutError::Internal(crate::checkout::error::InternalRefusal::Text).into())
}

fn slug(text: &str) -> Result<Slug, ShopfrontError> {
    Slug::new(text).map_err(|_| CheckoutError::Internal(crate::checkout::error::InternalRefusal::Text).into())
}

fn flatten(error: CommandError<CartError>) -> ShopfrontError {
    match error {
        CommandError::Rejected(refusal) => refusal.into(),
        CommandError::Denied(denied) => CheckoutError::from(denied).into(),
        CommandError::Conflict { attempts } => CheckoutError::Conflict { attempts }.into(),
        CommandError::Commit(error) => CheckoutError::Commit(error).into(),
        CommandError::Port(error) => CheckoutError::from(error).into(),
        CommandError::Corrupt(error) => CheckoutError::from(error).into(),
    }
}
