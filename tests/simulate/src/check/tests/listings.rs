use domain::listing::{Listing, Round, Told};

use super::rest::{breaks, keeps};
use crate::check::sample::at;
use crate::check::shown_as_noted;
use crate::observed::{Deed, Observed};
use crate::vendor::UNKNOWN_SKU;

/// What may be promised of A in the north: six, without the one that the shop is not told of.
const LEFT: i64 = 5;

/// The shop lists a SKU, was told so many of it, and shows so many.
fn lists(w: &mut Observed, sku: &str, told: i64, refused: bool, shown: Option<i64>) {
    w.zones = vec![("north".into(), "Europe/Berlin".into())];
    w.deeds.push(Deed::ListingsTold);
    w.shown.extend(shown.map(|shown| (sku.to_owned(), shown)));
    w.listings.push(Listing {
        told: Some(Told {
            quantity: told,
            at: at(900),
            refused: refused.then(|| "status 422".into()),
        }),
        ..Listing::new("bigcommerce", "shop", sku)
    });
}

#[test]
fn a_shop_shows_too_many_or_too_few() {
    keeps(|w| lists(w, "A", LEFT, false, Some(LEFT)));
    keeps(|w| lists(w, UNKNOWN_SKU, 0, true, None));
    // Etsy has no listing of which there is nothing.
    keeps(|w| {
        w.fetched = "etsy";
        lists(w, UNKNOWN_SKU, 0, false, None);
    });
    // Nobody has had the time to.
    keeps(|w| {
        lists(w, "A", LEFT, false, Some(0));
        w.deeds.retain(|deed| !matches!(deed, Deed::ListingsTold));
    });
    keeps(|w| {
        w.kits = vec![("KIT".into(), vec![("A".into(), 2)])];
        lists(w, "KIT", LEFT / 2, false, Some(LEFT / 2));
    });
    breaks("shop-shows-otherwise", |w| {
        lists(w, "A", LEFT, false, Some(LEFT + 1))
    });
    breaks("shop-shows-otherwise", |w| lists(w, "A", LEFT, false, None));
    breaks("listing-not-told", |w| {
        lists(w, "A", LEFT + 1, false, Some(LEFT))
    });
    breaks("refusal-not-noted", |w| {
        lists(w, "A", LEFT, true, Some(LEFT))
    });
    breaks("refusal-not-noted", |w| {
        lists(w, UNKNOWN_SKU, 0, false, None)
    });
}

#[test]
fn a_shop_shows_otherwise_than_is_noted_and_nobody_doubts_it() {
    let mut w = Observed::default();
    lists(&mut w, "A", 5, false, Some(4));
    lists(&mut w, UNKNOWN_SKU, 5, true, None);
    let calm = Round::new("bigcommerce", "shop");
    let doubt = calm.tells(vec!["A".into()], at(0));
    assert_eq!(shown_as_noted(&[doubt], &w.listings, &w.shown), None);
    let found = shown_as_noted(std::slice::from_ref(&calm), &w.listings, &w.shown);
    let found = found.unwrap();
    assert_eq!(
        (found.rule, &*found.subject),
        ("shown-otherwise-than-noted", "A")
    );
    w.shown[0].1 = 5;
    assert_eq!(shown_as_noted(&[calm], &w.listings, &w.shown), None);
}
