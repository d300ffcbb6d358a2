//! sweep-orders.
