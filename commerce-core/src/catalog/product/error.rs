//! Why something asked of a product is refused.

use crate::value::id::VariantId;
use crate::value::{Code, Currency, Sku};

/// Why something asked of a product is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProductError {
    /// There is no such product.
    #[error("no such product")]
    NotFound,
    /// The id is in use.
    #[error("product exists already")]
    AlreadyExists,
    /// It was deleted.
    #[error("product was deleted")]
    Deleted,
    /// It would be in no category.
    #[error("a product is in at least one category")]
    NoCategory,
    /// An option is declared twice.
    #[error("option {option} is declared twice")]
    OptionTwice {
        /// Which.
        option: Code,
    },
    /// A variant has no value for an option.
    #[error("variant has no value for option {option}")]
    OptionMissing {
        /// Which.
        option: Code,
    },
    /// A variant has a value for an option that the product does not declare.
    #[error("option {option} is not declared")]
    OptionUnknown {
        /// Which.
        option: Code,
    },
    /// Another variant has the same values.
    #[error("variant {variant} has the same options")]
    SameOptions {
        /// Which.
        variant: VariantId,
    },
    /// The id of the variant is or was in use.
    #[error("variant {variant} exists already")]
    VariantExists {
        /// Which.
        variant: VariantId,
    },
    /// Another variant of this product has the SKU.
    #[error("sku {sku} is used by another variant")]
    SkuTaken {
        /// Which.
        sku: Sku,
    },
    /// There is no such variant, or it was removed.
    #[error("no variant {variant}")]
    NoVariant {
        /// Which.
        variant: VariantId,
    },
    /// Two prices in one currency.
    #[error("two prices in {currency}")]
    CurrencyTwice {
        /// Which.
        currency: Currency,
    },
    /// The policy refuses a price of zero.
    #[error("price is not positive")]
    FreeRefused,
    /// No variant has a price, or none would have one while the product is published.
    #[error("a published product has a variant with a price")]
    NothingToSell,
    /// More than a product holds.
    #[error("no more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it holds.
        max: usize,
    },
}
