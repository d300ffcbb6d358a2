//! change-order.
