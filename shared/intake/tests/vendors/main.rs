//! Each vendor's API as its documents describe it, and everything that can be wrong with an answer.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adobe_commerce;
mod amazon;
mod asking;
mod bigcommerce;
#[path = "../common/mod.rs"]
mod common;
mod ebay;
mod meta;
mod tiktok;
mod wix;
mod woocommerce;
