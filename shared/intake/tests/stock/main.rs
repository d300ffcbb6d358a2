//! How each vendor is told what there is, as its documents describe it, and what is made of its answers.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adobe_commerce;
mod amazon;
mod bigcommerce;
#[path = "../common/mod.rs"]
mod common;
mod ebay;
mod meta;
mod shopify;
mod tiktok;
mod wix;
mod woocommerce;
