//! What other systems really send, held against what reads it. The payloads are not part of this
//! repository: they are read from the directory in `WAYBILL_PAYLOADS`, by default
//! `../shared/payloads` beside the checkout. Without them the tests say so and pass, except in CI.

#[cfg(test)]
mod channels;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod delivered;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod senders;
#[cfg(test)]
mod shopify;
#[cfg(test)]
mod signatures;
