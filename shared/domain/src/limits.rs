//! Every size that is bounded, in one place. Each has a test at its edge.

/// Lines of one order. The hot item, one fulfillment order and one transaction have to hold them.
pub const MAX_LINES: usize = 500;
/// Lines that one allocation looks at: what it writes has to fit a transaction of
/// [`MAX_TRANSACTION_ACTIONS`]. The rest of a longer order stays open and is looked at next.
pub const MAX_LINES_PER_COMMIT: usize = 45;
/// Sets of locations that the search for the best one looks at: all that 12 locations have.
pub const MAX_ROUTING_NODES: u32 = 4_096;
/// Locations that the record of a routing decision tells of, those that were chosen apart: of 200 the
/// others are farther or have nothing, and the record has to stay under 1 KB to cost one write unit.
pub const MAX_CONSIDERED: usize = 8;
/// Thousandths of a minor unit that a shipment's cost is compared with; what cannot be compared counts
/// as much. A thousand of them still fit a `u64` with room to spare.
pub const MAX_COST_MILLI: u64 = 1_000_000_000_000_000;
/// Past orders of one rehearsal: API Gateway waits for half a minute.
pub const MAX_REHEARSED_ORDERS: usize = 1_000;
/// Hours for which a location is not asked for a SKU that it has rejected, if the rules do not say.
pub const COOL_DOWN_HOURS: u32 = 24;
/// Hours of it at most: a month.
pub const MAX_COOL_DOWN_HOURS: u32 = 744;
/// Rejections of one order after which a person is asked.
pub const MAX_REJECTIONS: usize = 3;
/// Levels that one allocation takes from: with a waiting entry per line and the order itself, 96
/// actions at most.
pub const MAX_TAKES_PER_COMMIT: usize = 50;
/// Lines that an allocation looks at while it takes up a reservation, those of what is kept first: with as
/// many waiting entries, [`MAX_TAKES_PER_COMMIT`] levels, [`MAX_RESERVED_LEVELS`] more, the reservation, the
/// order and a page of its timeline 93 actions.
pub const MAX_LINES_PER_TAKE_UP: usize = 20;
/// Lines of a reservation, kits taken apart, and levels that it keeps goods in: an order that takes it up
/// changes all of them in one transaction.
pub const MAX_RESERVED_LEVELS: usize = 20;
/// Seconds from now for which goods can be reserved: 30 days. A cart is minutes, a quote weeks.
pub const MAX_RESERVATION_S: i64 = 2_592_000;
/// Actions of one `TransactWriteItems` (DynamoDB's own limit).
pub const MAX_TRANSACTION_ACTIONS: usize = 100;
/// Items of one `BatchWriteItem` (DynamoDB's own limit).
pub const MAX_BATCH_WRITES: usize = 25;
/// Units of one line; of a product sold by measure they are its smallest steps.
pub const MAX_QUANTITY: u32 = 100_000;
/// Decimals of a product's quantities: grams of a kilogram. With more, [`MAX_QUANTITY`] steps would be less than most sell at once.
pub const MAX_DECIMALS: u8 = 3;
/// Components of one kit: its product is one item, and each is a line of the order.
pub const MAX_COMPONENTS: usize = 50;
/// Units that a count finds or expects on one shelf: receipts of [`MAX_QUANTITY`] add up.
pub const MAX_COUNTED: i64 = 1_000_000_000;
/// Characters of a SKU, counted in UTF-8 bytes: 500 lines have to fit one item of 400 KB.
pub const MAX_SKU_CHARS: usize = 64;
/// Characters of an order number, a line id (counted in UTF-8 bytes) or another name that a channel gives.
pub const MAX_NAME_CHARS: usize = 128;
/// Characters of a payment's name at its provider: Stripe's have 255 at most.
pub const MAX_REFERENCE_CHARS: usize = 255;
/// Characters of a line's title: 500 of them have to fit one item of 400 KB.
pub const MAX_TITLE_CHARS: usize = 150;
/// Characters of a free text: an address line, a reason.
pub const MAX_TEXT_CHARS: usize = 500;
/// Bytes of a postal code without its spaces: GeoNames, which numbers the world, has up to 20.
pub const MAX_POSTAL_CHARS: usize = 20;
/// Bytes of a row of a postal code file: GeoNames' own have some 200.
pub const MAX_POSTAL_ROW_BYTES: usize = 4_096;
/// Minor units of one amount: a thousand sums of this size still fit an `i64` with room to spare.
pub const MAX_MINOR: i64 = 1_000_000_000_000;
/// Largest integer that every JSON implementation keeps exact (RFC 8259, section 6): 2^53.
pub const MAX_EXACT_JSON_INTEGER: u64 = 1 << 53;
/// Bytes of a request body: API Gateway passes 10 MB and Lambda 6 MB; a 500-line order has under 1 MB.
pub const MAX_BODY_BYTES: usize = 1_048_576;
/// Faults of one document that its sender is told of: a body can hold more of them than an answer or an item has room for.
pub const MAX_PROBLEMS: usize = 100;
/// Timeline entries that the order's own item holds; older ones move to a page of their own.
pub const MAX_TIMELINE_TAIL: usize = 14;
/// Stock movements of a page of a ledger: so many of the oldest leave the level's own item together. Another number would
/// need another key: who goes on with a page that somebody else has written takes it for one of so many.
pub const LEDGER_PAGE: usize = 12;
/// Stock movements in a level's own item from which on whoever has written its next page, and not taken it out, is held
/// for dead. The item is larger than a kilobyte, what a write unit buys, from 25 to 28 on.
pub const LEDGER_OVERDUE: usize = 40;
/// Stock movements that a level's own item holds at most: room for those that come while somebody moves a page.
pub const MAX_LEDGER_TAIL: usize = 64;
/// Movements of one kind that one commit adds to a level one by one. More become one movement with their
/// sum and a breakdown beside it (2 write units): a batch must not fill the level's own item, which is
/// what everybody waits for.
pub const MAX_MOVEMENTS_APART: usize = 4;
/// Shares that a product's levels are split into, at most: each is a partition that takes 1,000 write units a
/// second, and all of them are read before an order is told that nothing is left.
pub const MAX_SHARES: u8 = 16;
/// Ledgers that a reconciliation reads at once: how far each is is kept in one item, between two runs.
pub const MAX_WALKS: usize = 16;
/// Levels that one mail about stock tells of: Gmail shows 102,400 bytes of a mail, and the longest names make 2 KB of each.
pub const MAX_STOCK_LINES: usize = 40;
/// Parked messages that one request looks at in each step's dead-letter queue, and that it names: all
/// of them are held in memory at once, with bodies of up to 64 KB.
pub const MAX_PARKED: usize = 200;
/// Returns of one order, those that were called off included: the hot item has to hold them.
pub const MAX_RETURNS: usize = 100;
/// Days after shipping in which goods may be announced for return.
pub const RETURN_WINDOW_DAYS: i64 = 30;
/// Days from order to delivery that are promised when the order names no date.
pub const DEFAULT_PROMISE_DAYS: i64 = 10;
/// Days until goods are expected of which none are on their way and no supplier is known.
pub const DEFAULT_LEAD_DAYS: i64 = 30;
/// Seconds before what is known of a channel's orders from which they are looked for again: a vendor may show a
/// change late (Amazon by two minutes), and its clock may be behind ours.
pub const OVERLAP_S: i64 = 300;
/// Pages that one run reads of one account: the next run goes on from there.
pub const MAX_PAGES_PER_POLL: usize = 20;
/// Seconds without a walk to its end, or in which an account could not be told of its listings, after which a person is
/// told: shops are down for minutes, and not for hours.
pub const MAX_UNPOLLED_S: i64 = 3_600;
/// Bytes of a vendor's answer: a page of 250 orders of BigCommerce has some 2 MB.
pub const MAX_ANSWER_BYTES: usize = 8_388_608;
/// Seconds that a vendor has for an answer, from the first connection to its last byte.
pub const MAX_ANSWER_S: u64 = 10;
/// Bytes of an answer with a public key, or with the token that opens it: eBay's have 300 and some 2,000.
pub const MAX_KEY_ANSWER_BYTES: usize = 65_536;
/// Seconds that a vendor has for such an answer: the sender of a delivery waits, for four requests at most.
pub const MAX_KEY_ANSWER_S: u64 = 3;
/// Seconds for which a public key is used without asking again: what eBay advises.
pub const KEY_BELIEVED_S: u64 = 3_600;
/// Seconds for which an account's API is asked for no other key after it has not given one: whoever makes ids up has us ask no
/// more often.
pub const KEY_PAUSE_S: u64 = 10;
/// Public keys that are remembered at once: eBay has one or two for each account.
pub const MAX_PUBLIC_KEYS: usize = 1_000;
/// Characters of a subscriber's URL: what servers and those between take without fail (RFC 9110, section 4.1, wants 8,000).
pub const MAX_URL_CHARS: usize = 2_000;
/// Types of event that a subscriber names: more than there are.
pub const MAX_SUBSCRIBED_TYPES: usize = 50;
/// Subscribers: all are asked side by side about each order, and kept in memory by whoever takes orders in.
pub const MAX_SUBSCRIBERS: usize = 20;
/// Bytes of a subscriber's answer, of which only the status counts.
pub const MAX_THANKS_BYTES: usize = 65_536;
/// Seconds that a subscriber has for its answer, from the first connection to its last byte: Standard Webhooks has 15 to 30.
pub const MAX_THANKS_S: u64 = 15;
/// Days for which it is kept what came of sending an event.
pub const ATTEMPTS_KEPT_DAYS: i64 = 30;
/// Orders of which subscribers are to be told again, and are not yet, above which no walk goes on: each has its hint sent
/// anew with every minute that it waits.
pub const MAX_WAITING_REPLAYED: usize = 2_000;
/// Answers that one order is put together from: of BigCommerce the order, three pages of products, the addresses.
pub const MAX_ANSWERS: usize = 6;
/// Seconds after which a channel, or a payment provider, is told again what its API was closed to: it takes a person to open it.
pub const LOCKED_S: i64 = 900;
/// Seconds that a vendor's wish to be asked later is followed for: SQS could hide a message for twelve hours.
pub const MAX_RETRY_AFTER_S: i64 = 3_600;
/// Seconds after which a channel is told again how much there is of what it lists, although nothing has changed: it counts
/// down what it sells by itself, and may have sold what never came to us. A quarter of a day: it costs as much as a change of each.
pub const TOLD_AGAIN_S: i64 = 21_600;
/// Seconds for which whoever tells a channel of its listings has them to himself: longer than the function may run.
pub const LISTINGS_LEASE_S: i64 = 180;
/// Seconds for which a channel that answers shows something else than what may be promised on it, if whoever was to
/// tell it dies: the lease, a minute until the next run, and as long as that may take.
pub const MAX_STALE_S: i64 = LISTINGS_LEASE_S + 60 + 120;
/// Listings that are looked at together: of each, four reads are under way at once.
pub const LISTINGS_AT_ONCE: usize = 100;
/// Requests that it takes to tell a channel of listings at once: one to find them, and one for each product that
/// they are variants of.
pub const MAX_SETTINGS: usize = 32;
