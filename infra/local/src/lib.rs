//! The local cloud: what Waybill uses of AWS, on one machine and in one process.

pub mod client;
pub mod endpoint;
pub mod services;
