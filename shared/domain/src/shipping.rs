//! By when a parcel leaves, by when it arrives, and what is the cheapest way there.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::catalog::{Location, Product, Rate};
use crate::event::Event;
use crate::order::{FulfillmentOrder, FulfillmentStatus, Order, Parcel};
use crate::owed::Notice;
use crate::stock::MovementKind;

/// Whether carriers bring parcels on a day: Monday to Friday. Their public holidays are not known here.
fn carriers_work(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The working day that is `days` working days after `day`; with 0, `day` or the next that is one.
fn working_day(day: Date, days: u32, works: impl Fn(Date) -> bool) -> Date {
    let next = |day: Date| {
        let mut day = day;
        // Who never works works on the last day that there is.
        while !works(day) && day < Date::MAX {
            day = day.saturating_add(1.day());
        }
        day
    };
    (0..days).fold(next(day), |day, _| next(day.saturating_add(1.day())))
}

/// The day that it is in a location.
pub fn today_in(location: &Location, now: Timestamp) -> Date {
    local_time(location, now).date()
}

fn local_time(location: &Location, now: Timestamp) -> Zoned {
    // The zone's name was checked when the location was stored.
    now.to_zoned(TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC))
}

/// The day on which what is ordered now should leave a location, by its own clock and calendar.
pub fn ship_by(location: &Location, now: Timestamp) -> Date {
    let local = local_time(location, now);
    let today = local.date();
    let works = |day: Date| location.works_on(day);
    let late = local.time() > location.cut_off && works(today);
    let begins = working_day(today, u32::from(late), works);
    working_day(begins, location.handling_days, works)
}

/// A way to send a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method<'a> {
    /// The tariff.
    pub rate: &'a Rate,
    /// What it costs, in minor units of the location's currency.
    pub price: i64,
    /// When it arrives.
    pub arrives: Date,
    /// Whether that keeps the promise.
    pub keeps_promise: bool,
}

/// The cheapest method that keeps the promise; if none does, the one that breaks it least.
/// `None` if no tariff takes a parcel of this weight from here to there.
pub fn choose_method<'a>(
    rates: &'a [Rate],
    from: &Location,
    to_country: &str,
    weight_g: u64,
    leaves: Date,
    deliver_by: Date,
) -> Option<Method<'a>> {
    let methods = rates.iter().filter_map(|rate| {
        let serves =
            rate.from == from.id && (rate.to.is_empty() || rate.to.iter().any(|c| c == to_country));
        let fits = |max: u32| weight_g <= u64::from(max);
        let band = rate
            .bands
            .iter()
            .find(|band| serves && fits(band.max_weight_g))?;
        let arrives = working_day(leaves, rate.transit_days, carriers_work);
        Some(Method {
            rate,
            price: band.price,
            arrives,
            keeps_promise: arrives <= deliver_by,
        })
    });
    methods.min_by(|a, b| {
        let preference = |m: &Method| match m.keeps_promise {
            true => (false, Date::MIN, m.price),
            false => (true, m.arrives, m.price),
        };
        let better = preference(a).cmp(&preference(b));
        better.then_with(|| a.rate.id.cmp(&b.rate.id))
    })
}

/// The weight of what a fulfillment order sends, in grams.
pub fn weight_g(order: &Order, fulfillment: &FulfillmentOrder, products: &[Product]) -> u64 {
    let of_line = |&(place, units): &(u16, u32)| {
        let sku = order.line(place).sku.as_deref();
        let product = products.iter().find(|p| Some(p.sku.as_str()) == sku);
        product.map_or(0, |product| product.weight_of(units))
    };
    fulfillment.units.iter().map(of_line).sum()
}

/// The order with its packed fulfillment order `n` sent off in `parcel`; `None` if that has
/// happened, or there is nothing packed.
pub fn ship(order: &Order, n: u32, parcel: Parcel, now: Timestamp) -> Option<Order> {
    let fulfillment = order.fulfillment(n).ok()?;
    (fulfillment.status == FulfillmentStatus::Packed).then(|| leave(order, n, parcel, now))
}

/// The order with its packed fulfillment order `n` left to the warehouse's own means, because no
/// tariff takes it; `None` if it is not packed, or that is known.
pub fn leave_unrated(order: &Order, n: u32, now: Timestamp) -> Option<Order> {
    let fulfillment = order.fulfillment(n).ok()?;
    let due = fulfillment.status == FulfillmentStatus::Packed && !fulfillment.unrated;
    due.then(|| {
        order.advance(now, Event::Unrated(n), |next| {
            if let Some(fulfillment) = next.fulfillment_mut(n) {
                fulfillment.unrated = true;
            }
        })
    })
}

/// The order with its fulfillment order `n` gone, from whatever state.
pub(crate) fn leave(order: &Order, n: u32, parcel: Parcel, now: Timestamp) -> Order {
    order.advance(
        now,
        Event::Shipped(n, parcel.tracking_number.clone()),
        |next| {
            let Some(fulfillment) = next.fulfillment_mut(n) else {
                return;
            };
            let packed = fulfillment.status == FulfillmentStatus::Packed;
            fulfillment.status = FulfillmentStatus::Shipped;
            fulfillment.shipped_at = Some(now);
            fulfillment.parcel = Some(parcel);
            let (units, location) = (fulfillment.units.clone(), fulfillment.location.clone());
            for &(place, sent) in &units {
                let line = &mut next.lines[usize::from(place)].units;
                match packed {
                    true => line.packed -= sent,
                    false => line.allocated -= sent,
                }
                line.shipped += sent;
            }
            next.moves.push(crate::order::Move {
                kind: MovementKind::Ship,
                location,
                units,
            });
            if next.mailed {
                next.notices.push(Notice::Shipped(n));
            }
            if next.told {
                next.notices.push(Notice::Sent(n));
            }
        },
    )
}
