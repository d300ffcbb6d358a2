//! The real binary, `waybill`, met through HTTP alone as a hostile world would meet it: 64 clients at once
//! ([`attack`]), and a process that is killed at any moment ([`kill`]).
//!
//! What the answers do not show (ledgers, timelines, queues) is read through the AWS endpoint that the binary serves.
//!
//! The attacks are those of "ACIDRain" (Warszawski and Bailis, SIGMOD 2017) as far as they apply: inventory, and here
//! also money. Its voucher attacks are not here, because Waybill has no vouchers.
// Whatever goes wrong here is the failure of a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod attack;
mod client;
pub mod kill;
mod tables;
mod waybill;

pub use client::{Client, Request, at_once};
pub use tables::Tables;
pub use waybill::{Directory, Waybill};

use std::time::Duration;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);
