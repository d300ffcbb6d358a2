//! The local cloud: what Waybill uses of AWS, on one machine and in one process.

pub mod built_in;
pub mod cli;
pub mod client;
pub mod cloud;
pub mod console;
pub mod demo;
pub mod endpoint;
pub mod http_client;
pub mod seed;
pub mod services;
pub mod template;
