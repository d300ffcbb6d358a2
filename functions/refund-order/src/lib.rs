//! refund-order.
