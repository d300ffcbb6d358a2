//! adjust-stock.
