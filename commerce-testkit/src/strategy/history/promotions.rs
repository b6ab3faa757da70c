//! Histories of promotions and of their uses.

use commerce_core::promotions::{Promotion, PromotionCommand, Redemption, RedemptionCommand};
use commerce_core::value::{Benefit, Money, Phase, PromotionCode, PromotionRule, Rate};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::{Storied, euros, few, nth, reason, soon};

fn rule() -> impl Strategy<Value = PromotionRule> {
    let benefit = prop_oneof![
        (1_u32..=100).prop_filter_map("a rate", |percent| {
            Some(Benefit::Percent(Rate::parse(&percent.to_string()).ok()?))
        }),
        euros().prop_map(Benefit::FixedPerOrder),
        euros().prop_map(Benefit::FixedPerUnit),
    ];
    (benefit, option::of(Just("TENTH")), -2..3_i32, any::<bool>()).prop_map(
        |(benefit, code, priority, exclusive)| {
            let mut rule = PromotionRule::new(nth(0), Phase::Order, benefit);
            rule.code = code.and_then(|text| PromotionCode::new(text).ok());
            (rule.priority, rule.exclusive) = (priority, exclusive);
            rule
        },
    )
}

fn limits() -> impl Strategy<Value = (Option<u32>, Option<u32>, Option<Money>)> {
    (option::of(1_u32..9), option::of(1_u32..3), option::of(euros()))
}

impl Storied for Promotion {
    fn begins() -> BoxedStrategy<PromotionCommand> {
        (rule(), limits(), any::<bool>())
            .prop_map(|(rule, (usage_limit, per_customer_limit, budget), returns_usage)| {
                PromotionCommand::Create { rule, usage_limit, per_customer_limit, budget, returns_usage }
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<PromotionCommand> {
        use PromotionCommand as C;
        prop_oneof![
            4 => Just(C::Activate),
            2 => Just(C::Pause),
            2 => Just(C::Resume),
            3 => limits().prop_map(|(usage_limit, per_customer_limit, budget)| {
                C::ChangeLimits { usage_limit, per_customer_limit, budget }
            }),
            2 => rule().prop_map(|rule| C::Revise { rule }),
            1 => Just(C::End),
            1 => Just(C::Archive),
        ]
        .boxed()
    }
}

impl Storied for Redemption {
    fn begins() -> BoxedStrategy<RedemptionCommand> {
        let grant = (any::<bool>(), option::of(1_u32..3), any::<bool>(), any::<bool>());
        (euros(), grant, few(), soon())
            .prop_map(
                |(amount, (limited, per_customer_limit, budgeted, returns_usage), subject, expires_at)| {
                    RedemptionCommand::Hold {
                        promotion: nth(0),
                        version: 1,
                        code: PromotionCode::new("TENTH").ok(),
                        checkout: nth(0),
                        subject,
                        amount,
                        limited,
                        per_customer_limit,
                        budgeted,
                        returns_usage,
                        expires_at,
                    }
                },
            )
            .boxed()
    }

    fn continues() -> BoxedStrategy<RedemptionCommand> {
        use RedemptionCommand as C;
        prop_oneof![
            3 => soon().prop_map(|expires_at| C::Extend { expires_at }),
            3 => few().prop_map(|order| C::Redeem { order }),
            1 => reason().prop_map(|reason| C::Release { reason }),
            1 => Just(C::Expire),
            2 => Just(C::Reverse),
        ]
        .boxed()
    }
}
