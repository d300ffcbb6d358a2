//! What the places that send orders send, read into the house's terms.
//!
//! Pure: no input or output and no clock. A channel is one module with one [`Channel`] in it, and
//! one line in [`CHANNELS`]. Our own order document is not a webhook and stands apart: [`api`].

use domain::intake::NewOrder;

pub mod api;
mod document;
mod faults;
pub mod shopify;
pub mod signature;
mod unreadable;

pub use unreadable::Unreadable;

/// The headers of a request: the value of each by its name in lower case.
pub type Headers<'h> = dyn Fn(&str) -> Option<&'h str> + 'h;

/// A place that sends webhooks about orders.
pub trait Channel: Sync {
    /// Its name in webhook paths and in [`Source::channel`](domain::order::Source).
    fn name(&self) -> &'static str;

    /// Whether the body, byte for byte as it came, was signed with one of the secrets.
    fn verify(&self, headers: &Headers<'_>, raw_body: &[u8], secrets: &[&str]) -> bool;

    /// What the webhook is about, in the channel's words.
    fn topic<'h>(&self, headers: &Headers<'h>) -> &'h str;

    /// Whether webhooks of a topic bring new orders.
    fn brings_orders(&self, topic: &str) -> bool;

    /// Reads the order that it brings to one of the retailer's accounts.
    fn parse(&self, raw_body: &[u8], account: &str) -> Result<NewOrder, Unreadable>;
}

/// Every channel that sends webhooks.
pub const CHANNELS: &[&dyn Channel] = &[&shopify::Shopify];

/// The channel of a name.
pub fn by_name(name: &str) -> Option<&'static dyn Channel> {
    CHANNELS
        .iter()
        .copied()
        .find(|channel| channel.name() == name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn channels_are_found_by_their_names() {
        assert_eq!(super::by_name("shopify").unwrap().name(), "shopify");
        assert!(super::by_name("api").is_none(), "not a webhook");
    }
}
