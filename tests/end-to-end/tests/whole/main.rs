//! The whole system as its users see it: shops and people over HTTP, warehouses by their keys, customers by mail.
//!
//! Each test has a cloud of its own and ends with `Shop::close`, which holds every order, level and mail to the rules
//! that always apply.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod audit;
mod bad_documents;
mod bad_messages;
mod bad_requests;
mod bad_webhooks;
mod channels;
mod events;
mod fetched;
mod holds;
mod importing;
mod journey;
mod kits;
mod limits;
mod listings;
mod measure;
mod persistence;
mod places;
mod policies;
mod promise;
mod purchase_orders;
mod reconcile;
mod redrive;
mod rehearsals;
mod repaid;
mod repeats;
mod reservations;
mod restated;
mod restock;
mod shelf;
mod stock;
mod sweeper;
mod told;
mod warehouse;
