//! The description of the HTTP API, and a way to call the API by nothing but that description.
// Whatever goes wrong here is the failure of a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod document;

pub use api::{Answer, Api, Call, OPERATOR, READER, STRANGER};
pub use document::{Document, Operation};
