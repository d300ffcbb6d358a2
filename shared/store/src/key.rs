//! Every key, built in one place per entity. The separator is `#`; ids and SKUs cannot contain it.

use domain::OrderId;

/// The sort key of an order's own item.
pub const ORDER: &str = "ORDER";
/// The sort key of an order's names and addresses.
pub const CONTACT: &str = "CONTACT";
/// The prefix of the pages of an order's timeline.
pub const EVENTS: &str = "EVENTS#";
/// The prefix of a SKU's levels.
pub const LEVEL: &str = "LEVEL#";
/// The prefix of the pages of a SKU's ledger.
pub const LEDGER: &str = "LEDGER#";
/// The prefix of a SKU's purchase lines.
pub const INBOUND: &str = "INBOUND#";
/// The prefix of the orders that wait for a SKU.
pub const WAITING: &str = "WAITING#";
/// The prefix of a SKU's transfers on the road.
pub const TRANSFER: &str = "TRANSFER#";
/// The partition of how far the reconciliation of all levels is.
pub const RECONCILIATION: &str = "RECONCILIATION";
/// The partition of how far the search for levels that run low is.
pub const RESTOCK: &str = "RESTOCK";
/// The prefix of the partitions of discrepancies.
pub const DISCREPANCY: &str = "DISCREPANCY#";
/// The prefix of the partitions of reservations.
pub const RESERVATION: &str = "RESERVATION#";
/// The partition of the index of open work that all open discrepancies belong to.
pub const OPEN_DISCREPANCIES: &str = "discrepancy";
/// The partition of all locations.
pub const LOCATION: &str = "LOCATION";
/// The partition of all suppliers.
pub const SUPPLIER: &str = "SUPPLIER";
/// The partition of all tariffs.
pub const RATE: &str = "RATE";
/// The partition of all rules of routing.
pub const RULES: &str = "RULES";
/// The partition of how far the orders of channels' accounts are known.
pub const POLL: &str = "POLL";
/// The partition of the accounts that are told what becomes of their orders.
pub const TOLD: &str = "TOLD";
/// The partition of how far the listings of channels' accounts are told.
pub const LISTED: &str = "LISTED";
/// The partition of all subscribers.
pub const SUBSCRIBER: &str = "SUBSCRIBER";
/// The partition of walks over all orders for subscribers.
pub const REPLAY: &str = "REPLAY";
/// The prefix of how far subscribers have heard of an order.
pub const DELIVERY: &str = "DELIVERY#";
/// The prefix of the records of an order's routing decisions.
pub const DECISION: &str = "ROUTING#";
/// The partition of what is known of imported postal codes as a whole.
pub const POSTAL: &str = "POSTAL";
/// The sort key of items that are alone in their partition.
pub const ALONE: &str = "-";
/// Partitions of the index of open work: one would be limited to 1,000 writes a second.
pub const OPEN_SHARDS: u32 = 8;

/// The partition of an order.
pub fn order(id: &OrderId) -> String {
    format!("ORDER#{id}")
}

/// The partition of the index of open work that something belongs to.
pub fn open_shard(id: &str) -> String {
    let sum: u32 = id.bytes().map(u32::from).sum();
    (sum % OPEN_SHARDS).to_string()
}

/// The key of an order's number in the index of numbers.
pub fn number(channel: &str, number: &str) -> String {
    format!("{channel}#{}", number.trim_start_matches('#'))
}

/// The sort key of a page of an order's timeline.
pub fn events(first: u64) -> String {
    format!("{EVENTS}{first:010}")
}

/// The sort key of the record of a routing decision, by the version of the order that it leads to and
/// what it comes to: of two that are made at once, each is kept.
pub fn decision(version: u64, outcome: &str) -> String {
    format!("{DECISION}{version:010}#{outcome}")
}

/// The partition of what a location has taken on each day.
pub fn load(location: &str) -> String {
    format!("LOAD#{location}")
}

/// The sort key of the claim to send a notice.
pub fn claim(notice: &str) -> String {
    format!("CLAIM#{notice}")
}

/// The partition of deliveries from a channel's account that could not be understood.
pub fn unreadable(channel: &str, account: &str) -> String {
    format!("UNREADABLE#{channel}#{account}")
}

/// The partition of a SKU.
pub fn sku(sku: &str) -> String {
    format!("SKU#{sku}")
}

/// The partition of a share of a SKU's levels and their ledgers: the first is that of the SKU.
pub fn share(sku: &str, share: u8) -> String {
    match share {
        0 => self::sku(sku),
        share => format!("SKU#{sku}#{share}"),
    }
}

/// The sort key of a SKU's level in a location.
pub fn level(location: &str) -> String {
    format!("{LEVEL}{location}")
}

/// The sort key of a page of the ledger, by the number of its first movement.
pub fn ledger(location: &str, first: u64) -> String {
    format!("{LEDGER}{location}#{first:012}")
}

/// The partition of a breakdown: one of its own, so that it does not load that of the SKU.
pub fn breakdown(sku: &str, id: &str) -> String {
    format!("SKU#{sku}#BATCH#{id}")
}

/// The sort key of a fact about stock.
pub fn fact(id: &str) -> String {
    format!("FACT#{id}")
}

/// The sort key of a transfer on the road.
pub fn transfer(id: &str) -> String {
    format!("{TRANSFER}{id}")
}

/// The partition of a discrepancy.
pub fn discrepancy(id: &str) -> String {
    format!("{DISCREPANCY}{id}")
}

/// The partition of a reservation.
pub fn reservation(id: &str) -> String {
    format!("{RESERVATION}{id}")
}

/// The partition of the index of open work that a held reservation belongs to: apart from what the sweeper
/// looks at, because nobody is late until its time is over.
pub fn reserved_shard(id: &str) -> String {
    reserved(&open_shard(id))
}

/// The partition of held reservations, by its shard.
pub fn reserved(shard: &str) -> String {
    format!("RESERVED#{shard}")
}

/// The sort key of how far a subscriber has heard of an order.
pub fn delivery(subscriber: &str) -> String {
    format!("{DELIVERY}{subscriber}")
}

/// The partition of the index of open work in which deliveries of orders of a shard are that have to be made
/// again: apart from what the sweeper looks at, because nobody is late until then.
pub fn due_deliveries(shard: &str) -> String {
    format!("{DELIVERY}{shard}")
}

/// The partition of a shard of what came of sending events to a subscriber.
pub fn attempts(subscriber: &str, shard: &str) -> String {
    format!("ATTEMPTS#{subscriber}#{shard}")
}

/// The sort key of what came of sending an event once: by time.
pub fn attempt(at: jiff::Timestamp, event: &str) -> String {
    format!("{:015}#{event}", at.as_millisecond().max(0))
}

/// The sort key of a purchase line.
pub fn inbound(id: &str) -> String {
    format!("{INBOUND}{id}")
}

/// The sort key of an order that waits for a SKU: oldest first.
pub fn waiting(placed_at: jiff::Timestamp, id: &OrderId) -> String {
    format!("{WAITING}{:012}#{id}", placed_at.as_second().max(0))
}

/// Since when an order waits, by the sort key of its item.
pub fn waiting_since(sk: &str) -> Option<jiff::Timestamp> {
    let (seconds, _) = sk.strip_prefix(WAITING)?.split_once('#')?;
    jiff::Timestamp::from_second(seconds.parse().ok()?).ok()
}

/// The partition of a product.
pub fn product(sku: &str) -> String {
    format!("PRODUCT#{sku}")
}

/// The partition of a channel's account.
pub fn account(channel: &str, account: &str) -> String {
    format!("ACCOUNT#{channel}#{account}")
}

/// The partition of what a channel's account lists.
pub fn listing(channel: &str, account: &str) -> String {
    format!("LISTING#{channel}#{account}")
}

/// The partition of an API key, by the SHA-256 of the key.
pub fn api_key(sha256: &str) -> String {
    format!("KEY#{sha256}")
}

/// The partition of an imported postal code.
pub fn postal_code(country: &str, area: &str) -> String {
    format!("{POSTAL}#{country}#{area}")
}

/// The sort key of what is known of an account, in a partition of all accounts.
pub fn of_account(channel: &str, account: &str) -> String {
    format!("{channel}#{account}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys are stored: a change here orphans what is there.
    #[test]
    fn keys_are_what_they_always_were() {
        let id = OrderId::parse("AD4OVS4KRET6JAPB").unwrap();
        assert_eq!(order(&id), "ORDER#AD4OVS4KRET6JAPB");
        assert_eq!(events(13), "EVENTS#0000000013");
        assert_eq!(claim("pick-1"), "CLAIM#pick-1");
        assert_eq!(decision(2, "0af3"), "ROUTING#0000000002#0af3");
        assert_eq!(load("berlin"), "LOAD#berlin");
        assert_eq!(number("shopify", "#1001"), "shopify#1001");
        assert_eq!(unreadable("shopify", "main"), "UNREADABLE#shopify#main");
        assert_eq!(sku("TENT-2P"), "SKU#TENT-2P");
        assert_eq!(share("TENT-2P", 0), "SKU#TENT-2P");
        assert_eq!(share("TENT-2P", 15), "SKU#TENT-2P#15");
        assert_eq!(level("berlin"), "LEVEL#berlin");
        assert_eq!(ledger("berlin", 17), "LEDGER#berlin#000000000017");
        assert_eq!(breakdown("TENT-2P", "ABC"), "SKU#TENT-2P#BATCH#ABC");
        assert_eq!(fact("ABC"), "FACT#ABC");
        assert_eq!(transfer("ABC"), "TRANSFER#ABC");
        assert_eq!(discrepancy("ABC"), "DISCREPANCY#ABC");
        assert_eq!(reservation("ABC"), "RESERVATION#ABC");
        assert_eq!(reserved_shard("AD4OVS4KRET6JAPB"), "RESERVED#6");
        let placed_at = jiff::Timestamp::from_second(1_764_000_000).unwrap();
        assert_eq!(
            waiting(placed_at, &id),
            "WAITING#001764000000#AD4OVS4KRET6JAPB"
        );
        assert_eq!(product("TENT-2P"), "PRODUCT#TENT-2P");
        assert_eq!(account("shopify", "main"), "ACCOUNT#shopify#main");
        assert_eq!(api_key("00ff"), "KEY#00ff");
        assert_eq!((POLL, TOLD), ("POLL", "TOLD"));
        assert_eq!(of_account("shopify", "main"), "shopify#main");
        assert_eq!((POSTAL, ALONE), ("POSTAL", "-"));
        assert_eq!((SUBSCRIBER, REPLAY), ("SUBSCRIBER", "REPLAY"));
        assert_eq!(LISTED, "LISTED");
        assert_eq!(listing("shopify", "main"), "LISTING#shopify#main");
        assert_eq!(delivery("erp"), "DELIVERY#erp");
        assert_eq!(due_deliveries("6"), "DELIVERY#6");
        assert_eq!(attempts("erp", "6"), "ATTEMPTS#erp#6");
        let named = attempt(placed_at, "AD4OVS4KRET6JAPB-E1");
        assert_eq!(named, "001764000000000#AD4OVS4KRET6JAPB-E1");
        assert_eq!(postal_code("DE", "22765"), "POSTAL#DE#22765");
        assert_eq!(open_shard("AD4OVS4KRET6JAPB"), "6");
    }
}
