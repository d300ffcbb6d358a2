//! accept-order.
