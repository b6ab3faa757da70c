//! What goes into pricing and what comes out: plain data, shared by the contexts around it.
//!
//! The cart and the catalog fill a [`PricingInput`]; `pricing` computes a [`PriceBook`] from it; the
//! checkout and the order store that book and never compute it again.

mod book;
mod request;
mod rule;

pub use book::{
    CodeOutcome, DiscountReason, LineDiscount, Outcome, PriceBook, PricedCharge, PricedLine, RejectReason,
    TaxLine, TraceStep,
};
pub use request::{Fee, LineRef, PriceRequestLine, PricingInput, ShippingCharge, TaxClass, TaxMode, TaxRate};
pub use rule::{Benefit, Conditions, Phase, PromotionRule, Threshold, TotalAfter};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::id::PromotionId;
    use crate::value::time::Timestamp;
    use crate::value::{Currency, Rate};
    use uuid::Uuid;

    #[test]
    fn what_is_absent_takes_no_room() {
        let input = PricingInput::new(Currency::EUR, Timestamp::UNIX_EPOCH);
        let json = serde_json::to_string(&input).unwrap();
        let least = r#"{"currency":"EUR","lines":[],"tax_mode":"exclusive","rounding":{"mode":"half_even","level":"line"},"now":0}"#;
        assert_eq!(json, least);
        let short = r#"{"currency":"EUR","lines":[],"now":0}"#;
        assert_eq!(serde_json::from_str::<PricingInput>(short).unwrap(), input);
    }

    #[test]
    fn a_rule_reads_back_and_nonsense_is_refused() {
        let id = PromotionId::from_uuid(Uuid::from_u128(1)).unwrap();
        let rule = PromotionRule::new(id, Phase::Order, Benefit::Percent(Rate::parse("10").unwrap()));
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<PromotionRule>(&json).unwrap(), rule);
        let gift = |buy| format!(r#"{{"buy_x_get_y":{{"buy":{buy},"get":1,"rate":"100"}}}}"#);
        assert!(serde_json::from_str::<Benefit>(&gift(2)).is_ok());
        assert!(serde_json::from_str::<Benefit>(&gift(0)).is_err());
        assert!(serde_json::from_str::<Benefit>(r#"{"percent":"100.5"}"#).is_err());
    }
}
