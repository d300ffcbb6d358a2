//! Where an address is, by a table of US postal codes and of the world's towns that is part of the
//! binary: nobody is asked, and nothing is read or built before the first question.
//!
//! The table is `places.fst`, made by `generate/` from data of GeoNames (see `NOTICE`).

mod fold;
pub mod table;

pub use fold::{fold, spellings};

use domain::geo::{Located, Point, postal_area};
use domain::order::{Address, LocatedBy};

/// Where an address is: by its postal code in the United States, else by its city, and its region
/// where the country has several cities of that name. `None` if it is in no table: then no more
/// than its country is known.
pub fn locate(address: &Address) -> Option<Located> {
    let by_code = || Some((us_code(address)?, LocatedBy::PostalCode));
    let by_city = || Some((city(address)?, LocatedBy::City));
    let (point, by) = by_code().or_else(by_city)?;
    Some(Located { point, by })
}

fn us_code(address: &Address) -> Option<Point> {
    let code = Some(&address.postal_code).filter(|_| address.country == "US")?;
    look_up(&table::us_code_key(&postal_area("US", code)?))
}

fn city(address: &Address) -> Option<Point> {
    let country = &address.country;
    let in_region = |name: &str| {
        let mut regions = spellings(&address.region)
            .into_iter()
            .filter_map(|region| table::get(&table::region_key(country, &region)));
        let region = u8::try_from(regions.next()?).ok()?;
        look_up(&table::city_in_region_key(country, name, region))
    };
    let find =
        |name: String| look_up(&table::city_key(country, &name)).or_else(|| in_region(&name));
    spellings(&address.city).into_iter().find_map(find)
}

fn look_up(key: &[u8]) -> Option<Point> {
    table::get(key).map(table::unpack)
}
