//! What each vendor is told, as its documents describe it: once, whatever is wrong with its answers.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adobe_commerce;
mod bigcommerce;
#[path = "../common/mod.rs"]
mod common;
mod ebay;
mod meta;
mod shopify;
mod tiktok;
mod wix;
mod woocommerce;

use common::*;
use intake::Failure;
use shopify::shopify;

#[tokio::test]
async fn what_a_channel_has_no_word_for_is_for_a_person() {
    let world = World::new().await;
    shopify(&world);
    let failure = world.tell("shopify", &accepted("1")).await;
    assert!(matches!(failure, Err(Failure::Refused(_))), "{failure:?}");
    let failure = world.tell("generic", &sent("1")).await;
    assert_eq!(failure, Err(Failure::NoAccess));
    let failure = world.tell("ebay", &sent("1")).await;
    assert_eq!(failure, Err(Failure::NoAccess));
}
