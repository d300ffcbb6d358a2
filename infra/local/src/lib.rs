//! The local cloud: what Waybill uses of AWS, on one machine and in one process.

pub mod cli;
pub mod client;
pub mod cloud;
pub mod endpoint;
pub mod services;
pub mod template;
