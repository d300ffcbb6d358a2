//! The world outside: customers, channels, warehouse teams, operators. What they do next is up to
//! chance, and to what they can see of the orders.

mod carts;

use std::sync::Arc;

use domain::fact::Transfer;
use domain::id::derived;
use domain::inbound::Inbound;
use domain::order::{FulfillmentStatus, RefundStatus};
use domain::{Order, OrderId, Step};
use jiff::Timestamp;
use jiff::civil::date;

use crate::ask::Ask;
use crate::channel::{self, CANCELLED, LEFT, PHONE, STATUS, State, Stated, UPDATED};
use crate::measure::{cost, shown};
use crate::observed::Deed;
use crate::payments;
use crate::retailer::{KEY, Retailer};
use crate::tape::Tape;
use crate::vendor::Happening;
use carts::{extend, give_up};

/// Most orders of a run.
const MAX_ORDERS: u32 = 4;
/// Orders of a rush: enough that a batch moves more than can be written one by one.
const RUSH: u32 = 8;
/// Most orders in the shop that has an API.
const MAX_IN_SHOP: u32 = 2;
/// Most that happens besides, for each order.
const MAX_ACTS_PER_ORDER: u32 = 9;
/// Prices in minor units: some that no number of units divides.
const PRICES: [i64; 4] = [1_000, 333, 1_299, 1];

/// Where orders go: country, postal code, city, and what the place is to be found by.
const ADDRESSES: [(&str, &str, &str, &str); 5] = [
    ("DE", "", "Town", "country"),
    ("FR", "", "Lyon", "city"),
    ("US", "98122-1234", "Town", "postal_code"),
    ("DE", "28195", "Town", IF_IMPORTED),
    ("DE", "99999", "Hamburg", "city"),
];
/// By the postal code, if the retailer has imported it, and otherwise not at all.
const IF_IMPORTED: &str = "imported";

/// What is still to be done.
#[derive(Debug)]
pub struct Outside {
    orders_left: u32,
    acts_left: u32,
    /// Nothing else happens but that goods come in for the one who waits.
    goods_come: bool,
    placed: u32,
    named: u32,
    /// Transfers that somebody has asked for.
    sent: Vec<Transfer>,
    /// Purchase lines that somebody has told of.
    expected: Vec<Inbound>,
    /// The ids of reservations that somebody has asked for.
    reserved: Vec<String>,
    /// Orders in a shop that only says that they have changed.
    in_shop: u32,
    /// Orders in a shop.
    stated: Vec<Stated>,
    script: Vec<Scripted>,
}

/// What comes next in a script.
#[derive(Debug, Clone, Copy)]
enum Scripted {
    Count,
    Place,
    Handle,
    Announce,
    Receive,
    Refund,
    Confirm,
    Buy,
    Poison,
    Redrive,
    Sweep,
}

/// What somebody does.
#[derive(Debug)]
pub enum Act {
    /// Asks for something.
    Ask(Box<Ask>),
    /// Sends an earlier request again: the number of the request.
    Again(usize),
    /// A schedule's turn comes.
    Schedule(&'static str),
    /// A message comes to a step that it can do nothing with.
    Poison(Step),
    /// Somebody is to hear of what happens to orders, or to hear of it again.
    Listen,
    /// Something happens in the shop that has an API, and perhaps it says so.
    InShop(Happening, bool),
    /// The payment provider pays, or does not, what has waited.
    Settle,
    /// Waits.
    Nothing,
}

impl Outside {
    /// A load.
    pub fn draw(tape: &mut Tape) -> Self {
        let (orders, acts, goods_come) = match tape.choose(12) {
            // They come at once: little happens besides.
            11 => (RUSH, 3, false),
            10 => (1, 6, true),
            _ => {
                let orders = 1 + tape.choose(MAX_ORDERS).min(tape.choose(MAX_ORDERS));
                (orders, orders * MAX_ACTS_PER_ORDER + 2, false)
            }
        };
        Self {
            orders_left: orders,
            acts_left: tape.choose(acts),
            goods_come,
            placed: 0,
            named: 0,
            sent: Vec::new(),
            expected: Vec::new(),
            reserved: Vec::new(),
            in_shop: 0,
            stated: Vec::new(),
            script: Vec::new(),
        }
    }

    /// The life of one order of two lines, of which one has to wait for its goods: packed, delivered,
    /// sent back and refunded by its payment provider, with a cent on top for the trouble, which a person sees go back; and around it what makes every
    /// function take part: a receipt of goods, an order that a shop only hints at and is told of in the end, a
    /// message to nobody that is parked and sent back, a sweep.
    pub fn script() -> Self {
        use Scripted::*;
        let mut script = vec![
            Place, Count, Handle, Handle, Handle, Handle, Refund, Confirm, Announce, Receive, Buy,
            Poison, Redrive, Sweep,
        ];
        script.reverse();
        Self {
            orders_left: 0,
            acts_left: 0,
            goods_come: false,
            placed: 0,
            named: 0,
            sent: Vec::new(),
            expected: Vec::new(),
            reserved: Vec::new(),
            in_shop: 0,
            stated: Vec::new(),
            script,
        }
    }

    /// The next of the script.
    pub fn next_of_script(
        &mut self,
        orders: &[Arc<Order>],
        retailer: &Retailer,
        now: Timestamp,
    ) -> Option<Act> {
        let next = self.script.pop()?;
        self.named += 1;
        let named = format!("s{}", self.named);
        let plain = &mut Tape::of_choices(Vec::new());
        let ask = match next {
            // Two lines: two of the first article, one of the second.
            Scripted::Place => {
                let lines = vec![1, 0, 0, 1, 0, 0, 1, 0, 0, 1];
                Some(place(1, retailer, now, &[], &mut Tape::of_choices(lines)).0)
            }
            // One of the second article comes in.
            Scripted::Count => count(retailer, named, &mut Tape::of_choices(vec![1])),
            // One of the first.
            Scripted::Buy => {
                let product = retailer.products.first()?;
                let bought = Happening::Bought(product.sku.clone(), 1, product.decimals, 1_000);
                return Some(Act::InShop(bought, true));
            }
            Scripted::Poison => return Some(Act::Poison(Step::AllocateWarehouse)),
            Scripted::Redrive => Some(redrive()),
            Scripted::Sweep => return Some(Act::Schedule("sweep-orders")),
            Scripted::Handle => handle(orders, plain),
            Scripted::Announce => announce(orders, named, plain),
            Scripted::Receive => receive(orders, plain),
            Scripted::Refund => refund(orders, named, plain),
            Scripted::Confirm => confirm(orders, plain),
        };
        Some(ask.map_or(Act::Nothing, |ask| Act::Ask(Box::new(ask))))
    }

    /// Whether somebody may do something of his own accord.
    pub fn is_free(&self) -> bool {
        self.orders_left > 0 || self.acts_left > 0
    }

    /// The next that somebody does. `asked`: requests so far.
    pub fn act(
        &mut self,
        orders: &[Arc<Order>],
        retailer: &Retailer,
        asked: usize,
        now: Timestamp,
        tape: &mut Tape,
    ) -> Act {
        if self.orders_left > 0 && (self.acts_left == 0 || tape.choose(3) < 2) {
            // A cart comes before its order.
            if self.acts_left > 0 && tape.choose(4) == 3 {
                self.acts_left -= 1;
                self.named += 1;
                let named = format!("r{}", self.named);
                let ask = self.reserve(retailer, named, tape);
                return ask.map_or(Act::Nothing, |ask| Act::Ask(Box::new(ask)));
            }
            self.orders_left -= 1;
            self.placed += 1;
            let (ask, stated) = place(self.placed, retailer, now, &self.reserved, tape);
            self.stated.extend(stated);
            return Act::Ask(Box::new(ask));
        }
        self.acts_left = self.acts_left.saturating_sub(1);
        self.named += 1;
        let named = format!("r{}", self.named);
        let chosen = match self.goods_come {
            true => 14,
            false => tape.choose(56),
        };
        let ask = match chosen {
            0..9 => handle(orders, tape),
            9 => cancel(orders, tape),
            10 => announce(orders, named, tape),
            11 => receive(orders, tape),
            12 => refund(orders, named, tape),
            13 => confirm(orders, tape),
            14 | 15 => count(retailer, named, tape),
            16 => release(orders, tape),
            17 if asked > 0 => return Act::Again(tape.index(asked)),
            18 => return Act::Schedule("check-restock"),
            19 => return Act::Schedule("sweep-orders"),
            20 => return Act::Poison(Step::ALL[tape.index(Step::ALL.len())]),
            21 => Some(redrive()),
            22 => count_shelf(retailer, named, tape),
            23 | 24 => self.send(retailer, named, now, tape),
            25 | 26 => arrive(retailer, &self.sent, tape),
            27 => resolve(&self.sent, tape),
            28 => return Act::Schedule("reconcile-stock"),
            29 => self.expect(retailer, named, tape),
            30 | 31 => take_in(retailer, &self.expected, named, tape),
            32..35 => self.reserve(retailer, named, tape),
            35 | 36 => extend(&self.reserved, tape),
            37 => give_up(&self.reserved, tape),
            38 => return Act::Schedule("expire-reservations"),
            39..42 => one_of(&mut self.stated, tape).map(|stated| stated.say(tape)),
            42 => one_of(&mut self.stated, tape).map(|stated| stated.refund(&named, tape)),
            43 => resolve_untold(orders, tape),
            44 | 45 => return self.buy(retailer, tape),
            46 => return self.alter(tape),
            47 => return Act::Schedule("poll-channel"),
            48 | 49 => return Act::Schedule("resume-deliveries"),
            50 | 51 => return Act::Listen,
            52 | 53 => return Act::Schedule("update-listings"),
            54 | 55 => return Act::Settle,
            _ => None,
        };
        match ask {
            Some(ask) => Act::Ask(Box::new(ask)),
            None => Act::Nothing,
        }
    }
}

impl Outside {
    /// Somebody buys something in the shop that has an API.
    fn buy(&mut self, retailer: &Retailer, tape: &mut Tape) -> Act {
        let Some(product) = one(&retailer.products, tape) else {
            return Act::Nothing;
        };
        if self.in_shop >= MAX_IN_SHOP {
            return Act::Nothing;
        }
        self.in_shop += 1;
        let price = PRICES[tape.index(PRICES.len())];
        let (sku, units) = (product.sku.clone(), 1 + tape.choose(3));
        let bought = Happening::Bought(sku, units, retailer.decimals(&product.sku), price);
        Act::InShop(bought, tape.choose(2) == 0)
    }

    /// An order changes in the shop that has an API.
    fn alter(&mut self, tape: &mut Tape) -> Act {
        if self.in_shop == 0 {
            return Act::Nothing;
        }
        let place = tape.choose(self.in_shop) as usize;
        let cancelled = tape.choose(4) == 3;
        Act::InShop(Happening::Changed(place, cancelled), tape.choose(2) == 0)
    }

    /// A supplier is to send something, or something else than was thought.
    fn expect(&mut self, retailer: &Retailer, named: String, tape: &mut Tape) -> Option<Ask> {
        let sku = one(&retailer.products, tape)?.sku.clone();
        let inbound = Inbound {
            id: named,
            sku: sku.clone(),
            location: one(&retailer.locations, tape)?.id.clone(),
            quantity: i64::from(tape.choose(5)),
            expected_on: date(2026, 1, 6),
            received: 0,
        };
        let quantity = shown(inbound.quantity, retailer.decimals(&sku));
        let (location, on) = (&inbound.location, inbound.expected_on);
        let body =
            format!(r#"{{"location":"{location}","quantity":{quantity},"expected_on":"{on}"}}"#);
        self.expected.push(inbound.clone());
        let id = inbound.id.clone();
        let route = "PUT /stock/{sku}/inbound/{id}";
        let mut ask = report(route, sku, None, body, Deed::Expected(inbound));
        ask.path.push(("id", id));
        Some(ask)
    }

    /// Goods leave for another warehouse.
    fn send(
        &mut self,
        retailer: &Retailer,
        named: String,
        now: Timestamp,
        tape: &mut Tape,
    ) -> Option<Ask> {
        let sku = one(&retailer.products, tape)?.sku.clone();
        let from = one(&retailer.locations, tape)?.id.clone();
        let others = retailer.locations.iter().map(|location| &location.id);
        let others: Vec<&String> = others.filter(|id| **id != from).collect();
        let to = (*one(&others, tape)?).clone();
        let quantity = 1 + i64::from(tape.choose(3));
        let said = shown(quantity, retailer.decimals(&sku));
        let body = format!(r#"{{"from":"{from}","to":"{to}","quantity":{said}}}"#);
        let transfer = Transfer {
            id: derived(&[&sku, &named]),
            sku: sku.clone(),
            from,
            to,
            quantity,
            expected_on: None,
            sent_at: now,
        };
        self.sent.push(transfer.clone());
        let route = "POST /stock/{sku}/transfers";
        Some(report(
            route,
            sku,
            Some(named),
            body,
            Deed::TransferSent(transfer),
        ))
    }
}

/// Somebody reports on stock.
fn report(
    route: &'static str,
    sku: String,
    named: Option<String>,
    body: String,
    deed: Deed,
) -> Ask {
    let mut headers = vec![authorised()];
    headers.extend(named.map(|named| ("idempotency-key", named)));
    Ask {
        function: "adjust-stock",
        route,
        path: vec![("sku", sku)],
        headers,
        body,
        deed,
    }
}

/// Something comes in of a purchase line.
fn take_in(
    retailer: &Retailer,
    expected: &[Inbound],
    named: String,
    tape: &mut Tape,
) -> Option<Ask> {
    let line = one(expected, tape)?;
    let quantity = 1 + i64::from(tape.choose(3));
    let (id, location) = (&line.id, &line.location);
    let said = shown(quantity, retailer.decimals(&line.sku));
    let body = format!(
        r#"{{"location":"{location}","kind":"receive","quantity":{said},"inbound":"{id}"}}"#
    );
    let deed = Deed::Counted {
        fact: String::new(),
        sku: line.sku.clone(),
        location: location.clone(),
        quantity,
    };
    let route = "POST /stock/{sku}/adjustments";
    Some(report(route, line.sku.clone(), Some(named), body, deed))
}

/// A shelf is counted: against what was said to be there, or what the counter says.
fn count_shelf(retailer: &Retailer, named: String, tape: &mut Tape) -> Option<Ask> {
    let sku = one(&retailer.products, tape)?.sku.clone();
    let location = one(&retailer.locations, tape)?.id.clone();
    let found = i64::from(tape.choose(5));
    let expected = (tape.choose(2) == 1).then(|| i64::from(tape.choose(5)));
    let shown = |units| shown(units, retailer.decimals(&sku));
    let said = expected.map(|units| format!(r#","expected":{}"#, shown(units)));
    let (seen, said) = (shown(found), said.unwrap_or_default());
    let body = format!(r#"{{"location":"{location}","found":{seen}{said}}}"#);
    let deed = Deed::ShelfCounted {
        fact: String::new(),
        sku: sku.clone(),
        location,
        found,
        expected,
    };
    Some(report(
        "POST /stock/{sku}/counts",
        sku,
        Some(named),
        body,
        deed,
    ))
}

/// A transfer arrives: all of it, some, or more.
fn arrive(retailer: &Retailer, sent: &[Transfer], tape: &mut Tape) -> Option<Ask> {
    let transfer = one(sent, tape)?;
    let quantity = match tape.choose(3) {
        0 => transfer.quantity,
        _ => i64::from(tape.choose(4)),
    };
    let (sku, id) = (transfer.sku.clone(), transfer.id.clone());
    let said = shown(quantity, retailer.decimals(&sku));
    let deed = Deed::TransferReceived(sku.clone(), id.clone(), quantity);
    let route = "POST /stock/{sku}/transfers/{id}/received";
    let mut ask = report(route, sku, None, format!(r#"{{"quantity":{said}}}"#), deed);
    ask.path.push(("id", id));
    Some(ask)
}

/// Somebody has looked into what was missing of a transfer.
fn resolve(sent: &[Transfer], tape: &mut Tape) -> Option<Ask> {
    let transfer = one(sent, tape)?;
    let id = derived(&["transfer", &transfer.sku, &transfer.id]);
    let body = r#"{"note":"still in the lorry"}"#.into();
    let deed = Deed::DiscrepancyResolved(id.clone());
    let route = "POST /stock/discrepancies/{id}/resolved";
    let mut ask = report(route, String::new(), None, body, deed);
    ask.path = vec![("id", id)];
    Some(ask)
}

pub(crate) fn authorised() -> (&'static str, String) {
    ("authorization", format!("Bearer {KEY}"))
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// A total over weights by largest remainder, ties to the first, as the specification says.
fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i64 = weights.iter().sum();
    if sum == 0 {
        // None is worth anything: all bear the same.
        return self::shares(total, &vec![1; weights.len()]);
    }
    let mut shares: Vec<i64> = weights.iter().map(|w| total * w / sum).collect();
    let mut left = total - shares.iter().sum::<i64>();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|n| std::cmp::Reverse(total * weights[*n] % sum));
    for place in places {
        if left > 0 {
            shares[place] += 1;
            left -= 1;
        }
    }
    shares
}

struct Bought {
    sku: String,
    units: u32,
    decimals: u8,
    price: i64,
    shipped: bool,
}

/// A new order, through our own API or as a webhook of a shop.
fn place(
    n: u32,
    retailer: &Retailer,
    now: Timestamp,
    reserved: &[String],
    tape: &mut Tape,
) -> (Ask, Option<Stated>) {
    let lines: Vec<Bought> = (0..1 + tape.choose(3))
        .map(|_| {
            let kits = &retailer.kits;
            let known = tape.index(retailer.products.len() + kits.len());
            let unknown = tape.happens(150);
            let sku = match retailer.products.iter().chain(kits).nth(known) {
                Some(product) if !unknown => &product.sku,
                _ => "NONE",
            };
            Bought {
                sku: sku.to_owned(),
                units: 1 + tape.choose(4),
                decimals: retailer.decimals(sku),
                price: PRICES[tape.index(PRICES.len())],
                shipped: !tape.happens(400),
            }
        })
        .collect();
    let shipping = [490, 0, 1][tape.index(3)];
    let goods = |l: &Bought| cost(l.price, l.units.into(), l.decimals);
    let goods: Vec<i64> = lines.iter().map(goods).collect();
    // Off the whole order, at most half of it: it never divides by the units either.
    let off = [0, 0, 1, 250][tape.index(4)].min(goods.iter().sum::<i64>() / 2);
    let total = goods.iter().sum::<i64>() - off + shipping;
    let spread = shares(off, &goods)
        .into_iter()
        .zip(shares(shipping, &goods));
    let charges = goods.iter().zip(spread);
    let charges: Vec<i64> = charges
        .map(|(goods, (off, shipping))| goods - off + shipping)
        .collect();
    let status = tape.choose(16);
    let email = (tape.choose(8) < 7).then(|| format!("c{n}@example.com"));
    let (country, code, city, located_by) = ADDRESSES[tape.index(ADDRESSES.len())];
    let located_by = match (located_by, retailer.postal_codes.as_slice()) {
        (IF_IMPORTED, []) => "country",
        (IF_IMPORTED, _) => "postal_code",
        (known, _) => known,
    };
    let deed = Deed::Ordered {
        id: OrderId::of("", "", ""),
        lines: lines
            .iter()
            .zip(charges)
            .map(|(line, charge)| (Some(line.sku.clone()), line.units, charge))
            .collect(),
        captured: if status < 14 { total } else { 0 },
        email: email.clone(),
        located_by,
    };
    let minor = total;
    let (total, shipping, off) = (decimal(total), decimal(shipping), decimal(off));
    let email = email.map(|email| format!(r#""email":"{email}","#));
    let email = email.unwrap_or_default();
    if tape.choose(2) == 0 {
        let status = ["paid", "authorised", "pending"][status.saturating_sub(13) as usize];
        let lines: Vec<String> = lines
            .iter()
            .map(|Bought { sku, units, decimals, price, shipped }| {
                let (price, units) = (decimal(*price), shown((*units).into(), *decimals));
                format!(
                    r#"{{"sku":"{sku}","title":"{sku}","quantity":{units},"unit_price":"{price}","requires_shipping":{shipped}}}"#
                )
            })
            .collect();
        let lines = lines.join(",");
        // Also one that has ended, or that another order has taken up.
        let named = match reserved.is_empty() {
            true => None,
            false => one(reserved, tape).filter(|_| tape.choose(4) > 0),
        };
        let named = named.map_or(String::new(), |id| format!(r#""reservation":"{id}","#));
        let (provider, account) = payments::ACCOUNT;
        let through = match tape.choose(2) {
            0 => format!(r#","provider":"{provider}","account":"{account}","reference":"pi_{n}""#),
            _ => String::new(),
        };
        let ask = Ask {
            function: "accept-order",
            route: "POST /orders",
            path: Vec::new(),
            headers: vec![authorised(), ("idempotency-key", format!("order-{n}"))],
            body: format!(
                r#"{{"number":"{n}",{named}"currency":"EUR","lines":[{lines}],"shipping":"{shipping}","discount":"{off}","total":"{total}","payment":{{"status":"{status}"{through}}},"customer":{{{email}"name":"C"}},"shipping_address":{{"name":"C","line1":"1 Street","city":"{city}","postal_code":"{code}","country":"{country}"}}}}"#
            ),
            deed,
        };
        return (ask, None);
    }
    let status = ["paid", "authorized", "pending"][status.saturating_sub(13) as usize];
    let first = (lines[0].units, lines[0].decimals);
    let lines = lines.iter().enumerate().map(|(k, Bought { sku, units, decimals, price, shipped })| {
        let (id, price, units) = (k + 1, decimal(*price), shown((*units).into(), *decimals));
        let left = if k == 0 { LEFT } else { &units };
        format!(r#"{{"id":{id},"sku":"{sku}","title":"{sku}","quantity":{units},"current_quantity":{left},"price":"{price}","requires_shipping":{shipped}}}"#)
    });
    let lines = lines.collect::<Vec<String>>().join(",");
    let document = format!(
        r##"{{"id":{n},"name":"#{n}","created_at":"{now}","updated_at":"{UPDATED}","phone":"{PHONE}",{CANCELLED}"currency":"EUR","taxes_included":true,{email}"financial_status":"{STATUS}","total_price":"{total}","total_discounts":"{off}","total_tax":"0.00","line_items":[{lines}],"shipping_lines":[{{"price":"{shipping}"}}],"shipping_address":{{"name":"C","address1":"1 Street","city":"{city}","zip":"{code}","country_code":"{country}"}}}}"##
    );
    let stated = Stated {
        n,
        document,
        placed_at: now,
        total: minor,
        units: first,
        said: vec![State {
            status,
            cancelled: false,
            off: 0,
        }],
    };
    let ask = channel::ask("orders/create", stated.first(), deed);
    (ask, Some(stated))
}

fn one<'a, T>(all: &'a [T], tape: &mut Tape) -> Option<&'a T> {
    (!all.is_empty()).then(|| &all[tape.index(all.len())])
}

fn one_of<'a, T>(all: &'a mut [T], tape: &mut Tape) -> Option<&'a mut T> {
    (!all.is_empty()).then(|| &mut all[tape.index(all.len())])
}

/// What somebody says to change an order.
fn change(route: &'static str, id: String, body: String, named: Option<String>, deed: Deed) -> Ask {
    let mut headers = vec![authorised()];
    headers.extend(named.map(|named| ("idempotency-key", named)));
    Ask {
        function: "change-order",
        route,
        path: vec![("id", id)],
        headers,
        body,
        deed,
    }
}

/// A warehouse works on a fulfillment order.
fn handle(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    use FulfillmentStatus::*;
    let work: Vec<_> = orders
        .iter()
        .flat_map(|order| order.fulfillments.iter().map(move |f| (order, f)))
        .filter(|(_, f)| !matches!(f.status, Rejected | Cancelled | Delivered))
        .collect();
    let (order, fulfillment) = *one(&work, tape)?;
    let (mut lines, mut body) = (None, "{}".to_owned());
    let report = match fulfillment.status {
        Released | Accepted => match tape.choose(12) {
            0..5 => "packed",
            5 | 6 => "accepted",
            7 | 8 => {
                let found = fulfillment.units.iter().filter_map(|&(place, units)| {
                    let found = tape.choose(units + 1);
                    (found > 0).then(|| (order.line(place).id.clone(), found))
                });
                let found: Vec<(String, u32)> = found.collect();
                body = said(order, &found);
                lines = Some(found);
                "packed"
            }
            9 | 10 => "rejected",
            _ => "shipped",
        },
        Packed => ["shipped", "packed", "rejected"][tape.index(8).saturating_sub(5)],
        _ => "delivered",
    };
    match report {
        "rejected" => body = r#"{"reason":"no hands"}"#.into(),
        "shipped" => body = r#"{"carrier":"Own van","tracking_number":"V1"}"#.into(),
        _ => {}
    }
    Some(reported(order, fulfillment.n, report, lines, body))
}

/// The parcels of orders whose channels are told, of those that nobody has packed yet.
pub fn pack_what_is_told(orders: &[Arc<Order>]) -> Vec<Ask> {
    use FulfillmentStatus::{Accepted, Released};
    let told = orders.iter().filter(|order| order.told);
    let parcels = told.flat_map(|order| order.fulfillments.iter().map(move |f| (order, f)));
    let waits = parcels.filter(|(_, f)| matches!(f.status, Released | Accepted));
    let packed = waits.map(|(order, f)| reported(order, f.n, "packed", None, "{}".into()));
    packed.collect()
}

/// A warehouse reports on a parcel.
fn reported(
    order: &Order,
    n: u32,
    report: &'static str,
    lines: Option<Vec<(String, u32)>>,
    body: String,
) -> Ask {
    Ask {
        function: "confirm-fulfillment",
        route: "POST /fulfillments/{id}/{report}",
        path: vec![
            ("id", format!("{}-{n}", order.id)),
            ("report", report.into()),
        ],
        headers: vec![authorised()],
        body,
        deed: Deed::Reported {
            order: order.id.clone(),
            n,
            report,
            lines,
        },
    }
}

fn cancel(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let id = one(orders, tape)?.id.clone();
    let (name, body) = (id.to_string(), r#"{"reason":"changed my mind"}"#.into());
    Some(change(
        "POST /orders/{id}/cancel",
        name,
        body,
        None,
        Deed::Cancelled(id),
    ))
}

fn release(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let held: Vec<_> = orders.iter().filter(|o| !o.holds.is_empty()).collect();
    let order = *one(&held, tape)?;
    let hold = one(&order.holds, tape)?.reason.name();
    let deed = Deed::Released(order.id.clone(), hold.to_owned());
    let route = "POST /orders/{id}/holds/{hold}/release";
    let mut ask = change(route, order.id.to_string(), String::new(), None, deed);
    ask.path.push(("hold", hold.to_owned()));
    Some(ask)
}

/// Somebody looks into what a channel has refused to be told.
fn resolve_untold(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let untold: Vec<_> = orders.iter().filter(|o| !o.untold.is_empty()).collect();
    let order = *one(&untold, tape)?;
    let resolution = ["again", "settled"][tape.index(2)];
    let deed = Deed::Resolved(order.id.clone());
    let route = "POST /orders/{id}/untold/{resolution}";
    let mut ask = change(route, order.id.to_string(), String::new(), None, deed);
    ask.path.push(("resolution", resolution.to_owned()));
    Some(ask)
}

/// Some units of some lines, of those that `most` says.
fn some_units(
    order: &Order,
    most: impl Fn(&domain::order::Line) -> u32,
    tape: &mut Tape,
) -> (Vec<(String, u32)>, String) {
    let mut units = Vec::new();
    for line in &order.lines {
        let most = most(line);
        let chosen = match most {
            0 => 0,
            most => most - tape.choose(most + 1),
        };
        if chosen > 0 {
            units.push((line.id.clone(), chosen));
        }
    }
    let said = said(order, &units);
    (units, said)
}

/// A document of some units of lines.
fn said(order: &Order, units: &[(String, u32)]) -> String {
    let decimals = |id: &str| {
        let line = order.lines.iter().find(|line| line.id == id);
        line.map_or(0, |line| line.decimals)
    };
    let said = units.iter().map(|(line, units)| {
        let quantity = shown((*units).into(), decimals(line));
        format!(r#"{{"line":"{line}","quantity":{quantity}}}"#)
    });
    format!(r#"{{"lines":[{}]}}"#, said.collect::<Vec<_>>().join(","))
}

fn announce(orders: &[Arc<Order>], named: String, tape: &mut Tape) -> Option<Ask> {
    let order = one(orders, tape)?;
    let (units, body) = some_units(order, |line| line.units.shipped, tape);
    let deed = Deed::ReturnAnnounced(order.id.clone(), named.clone(), 0, units);
    let route = "POST /orders/{id}/returns";
    Some(change(route, order.id.to_string(), body, Some(named), deed))
}

fn receive(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let coming: Vec<_> = orders
        .iter()
        .flat_map(|order| order.returns.iter().map(move |r| (order, r)))
        .collect();
    let (order, coming) = *one(&coming, tape)?;
    let dispositions = ["restock", "quarantine", "return_to_vendor", "scrap"];
    let disposition = dispositions[tape.index(dispositions.len())];
    let body = match tape.choose(2) {
        0 => String::new(),
        _ => {
            let said = coming.units.iter().map(|&(place, units)| {
                let line = order.line(place);
                let (line, quantity) = (&line.id, shown(units.into(), line.decimals));
                format!(
                    r#"{{"line":"{line}","quantity":{quantity},"disposition":"{disposition}"}}"#
                )
            });
            format!(r#"{{"lines":[{}]}}"#, said.collect::<Vec<_>>().join(","))
        }
    };
    let (id, deed) = (
        format!("{}-R{}", order.id, coming.n),
        Deed::ReturnReceived(order.id.clone(), coming.n),
    );
    Some(change("POST /returns/{id}/received", id, body, None, deed))
}

fn refund(orders: &[Arc<Order>], named: String, tape: &mut Tape) -> Option<Ask> {
    let order = one(orders, tape)?;
    let body = match tape.choose(3) {
        0 => {
            let amount = 1 + i64::from(tape.choose(700));
            format!(r#"{{"amount":"{}"}}"#, decimal(amount))
        }
        _ => some_units(order, |line| line.units.ordered, tape).1,
    };
    let deed = Deed::RefundRequested(order.id.clone(), named.clone(), 0);
    let route = "POST /orders/{id}/refunds";
    Some(change(route, order.id.to_string(), body, Some(named), deed))
}

fn confirm(orders: &[Arc<Order>], tape: &mut Tape) -> Option<Ask> {
    let due: Vec<_> = orders
        .iter()
        .flat_map(|order| order.refunds.iter().map(move |r| (order, r)))
        .filter(|(_, refund)| refund.status != RefundStatus::Paid)
        .collect();
    let (order, refund) = *one(&due, tape)?;
    let (id, n) = (order.id.clone(), refund.n);
    let again = refund.status == RefundStatus::Refused && tape.choose(2) == 0;
    let (route, deed) = match again {
        true => ("POST /refunds/{id}/again", Deed::RefundRepeated(id, n)),
        false => ("POST /refunds/{id}/confirmed", Deed::RefundConfirmed(id, n)),
    };
    let id = format!("{}-F{n}", order.id);
    Some(change(route, id, String::new(), None, deed))
}

/// An operator sends back what was put aside.
fn redrive() -> Ask {
    Ask {
        function: "redrive-messages",
        route: "POST /parked/redrive",
        path: Vec::new(),
        headers: vec![authorised()],
        body: r#"{"all":true}"#.into(),
        deed: Deed::Redriven,
    }
}

/// Goods come in, or are counted.
fn count(retailer: &Retailer, named: String, tape: &mut Tape) -> Option<Ask> {
    let sku = one(&retailer.products, tape)?.sku.clone();
    let location = one(&retailer.locations, tape)?.id.clone();
    let quantity = 1 + i64::from(tape.choose(4));
    let (kind, quantity) = match tape.choose(4) {
        0..3 => ("receive", quantity),
        _ => ("adjust", -quantity),
    };
    let said = shown(quantity, retailer.decimals(&sku));
    let body = format!(
        r#"{{"location":"{location}","kind":"{kind}","quantity":{said},"reason":"counted"}}"#
    );
    let deed = Deed::Counted {
        fact: String::new(),
        sku: sku.clone(),
        location,
        quantity,
    };
    let route = "POST /stock/{sku}/adjustments";
    Some(report(route, sku, Some(named), body, deed))
}
