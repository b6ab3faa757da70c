//! What happens to a cart.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lines::CartLine;
use crate::event_types;
use crate::kernel::personal::Personal;
use crate::value::actor::Owner;
use crate::value::id::{CartId, CartLineId, CheckoutId, CustomerId, OrderId};
use crate::value::time::Timestamp;
use crate::value::{Address, Code, Currency, Email, PromotionCode, Quantity, Reason};

/// A fact about a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CartEvent {
    /// It was started.
    Created {
        /// Whose it is.
        owner: Owner,
        /// The currency of everything in it.
        currency: Currency,
        /// When somebody looks whether its buyer is still there; `None` for carts of before that was done.
        look_at: Option<Timestamp>,
    },
    /// A line was put in.
    LineAdded {
        /// The line.
        line: CartLine,
    },
    /// The units of a line changed.
    LineChanged {
        /// The line.
        line: CartLineId,
        /// Units from now on.
        quantity: Quantity,
    },
    /// A line was taken out.
    LineRemoved {
        /// The line.
        line: CartLineId,
    },
    /// A discount is wanted.
    CodeApplied {
        /// The code.
        code: PromotionCode,
    },
    /// It is not wanted any more.
    CodeRemoved {
        /// The code.
        code: PromotionCode,
    },
    /// Where the buyer can be reached.
    ContactSet {
        /// The address.
        email: Personal<Email>,
    },
    /// Where the goods go.
    ShippingAddressSet {
        /// The address.
        address: Personal<Address>,
    },
    /// Where the invoice goes.
    BillingAddressSet {
        /// The address.
        address: Personal<Address>,
    },
    /// How the goods are sent.
    ShippingChosen {
        /// The code of the method.
        method: Code,
    },
    /// The cart is a customer's from now on; what is personal in it is written again as theirs, by the
    /// events behind this one.
    Identified {
        /// Who.
        customer: CustomerId,
    },
    /// A checkout locked it.
    CheckoutStarted {
        /// Which.
        checkout: CheckoutId,
        /// The how-many-eth of this cart.
        number: u32,
        /// When the checkout is woken.
        deadline: Timestamp,
    },
    /// The checkout was given longer.
    CheckoutExtended {
        /// Which.
        checkout: CheckoutId,
        /// The new deadline.
        deadline: Timestamp,
    },
    /// The checkout came to nothing.
    CheckoutFailed {
        /// Which.
        checkout: CheckoutId,
        /// Why.
        reason: Reason,
    },
    /// It became an order.
    Converted {
        /// The checkout that did it.
        checkout: CheckoutId,
        /// The order.
        order: OrderId,
    },
    /// It was closed; its lines went into another one.
    Merged {
        /// The other cart.
        target: CartId,
    },
    /// What another cart held was taken over, by the events before this one.
    Absorbed {
        /// The other cart.
        source: CartId,
    },
    /// The buyer has not come back for long.
    Abandoned,
    /// The buyer has come back.
    Reactivated,
    /// It is too old.
    Expired,
    /// Somebody looks then whether its buyer is still there.
    Watched {
        /// When.
        look_at: Timestamp,
    },
    /// Nobody looks any more: nothing can happen to it.
    Unwatched,
}

event_types! {
    CartEvent {
        Created => "CartCreated" v2,
        LineAdded => "CartLineAdded" v1,
        LineChanged => "CartLineChanged" v1,
        LineRemoved => "CartLineRemoved" v1,
        CodeApplied => "CartCodeApplied" v1,
        CodeRemoved => "CartCodeRemoved" v1,
        ContactSet => "CartContactSet" v1,
        ShippingAddressSet => "CartShippingAddressSet" v1,
        BillingAddressSet => "CartBillingAddressSet" v1,
        ShippingChosen => "CartShippingChosen" v1,
        Identified => "CartIdentified" v1,
        CheckoutStarted => "CartCheckoutStarted" v1,
        CheckoutExtended => "CartCheckoutExtended" v1,
        CheckoutFailed => "CartCheckoutFailed" v1,
        Converted => "CartConverted" v1,
        Merged => "CartMerged" v1,
        Absorbed => "CartAbsorbed" v1,
        Abandoned => "CartAbandoned" v1,
        Reactivated => "CartReactivated" v1,
        Expired => "CartExpired" v1,
        Watched => "CartWatched" v1,
        Unwatched => "CartUnwatched" v1,
    }
    upcast = upcast
}

/// Schema 1 of `CartCreated` had no `look_at`, which is optional.
fn upcast(name: &str, schema: u16, payload: Value) -> Result<Value, String> {
    match (name, schema) {
        ("CartCreated", 1) => Ok(payload),
        _ => Err(format!("no upcaster for {name} from schema {schema}")),
    }
}
