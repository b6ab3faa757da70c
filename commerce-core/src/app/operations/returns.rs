//! Goods that come back.
