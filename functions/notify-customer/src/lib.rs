//! notify-customer.
