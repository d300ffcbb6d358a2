//! Makes the table of places from the data of `zipcodes` and `reverse_geocoder`, in the versions of
//! `Cargo.lock`; with `--check`, fails if the table that is there is another one.

mod cities;
mod other_names;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::geo::{Point, point, postal_area};
use places::table;

/// What the table says: keys in order, and the number of each.
type Entries = BTreeMap<Vec<u8>, u64>;

fn main() -> Result<()> {
    let mut entries = us_codes()?;
    cities::add(&mut entries)?;
    let mut map = fst::MapBuilder::memory();
    for (key, number) in &entries {
        map.insert(key, *number)?;
    }
    let made = map.into_inner()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/places.fst");
    if !std::env::args().any(|argument| argument == "--check") {
        std::fs::write(&path, &made)?;
        println!("{} entries, {} bytes", entries.len(), made.len());
    } else if std::fs::read(&path)? != made {
        bail!("places.fst is not what the data make: run this without --check, and commit it");
    }
    Ok(())
}

/// Postal codes of the United States. Those of the forces abroad are without a place.
fn us_codes() -> Result<Entries> {
    let mut entries = Entries::new();
    for zip in zipcodes::list_all() {
        let degrees = |text: &str| text.parse::<f64>().context(zip.zip_code.clone());
        let (north, east) = (degrees(&zip.lat)?, degrees(&zip.long)?);
        if (north, east) == (0.0, 0.0) {
            continue;
        }
        let code = postal_area("US", &zip.zip_code).context("an empty code")?;
        entries.insert(
            table::us_code_key(&code),
            table::pack(on_earth(north, east)?),
        );
    }
    Ok(entries)
}

fn on_earth(north: f64, east: f64) -> Result<Point> {
    point(north, east).with_context(|| format!("no place on earth: {north} {east}"))
}
