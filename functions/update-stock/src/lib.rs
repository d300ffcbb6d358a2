//! update-stock.
