//! What Waybill writes to people, and how it is sent.
//!
//! A message is one template in HTML and one in plain text (`templates/`), and one function that
//! makes a [`Mail`] of it. The functions are pure: the same order gives the same mail, so that
//! sending it again after a crash sends nothing new.

mod customer;
mod mailer;
mod render;
mod stock;
mod warehouse;

pub use customer::{cancellation_notice, order_confirmation, refund_notice, shipping_notice};
pub use mailer::Mailer;
pub use minijinja::Error;
pub use runtime::mail::{Mail, SendError};
pub use stock::{StockLine, restock_request, stock_notice};
pub use warehouse::{pick_list, stop_notice};
