//! query-orders.
