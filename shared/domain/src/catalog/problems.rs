//! What is wrong with a document of the catalogue, field by field.

use crate::catalog::{ANY_LOCATION, Backorders, Location, Product, Rate, Supplier};
use crate::geo::is_country;
use crate::limits::{
    MAX_COMPONENTS, MAX_COOL_DOWN_HOURS, MAX_DECIMALS, MAX_MINOR, MAX_NAME_CHARS, MAX_QUANTITY,
    MAX_SHARES, MAX_SKU_CHARS, MAX_TITLE_CHARS,
};
use crate::rules::{ANY_CHANNEL, Rules, rate};
use crate::{Currency, Problem};
use jiff::tz::TimeZone;

/// What is said of what is not a [`name`].
pub const BAD_NAME: &str = "expected 1 to 128 letters, digits, '-', '_' or '.'";
const BAD_TEXT: &str = "expected 1 to 128 characters";
const BAD_EMAIL: &str = "expected an e-mail address";
const BAD_AMOUNT: &str = "expected an amount in minor units, not negative";
/// Characters of an e-mail address (RFC 5321, errata 1690).
const MAX_EMAIL_CHARS: usize = 254;
/// Entries of a list within a document: there are fewer countries, and each document is one item.
const MAX_ENTRIES: usize = 300;
/// Working days of the slowest service.
const MAX_TRANSIT_DAYS: u32 = 260;
/// What is wrong with a warehouse.
pub fn location_problems(location: &Location) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !name(&location.id, MAX_NAME_CHARS) {
        problems.push(Problem::at("/id", BAD_NAME));
    }
    if !words(&location.name) {
        problems.push(Problem::at("/name", BAD_TEXT));
    }
    problems.extend(too_many("/serves", location.serves.len()));
    let countries = [("/country".to_owned(), &location.country)].into_iter();
    let served = location
        .serves
        .iter()
        .enumerate()
        .map(|(n, c)| (format!("/serves/{n}"), c));
    for (pointer, country) in countries.chain(served) {
        if !is_country(country) {
            let detail = format!("expected an ISO 3166-1 alpha-2 country code, found {country:?}");
            problems.push(Problem::at(pointer, detail));
        }
    }
    for (pointer, degrees, most) in [
        ("/latitude", location.latitude, 90.0),
        ("/longitude", location.longitude, 180.0),
    ] {
        if !(-most..=most).contains(&degrees) {
            problems.push(Problem::at(
                pointer,
                format!("expected -{most} to {most} degrees, found {degrees}"),
            ));
        }
    }
    if TimeZone::get(&location.time_zone).is_err() {
        let detail = format!("expected an IANA time zone, found {:?}", location.time_zone);
        problems.push(Problem::at("/time_zone", detail));
    }
    if !email(&location.email) {
        problems.push(Problem::at("/email", BAD_EMAIL));
    }
    problems.extend(too_many("/working_days", location.working_days.len()));
    problems.extend(too_many("/closed_on", location.closed_on.len()));
    if location.handling_days > MAX_TRANSIT_DAYS {
        let detail = format!("expected at most {MAX_TRANSIT_DAYS} working days");
        problems.push(Problem::at("/handling_days", detail));
    }
    if location.daily_orders == Some(0) {
        let detail = "expected at least 1 (a warehouse that takes none is \"closed\")";
        problems.push(Problem::at("/daily_orders", detail));
    }
    problems
}

/// What is wrong with a product by itself: whether what is in a kit exists, the catalogue knows.
pub fn product_problems(product: &Product) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sku = &product.sku;
    if sku.is_empty() || sku.len() > MAX_SKU_CHARS || sku.contains(['#', '\n', '\r']) {
        let detail = format!("expected 1 to {MAX_SKU_CHARS} characters without '#' or line breaks");
        problems.push(Problem::at("/sku", detail));
    }
    if !(1..=MAX_TITLE_CHARS).contains(&product.title.chars().count()) {
        problems.push(Problem::at(
            "/title",
            format!("expected 1 to {MAX_TITLE_CHARS} characters"),
        ));
    }
    let supplier = product.supplier.as_deref();
    if supplier.is_some_and(|supplier| !name(supplier, MAX_NAME_CHARS)) {
        problems.push(Problem::at("/supplier", BAD_NAME));
    }
    let cost = product.unit_cost.map(|cost| cost.amount);
    if cost.is_some_and(|amount| !(0..=MAX_MINOR).contains(&amount)) {
        problems.push(Problem::at("/unit_cost/amount", BAD_AMOUNT));
    }
    problems.extend(policy_problems(product));
    problems.extend(component_problems(product));
    problems.extend(measure_problems(product));
    if !(1..=MAX_SHARES).contains(&product.shares) {
        let detail = format!(
            "expected 1 to {MAX_SHARES} shares, found {}",
            product.shares
        );
        problems.push(Problem::at("/shares", detail));
    }
    problems
}

/// What is wrong with what a product is measured in, and what is said of it in that measure.
fn measure_problems(product: &Product) -> Vec<Problem> {
    let decimals = product.decimals;
    if decimals > MAX_DECIMALS {
        let detail = format!("expected at most {MAX_DECIMALS} decimals, found {decimals}");
        return vec![Problem::at("/decimals", detail)];
    }
    let given = [
        ("/reorder_point", product.reorder_point),
        ("/reorder_quantity", product.reorder_quantity),
    ];
    let wrong = given.into_iter().filter_map(|(pointer, quantity)| {
        let wrong = quantity?.count(decimals, 0, u32::MAX).err()?;
        Some(Problem::at(pointer, wrong))
    });
    wrong.collect()
}

/// What is wrong with how much of a product may be promised.
fn policy_problems(product: &Product) -> Vec<Problem> {
    let mut problems = Vec::new();
    let usual = product.safety_stock.is_empty()
        && product.available_on.is_none()
        && product.backorders == Backorders::Accept
        && product.decimals == 0
        && product.shares == 1;
    if !product.components.is_empty() && !usual {
        let detail = "expected no decimals, safety_stock, available_on, backorders or shares of a kit: it has no stock of its own, its components have";
        problems.push(Problem::at("", detail));
    }
    problems.extend(too_many("/safety_stock", product.safety_stock.len()));
    if product.shares > 1 && !product.safety_stock.is_empty() {
        let detail = "expected none of a product of several shares: none of them knows what the others still have";
        problems.push(Problem::at("/safety_stock", detail));
    }
    for (location, kept) in &product.safety_stock {
        let pointer = format!("/safety_stock/{location}");
        if location != ANY_LOCATION && !name(location, MAX_NAME_CHARS) {
            let detail = "expected the id of a warehouse, or \"*\" for all that are not named";
            problems.push(Problem::at("/safety_stock", detail));
        } else if let Err(detail) = kept.count(product.decimals, 0, MAX_QUANTITY) {
            problems.push(Problem::at(pointer, detail));
        }
    }
    problems
}

fn component_problems(kit: &Product) -> Vec<Problem> {
    let mut problems = Vec::new();
    if kit.components.len() > MAX_COMPONENTS {
        let found = kit.components.len();
        let detail = format!("expected at most {MAX_COMPONENTS} components, found {found}");
        problems.push(Problem::at("/components", detail));
    }
    for (n, component) in kit.components.iter().enumerate() {
        let mut problem = |field: &str, detail: String| {
            problems.push(Problem::at(format!("/components/{n}/{field}"), detail));
        };
        if component.sku == kit.sku {
            problem(
                "sku",
                "expected another product: a kit cannot contain itself".into(),
            );
        }
        let before = &kit.components[..n];
        if before.iter().any(|other| other.sku == component.sku) {
            problem(
                "sku",
                format!(
                    "expected each component once, found {:?} again",
                    component.sku
                ),
            );
        }
        // Whether there is such a part of the component, the catalogue knows.
        let quantity = component.quantity;
        if let Err(detail) = quantity.count(quantity.decimals(), 1, MAX_QUANTITY) {
            problem("quantity", detail);
        }
    }
    problems
}

/// What is wrong with a channel's rules of routing.
pub fn rules_problems(rules: &Rules) -> Vec<Problem> {
    let mut problems = Vec::new();
    if rules.channel != ANY_CHANNEL && !name(&rules.channel, MAX_NAME_CHARS) {
        problems.push(Problem::at("/channel", format!("{BAD_NAME}, or \"*\"")));
    }
    for (n, criterion) in rules.objective.iter().enumerate() {
        if rules.objective[..n].contains(criterion) {
            let pointer = format!("/objective/{n}");
            problems.push(Problem::at(pointer, "expected each criterion once"));
        }
    }
    problems.extend(too_many("/exchange", rules.exchange.len()));
    for (code, worth) in &rules.exchange {
        let known = Currency::from_code(code).is_some();
        if !known || rate(worth).is_none() {
            let detail = format!(
                "expected what one of an ISO 4217 currency is worth as a positive decimal text, found {code:?}: {worth:?}"
            );
            problems.push(Problem::at("/exchange", detail));
        }
    }
    if rules.currency.is_none() && !rules.exchange.is_empty() {
        let detail = "expected a currency that the exchange rates are into";
        problems.push(Problem::at("/currency", detail));
    }
    let cost = rules.shipment_cost;
    if cost.is_some_and(|cost| !(1..=MAX_MINOR).contains(&cost)) {
        problems.push(Problem::at("/shipment_cost", BAD_AMOUNT));
    }
    if rules.cool_down_hours > MAX_COOL_DOWN_HOURS {
        let detail = format!("expected at most {MAX_COOL_DOWN_HOURS} hours");
        problems.push(Problem::at("/cool_down_hours", detail));
    }
    if rules.buffer > MAX_QUANTITY {
        let detail = format!("expected at most {MAX_QUANTITY} units");
        problems.push(Problem::at("/buffer", detail));
    }
    problems
}

/// What is wrong with a supplier.
pub fn supplier_problems(supplier: &Supplier) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !name(&supplier.id, MAX_NAME_CHARS) {
        problems.push(Problem::at("/id", BAD_NAME));
    }
    if !words(&supplier.name) {
        problems.push(Problem::at("/name", BAD_TEXT));
    }
    if !email(&supplier.email) {
        problems.push(Problem::at("/email", BAD_EMAIL));
    }
    problems
}

/// What is wrong with a tariff.
pub fn rate_problems(rate: &Rate) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !name(&rate.id, MAX_NAME_CHARS) {
        problems.push(Problem::at("/id", BAD_NAME));
    }
    if !name(&rate.from, MAX_NAME_CHARS) {
        problems.push(Problem::at("/from", BAD_NAME));
    }
    for (pointer, text) in [("/carrier", &rate.carrier), ("/service", &rate.service)] {
        if !words(text) {
            problems.push(Problem::at(pointer, BAD_TEXT));
        }
    }
    problems.extend(too_many("/to", rate.to.len()));
    problems.extend(too_many("/bands", rate.bands.len()));
    for (n, country) in rate
        .to
        .iter()
        .enumerate()
        .filter(|(_, country)| !is_country(country))
    {
        let detail = format!("expected an ISO 3166-1 alpha-2 country code, found {country:?}");
        problems.push(Problem::at(format!("/to/{n}"), detail));
    }
    if rate.transit_days > MAX_TRANSIT_DAYS {
        let detail = format!("expected at most {MAX_TRANSIT_DAYS} working days");
        problems.push(Problem::at("/transit_days", detail));
    }
    if rate.bands.is_empty() {
        problems.push(Problem::at("/bands", "expected at least one band"));
    }
    for (n, band) in rate.bands.iter().enumerate() {
        if !(0..=MAX_MINOR).contains(&band.price) {
            problems.push(Problem::at(format!("/bands/{n}/price"), BAD_AMOUNT));
        }
    }
    if !rate.bands.is_sorted_by_key(|band| band.max_weight_g) {
        problems.push(Problem::at("/bands", "expected the lightest band first"));
    }
    problems
}

/// Whether a text can be part of a key and of a path.
pub fn name(text: &str, max: usize) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=max).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a text can be what people read in one line.
fn words(text: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&text.chars().count())
}

/// Whether a text looks like an e-mail address, as far as can be told without writing to it.
fn email(text: &str) -> bool {
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let whole = text
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    plain && whole && text.chars().count() <= MAX_EMAIL_CHARS
}

/// A fault of a list that is too long.
fn too_many(pointer: &str, entries: usize) -> Option<Problem> {
    let detail = || format!("expected at most {MAX_ENTRIES} entries, found {entries}");
    (entries > MAX_ENTRIES).then(|| Problem::at(pointer, detail()))
}
