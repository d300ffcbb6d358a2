//! A whole shop to test with: a local cloud of its own, the sample retailer in it, and what its users do over HTTP.
// Whatever goes wrong here is the failure of a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod audit;
mod dice;
mod documents;
mod shop;

pub use dice::Dice;
pub use documents::{document, shopify};
pub use shop::{Answer, Level, PATIENCE, Shop, WITHOUT_BODY, pointers, problem, sign};
