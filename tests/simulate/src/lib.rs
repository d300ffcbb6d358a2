//! A simulator that tries to break every promise.
//!
//! It runs the real functions on simulated time in one thread, gives the word to one call at a
//! time, and lets everything go wrong that can. What must hold all the same is written down in
//! [`check`], from the specification.

pub mod ask;
pub mod channel;
pub mod check;
pub mod fast;
pub mod faults;
pub mod full;
pub mod listeners;
pub mod measure;
pub mod memory;
pub mod mutant;
pub mod observed;
pub mod outside;
pub mod payments;
pub mod queues;
pub mod report;
pub mod retailer;
pub mod run;
pub mod search;
pub mod shrink;
pub mod sim;
pub mod tape;
pub mod vendor;
pub mod world;
