//! What can be asked of a cart.

use serde::Serialize;

use super::cart::Cart;
use super::lines::{CartLine, PriceOverride};
use super::merge::MergeStrategy;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::actor::Owner;
use crate::value::id::{CartId, CartLineId, CheckoutId, CustomerId, OrderId, ProductId, VariantId};
use crate::value::time::Timestamp;
use crate::value::{Address, Code, Currency, Email, PromotionCode, Quantity, Reason};

/// Asks something of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CartCommand {
    /// Starts a cart. Repeating it is a no-op.
    Create {
        /// Whose it is; a buyer.
        owner: Owner,
        /// The currency of everything in it.
        currency: Currency,
    },
    /// Puts units in; they join a line of the same key where there is one.
    AddLine {
        /// The id of a new line.
        line: CartLineId,
        /// The product.
        product: ProductId,
        /// The variant of the product.
        variant: VariantId,
        /// Units.
        quantity: Quantity,
        /// A hash of what the buyer has made of it.
        customisation: Option<Code>,
        /// A price instead of the catalogue's; needs the permission `cart:override-price`.
        price_override: Option<PriceOverride>,
    },
    /// Sets the units of a line; zero removes it.
    ChangeQuantity {
        /// The line.
        line: CartLineId,
        /// Units.
        quantity: u32,
    },
    /// Takes a line out.
    RemoveLine {
        /// The line.
        line: CartLineId,
    },
    /// Wants a discount. Applying a code twice is applying it once.
    ApplyCode {
        /// The code.
        code: PromotionCode,
    },
    /// Does not want it any more.
    RemoveCode {
        /// The code.
        code: PromotionCode,
    },
    /// Says where the buyer can be reached.
    SetContact {
        /// The address.
        email: Email,
    },
    /// Says where the goods go.
    SetShippingAddress {
        /// The address.
        address: Address,
    },
    /// Says where the invoice goes.
    SetBillingAddress {
        /// The address.
        address: Address,
    },
    /// Chooses how the goods are sent.
    ChooseShipping {
        /// The code of the method.
        method: Code,
    },
    /// A guest has logged in: the cart is the customer's from now on.
    Identify {
        /// Who.
        customer: CustomerId,
    },
    /// A checkout locks the cart.
    StartCheckout {
        /// Which.
        checkout: CheckoutId,
        /// The how-many-eth of this cart, from 1.
        number: u32,
        /// When the checkout is woken.
        deadline: Timestamp,
    },
    /// The checkout needs longer.
    ExtendCheckout {
        /// Which.
        checkout: CheckoutId,
        /// The new deadline.
        deadline: Timestamp,
    },
    /// The checkout came to nothing: the cart can be changed again.
    FailCheckout {
        /// Which.
        checkout: CheckoutId,
        /// Why.
        reason: Reason,
    },
    /// The cart became an order. Repeating it with the same order is a no-op.
    Convert {
        /// The checkout that did it.
        checkout: CheckoutId,
        /// The order.
        order: OrderId,
    },
    /// Closes the cart, whose lines go into another one in the same commit.
    MergeInto {
        /// The other cart.
        target: CartId,
    },
    /// Takes over what another cart holds. Repeating it for the same source is a no-op.
    Merge {
        /// The other cart.
        source: CartId,
        /// Its currency.
        currency: Currency,
        /// Its lines.
        lines: Vec<CartLine>,
        /// Its codes.
        codes: Vec<PromotionCode>,
        /// What becomes of quantities where both carts have a line of the same key.
        strategy: MergeStrategy,
    },
    /// The buyer has not come back for long.
    Abandon,
    /// The buyer has come back.
    Reactivate,
    /// The cart is too old.
    Expire,
    /// Looks then whether the buyer is still there. A no-op for a cart to which nothing happens any more.
    Watch {
        /// When.
        look_at: Timestamp,
    },
}

impl Command for CartCommand {
    type Target = Cart;

    fn permission(&self) -> Permission {
        let overrides = |lines: &[CartLine]| lines.iter().any(|line| line.price_override.is_some());
        let action = match self {
            Self::Create { .. } => "create",
            Self::AddLine { price_override: Some(_), .. } => "override-price",
            Self::Merge { lines, .. } if overrides(lines) => "override-price",
            Self::AddLine { .. } => "add-line",
            Self::ChangeQuantity { .. } => "change-quantity",
            Self::RemoveLine { .. } => "remove-line",
            Self::ApplyCode { .. } => "apply-code",
            Self::RemoveCode { .. } => "remove-code",
            Self::SetContact { .. } => "set-contact",
            Self::SetShippingAddress { .. } => "set-shipping-address",
            Self::SetBillingAddress { .. } => "set-billing-address",
            Self::ChooseShipping { .. } => "choose-shipping",
            Self::Identify { .. } => "identify",
            Self::StartCheckout { .. } => "start-checkout",
            Self::ExtendCheckout { .. } => "extend-checkout",
            Self::FailCheckout { .. } => "fail-checkout",
            Self::Convert { .. } => "convert",
            Self::MergeInto { .. } => "merge-into",
            Self::Merge { .. } => "merge",
            Self::Abandon => "abandon",
            Self::Reactivate => "reactivate",
            Self::Expire => "expire",
            Self::Watch { .. } => "watch",
        };
        Permission::new(Cart::NAME, action)
    }

    fn stands_alone(&self) -> bool {
        !matches!(
            self,
            Self::StartCheckout { .. }
                | Self::ExtendCheckout { .. }
                | Self::FailCheckout { .. }
                | Self::Convert { .. }
                | Self::MergeInto { .. }
                | Self::Merge { .. }
                | Self::Watch { .. }
        )
    }

    fn claims_owner(&self) -> Option<Owner> {
        match self {
            Self::Create { owner, .. } => Some(*owner),
            _ => None,
        }
    }
}
