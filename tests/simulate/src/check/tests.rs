//! Each rule is broken once, in a world in which all else is right.

mod crossing;
mod deeds;
mod events;
mod levels;
mod life;
mod listings;
mod mail;
mod orders;
mod repaid;
mod reservations;
mod rest;
mod told;
mod transit;

/// The files in which rules are named.
const SOURCES: [&str; 16] = [
    include_str!("crossing.rs"),
    include_str!("deeds.rs"),
    include_str!("events.rs"),
    include_str!("history.rs"),
    include_str!("ledger.rs"),
    include_str!("life.rs"),
    include_str!("listings.rs"),
    include_str!("mail.rs"),
    include_str!("money.rs"),
    include_str!("orders.rs"),
    include_str!("repaid.rs"),
    include_str!("reservations.rs"),
    include_str!("rest.rs"),
    include_str!("stock.rs"),
    include_str!("told.rs"),
    include_str!("transit.rs"),
];
const TESTS: [&str; 12] = [
    include_str!("tests/crossing.rs"),
    include_str!("tests/deeds.rs"),
    include_str!("tests/events.rs"),
    include_str!("tests/listings.rs"),
    include_str!("tests/mail.rs"),
    include_str!("tests/levels.rs"),
    include_str!("tests/orders.rs"),
    include_str!("tests/repaid.rs"),
    include_str!("tests/reservations.rs"),
    include_str!("tests/rest.rs"),
    include_str!("tests/told.rs"),
    include_str!("tests/transit.rs"),
];

/// The texts between quotes in a source that look like the name of a rule.
fn names(source: &str) -> impl Iterator<Item = &str> {
    // Names of holds, and of nothing else that the checker says.
    const OTHERS: [&str; 2] = ["unknown-sku", "out-of-stock"];
    let quoted = source.split('"').skip(1).step_by(2);
    quoted.filter(|text| {
        let words = || text.split('-');
        let kebab = words().all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()));
        kebab
            && (words().count() > 1 || *text == "oversold" || *text == "parked")
            && !OTHERS.contains(text)
    })
}

#[test]
fn every_rule_is_broken_by_a_test() {
    let mut rules: Vec<&str> = SOURCES.iter().flat_map(|source| names(source)).collect();
    rules.sort_unstable();
    rules.dedup();
    assert!(rules.len() > 60, "the names are not found: {rules:?}");
    let broken: Vec<&str> = TESTS.iter().flat_map(|source| names(source)).collect();
    let forgotten: Vec<&&str> = rules.iter().filter(|rule| !broken.contains(rule)).collect();
    assert!(forgotten.is_empty(), "no test breaks {forgotten:?}");
}
