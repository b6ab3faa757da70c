//! Every aggregate of the library, for suites that go through all of them.

/// Calls a generic function for every aggregate, with the same argument.
///
/// `tests/histories.rs` compares the aggregates that have histories with the sources; whoever adds one there
/// adds it here.
#[macro_export]
macro_rules! for_every_aggregate {
    ($function:ident, $argument:expr) => {
        $function::<commerce_core::carts::Cart>($argument);
        $function::<commerce_core::catalog::CategoryTree>($argument);
        $function::<commerce_core::catalog::Product>($argument);
        $function::<commerce_core::checkout::Checkout>($argument);
        $function::<commerce_core::customers::Customer>($argument);
        $function::<commerce_core::imports::ImportNote>($argument);
        $function::<commerce_core::imports::ImportedReturn>($argument);
        $function::<commerce_core::inventory::Reservation>($argument);
        $function::<commerce_core::inventory::StockItem>($argument);
        $function::<commerce_core::messaging::Backlog>($argument);
        $function::<commerce_core::messaging::ConsumerProgress>($argument);
        $function::<commerce_core::messaging::DeadLetter>($argument);
        $function::<commerce_core::messaging::Inbox>($argument);
        $function::<commerce_core::notifications::Notification>($argument);
        $function::<commerce_core::orders::Order>($argument);
        $function::<commerce_core::orders::OrderEdit>($argument);
        $function::<commerce_core::payments::ParkedCallback>($argument);
        $function::<commerce_core::payments::Payment>($argument);
        $function::<commerce_core::payments::QuarantinedCallback>($argument);
        $function::<commerce_core::promotions::Promotion>($argument);
        $function::<commerce_core::promotions::Redemption>($argument);
        $function::<commerce_core::returns::Return>($argument);
        $function::<commerce_core::settings::ShopSettings>($argument);
        $function::<commerce_core::shipping::Shipment>($argument);
        $function::<commerce_core::app::audit::StoreRepairs>($argument);
    };
}
