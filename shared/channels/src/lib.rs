//! What the places that send orders send, read into the house's terms.
//!
//! Pure: no input or output and no clock. A channel is one module with one [`Channel`] in it, and
//! one line in [`CHANNELS`]. Our own order document is not a webhook and stands apart: [`api`].

use domain::intake::NewOrder;
use domain::payment::Provider;
use jiff::Timestamp;

pub mod adobe_commerce;
pub mod amazon;
pub mod api;
pub mod bigcommerce;
#[cfg(test)]
mod called_off;
mod delivery;
mod document;
mod draft;
pub mod ebay;
pub mod etsy;
mod faults;
pub mod generic;
mod html;
pub mod meta;
pub mod payments;
#[cfg(test)]
mod samples;
pub mod shopify;
pub mod signature;
pub mod square;
pub mod standard;
pub mod stock;
pub mod stripe;
#[cfg(test)]
mod testing;
pub mod tiktok;
mod unreadable;
pub mod updates;
pub mod vendor;
pub mod walmart;
pub mod wix;
pub mod woocommerce;

pub use delivery::{Delivery, Greeting, Headers, Hint, Said, Secret};
pub use unreadable::Unreadable;

/// A place that sends word of orders.
pub trait Channel: Sync {
    /// Its name in webhook paths and in [`Source::channel`](domain::order::Source).
    fn name(&self) -> &'static str;

    /// Whether the delivery, byte for byte as it came, is from the holder of one of the secrets, and of
    /// this time where the channel signs one.
    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool;

    /// The answer to what the channel sends to find out whether anybody listens: to a `GET`, or to a
    /// `POST` that it does not sign. `None`: this is not that, or the account has no secret for it.
    fn greet(&self, _: &Delivery<'_>, _: &[Secret]) -> Option<Greeting> {
        None
    }

    /// What the delivery is about, in the channel's words, where a header says so.
    fn topic<'d>(&self, _: &Delivery<'d>) -> &'d str {
        ""
    }

    /// What the delivery says about the orders of one of the retailer's accounts.
    fn read(&self, delivery: &Delivery<'_>, account: &str) -> Result<Said, Unreadable>;

    /// Reads an order as the channel's own API gives it.
    fn parse(&self, document: &[u8], account: &str) -> Result<NewOrder, Unreadable>;

    /// The documents of single orders in an answer of the channel's API: the answer itself, or the
    /// entries of its list.
    fn orders<'a>(&self, answer: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
        Ok(vec![answer])
    }

    /// The API of the vendor behind it, if orders are fetched by that.
    fn api(&self) -> Option<&dyn vendor::Api> {
        None
    }

    /// The API of the vendor behind it, if that is told what becomes of its orders.
    fn updates(&self) -> Option<&dyn updates::Updates> {
        None
    }

    /// The API of the vendor behind it, if that is told how much there is of what an account lists.
    fn stock(&self) -> Option<&dyn stock::Stock> {
        None
    }

    /// The API of the vendor behind it, if that gives the public keys that its deliveries name.
    fn keys(&self) -> Option<&dyn vendor::Keys> {
        None
    }

    /// The answer to a delivery that was taken in, where the channel asks for one of its own.
    fn thanks(&self) -> Option<&'static str> {
        None
    }
}

/// Every channel.
pub const CHANNELS: &[&dyn Channel] = &[
    &adobe_commerce::AdobeCommerce,
    &amazon::Amazon,
    &bigcommerce::BigCommerce,
    &ebay::Ebay,
    &etsy::Etsy,
    &generic::Generic,
    &meta::Meta,
    &shopify::Shopify,
    &square::Square,
    &tiktok::TikTok,
    &walmart::Walmart,
    &wix::Wix,
    &woocommerce::WooCommerce,
];

/// The channel of a name.
pub fn by_name(name: &str) -> Option<&'static dyn Channel> {
    CHANNELS
        .iter()
        .copied()
        .find(|channel| channel.name() == name)
}

/// Who sends webhooks under a name: a channel, or a payment provider.
pub fn sender(name: &str) -> Option<&'static dyn Channel> {
    let provider = || Provider::named(name).map(payments::webhook);
    by_name(name).or_else(provider)
}

#[cfg(test)]
mod tests {
    #[test]
    fn channels_are_found_by_their_names() {
        for channel in super::CHANNELS {
            let found = super::by_name(channel.name()).unwrap();
            assert_eq!(found.name(), channel.name(), "another has its name");
        }
        assert!(super::by_name("api").is_none(), "not a webhook");
        assert!(super::by_name("stripe").is_none(), "it sells nothing");
        assert_eq!(super::sender("stripe").unwrap().name(), "stripe");
    }
}
