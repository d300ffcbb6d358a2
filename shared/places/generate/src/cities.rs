//! Cities, by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use domain::geo::distance_km;
use keshvar::Alpha2;
use places::{fold, spellings, table};
use serde::Deserialize;

use crate::other_names::OTHER_NAMES;
use crate::{Entries, on_earth};

/// Places of one name within so many kilometres of their middle are taken for one.
const ONE_PLACE_KM: f64 = 50.0;

#[derive(Deserialize)]
struct City {
    lat: f64,
    lon: f64,
    name: String,
    admin1: String,
    cc: String,
}

/// Adds the world's cities to a table.
pub fn add(entries: &mut Entries) -> Result<()> {
    let cities = read()?;
    let mut by_name: BTreeMap<(&str, String), Vec<&City>> = BTreeMap::new();
    for city in &cities {
        by_name
            .entry((&city.cc, fold(&city.name)))
            .or_default()
            .push(city);
    }
    let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ((country, name), cities) in &by_name {
        if let Some(number) = middle(cities)? {
            entries.insert(table::city_key(country, name), number);
            continue;
        }
        let mut by_region: BTreeMap<&str, Vec<&City>> = BTreeMap::new();
        for city in cities {
            by_region.entry(&city.admin1).or_default().push(city);
        }
        for (region, cities) in by_region {
            let known = regions.entry(country).or_default();
            let place = known.iter().position(|known| *known == region);
            let place = place.unwrap_or_else(|| {
                known.push(region);
                known.len() - 1
            });
            if let Some(number) = middle(&cities)? {
                let key = table::city_in_region_key(country, name, u8::try_from(place)?);
                entries.insert(key, number);
            }
        }
    }
    for (country, regions) in regions {
        add_regions(entries, country, &regions);
    }
    for (country, other, name) in OTHER_NAMES {
        let known = entries.get(&table::city_key(country, &fold(name)));
        let known = *known.with_context(|| format!("no city {name} in {country}"))?;
        for spelling in spellings(other) {
            let before = entries.insert(table::city_key(country, &spelling), known);
            ensure!(
                before.is_none(),
                "{other} in {country} is a city of its own"
            );
        }
    }
    Ok(())
}

/// The point in the middle of cities, packed; `None` if they are too far apart to be one place.
fn middle(cities: &[&City]) -> Result<Option<u64>> {
    let mean = |degrees: fn(&City) -> f64| {
        cities.iter().map(|city| degrees(city)).sum::<f64>() / cities.len() as f64
    };
    let (north, east) = (mean(|city| city.lat), mean(|city| city.lon));
    let near = |city: &&City| distance_km((north, east), (city.lat, city.lon)) <= ONE_PLACE_KM;
    match cities.iter().all(near) {
        true => Ok(Some(table::pack(on_earth(north, east)?))),
        false => Ok(None),
    }
}

/// Adds what a country's regions are called: by the cities' data, and by ISO 3166-2 with its codes.
/// What would mean two regions means none.
fn add_regions(entries: &mut Entries, country: &str, regions: &[&str]) {
    let mut names: Vec<BTreeSet<String>> = regions
        .iter()
        .map(|name| BTreeSet::from([fold(name)]))
        .collect();
    let subdivisions = Alpha2::try_from(country).map(|alpha2| alpha2.to_subdivisions());
    // In the order of their codes: a hash map's own is another each time, and what a name is taken for hangs on it.
    let subdivisions: BTreeMap<_, _> = subdivisions.into_iter().flatten().collect();
    for (code, subdivision) in subdivisions {
        let translations = subdivision.translations().values().copied();
        let unofficial = subdivision.unofficial_name_list().iter().copied();
        let known = [code, subdivision.name()].into_iter();
        let known: BTreeSet<String> = known
            .chain(translations)
            .chain(unofficial)
            .flat_map(spellings)
            .collect();
        for region in &mut names {
            if region.iter().any(|name| known.contains(name)) {
                region.extend(known.iter().cloned());
                break;
            }
        }
    }
    let mut meanings: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (place, names) in names.iter().enumerate() {
        for name in names {
            meanings.entry(name).or_default().insert(place);
        }
    }
    for (name, places) in meanings {
        if let (1, Some(place)) = (places.len(), places.first()) {
            entries.insert(table::region_key(country, name), *place as u64);
        }
    }
}

fn read() -> Result<Vec<City>> {
    let mut reader = csv::Reader::from_path(data_file()?)?;
    let cities = reader.deserialize().collect::<Result<Vec<City>, _>>()?;
    ensure!(cities.len() > 100_000, "only {} cities", cities.len());
    Ok(cities)
}

/// Where Cargo has put the crate's data.
fn data_file() -> Result<PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let told = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--manifest-path",
            manifest,
        ])
        .output()?;
    ensure!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == "reverse_geocoder");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.context("cargo metadata does not name reverse_geocoder")?;
    Ok(PathBuf::from(manifest).with_file_name("cities.csv"))
}
