//! ship-order.
