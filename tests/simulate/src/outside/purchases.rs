//! Customers buy: through our own API, by a webhook of a shop, or in a shop that has an API.

use domain::OrderId;
use jiff::Timestamp;

use super::{Act, Outside, authorised, decimal, one};
use crate::ask::Ask;
use crate::channel::{Bought, Money, State, Stated, WRITERS};
use crate::measure::shown;
use crate::observed::Deed;
use crate::payments;
use crate::retailer::Retailer;
use crate::tape::Tape;
use crate::vendor::Happening;

/// Most orders in the shop that has an API.
const MAX_IN_SHOP: u32 = 2;
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

impl Outside {
    /// Somebody buys something in the shop that has an API.
    pub(super) fn buy(&mut self, retailer: &Retailer, tape: &mut Tape) -> Act {
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
    pub(super) fn alter(&mut self, tape: &mut Tape) -> Act {
        if self.in_shop == 0 {
            return Act::Nothing;
        }
        let place = tape.choose(self.in_shop) as usize;
        let cancelled = tape.choose(4) == 3;
        Act::InShop(Happening::Changed(place, cancelled), tape.choose(2) == 0)
    }
}

/// A new order, through our own API or as a webhook of a shop.
pub(super) fn place(
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
    let goods: Vec<i64> = lines.iter().map(Bought::goods).collect();
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
    let money = match status {
        ..14 => Money::Paid,
        14 => Money::Authorised,
        _ => Money::Pending,
    };
    let mut deed = Deed::Ordered {
        id: OrderId::of("", "", ""),
        lines: lines
            .iter()
            .zip(charges)
            .map(|(line, charge)| (Some(line.sku.clone()), line.units, charge))
            .collect(),
        captured: if money == Money::Paid { total } else { 0 },
        email: email.clone(),
        located_by,
    };
    if tape.choose(2) == 0 {
        let status = money.named(["paid", "authorised", "pending"]);
        let [total, shipping, off] = [total, shipping, off].map(decimal);
        let email = email.map(|email| format!(r#""email":"{email}","#));
        let email = email.unwrap_or_default();
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
            webhook: None,
        };
        return (ask, None);
    }
    let stated = Stated {
        by: WRITERS[tape.index(WRITERS.len())],
        n,
        placed_at: now,
        lines,
        shipping,
        discount: off,
        total,
        email,
        to: (country, code, city),
        said: vec![State {
            money,
            cancelled: false,
            off: 0,
            refunds: Vec::new(),
        }],
    };
    if let Deed::Ordered { id, .. } = &mut deed {
        *id = stated.id();
    }
    (stated.first(deed), Some(stated))
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
