//! The views in memory keep the contract of the port.

use std::sync::Arc;

use commerce_adapters_memory::MemoryViews;
use commerce_core::port::view::ViewStore;

async fn fresh() -> Arc<dyn ViewStore> {
    Arc::new(MemoryViews::new())
}

commerce_testkit::view_conformance!(fresh);
