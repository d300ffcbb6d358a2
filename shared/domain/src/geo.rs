//! Where it is, and how far.

use crate::catalog::Location;
use crate::limits::MAX_POSTAL_CHARS;
use crate::order::{Destination, LocatedBy};

/// Mean radius of the earth in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// A place on earth in tenths of a degree north and east, some 10 km: enough to choose a warehouse
/// by, and not enough to find a person.
pub type Point = (i32, i32);

/// A point, and what it was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Where.
    pub point: Point,
    /// How that is known.
    pub by: LocatedBy,
}

/// The point of degrees north and east; `None` if they are no place on earth.
pub fn point(north: f64, east: f64) -> Option<Point> {
    let tenths = |degrees: f64| (degrees * 10.0).round() as i32;
    let on_earth = north.abs() <= 90.0 && east.abs() <= 180.0;
    on_earth.then(|| (tenths(north), tenths(east)))
}

/// The part of a postal code that says where a place is, in upper case without spaces and hyphens:
/// of a US code its first five digits, of a British one what stands before the space. This is as
/// much as a [`Point`] can tell apart, and as GeoNames has of every country. `None` if there is no
/// such code, because nothing is left of it or more than
/// [`MAX_POSTAL_CHARS`].
pub fn postal_area(country: &str, code: &str) -> Option<String> {
    let characters = code.chars().filter(|c| c.is_alphanumeric());
    let mut area: String = characters.flat_map(char::to_uppercase).collect();
    let chars = area.chars().count();
    let kept = match country {
        "US" => 5,
        "NL" => 4,
        "CA" | "IE" | "MT" => 3,
        // The inward part has three characters; the outward part, which may stand alone, two to four.
        "GB" | "GG" | "IM" | "JE" if chars > 4 => chars - 3,
        _ => chars,
    };
    if let Some((end, _)) = area.char_indices().nth(kept) {
        area.truncate(end);
    }
    (1..=MAX_POSTAL_CHARS).contains(&area.len()).then_some(area)
}

/// Great-circle distance of two places (degrees north, degrees east) in kilometres.
pub fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    haversine(from, to, EARTH_RADIUS_KM)
}

/// The haversine formula, on a globe of this radius.
fn haversine(from: (f64, f64), to: (f64, f64), radius: f64) -> f64 {
    let (lat1, lat2) = (from.0.to_radians(), to.0.to_radians());
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let h =
        half(lat1, lat2) + lat1.cos() * lat2.cos() * half(from.1.to_radians(), to.1.to_radians());
    2.0 * radius * h.sqrt().min(1.0).asin()
}

/// Metres to a country that we cannot place: farther than anything on earth.
const FAR_M: u64 = 100_000_000;

/// Where an order goes: degrees north, degrees east. Without coordinates in the order, the middle of
/// the country stands for it; `None` for a country we cannot place.
pub fn point_of(destination: &Destination) -> Option<(f64, f64)> {
    match destination.point {
        Some((north, east)) => Some((f64::from(north) / 10.0, f64::from(east) / 10.0)),
        None => country_centre(&destination.country),
    }
}

/// How far a location is from a point, in metres; what cannot be placed is farther than any other.
pub fn metres_to(location: &Location, point: Option<(f64, f64)>) -> u64 {
    let here = (location.latitude, location.longitude);
    point.map_or(FAR_M, |there| {
        (distance_km(here, there) * 1000.0).round() as u64
    })
}

/// Whether ISO 3166-1 has an alpha-2 code, in upper case.
pub fn is_country(code: &str) -> bool {
    code.bytes().all(|b| b.is_ascii_uppercase()) && keshvar::Alpha2::try_from(code).is_ok()
}

/// What a country is called in English, by its alpha-2 code; the code itself if ISO 3166-1 has no
/// such country.
pub fn country_name(code: &str) -> &str {
    match keshvar::Alpha2::try_from(code) {
        Ok(country) => country.to_country().iso_short_name(),
        Err(_) => code,
    }
}

/// The middle of a country: degrees north, degrees east.
fn country_centre(code: &str) -> Option<(f64, f64)> {
    let country = keshvar::Alpha2::try_from(code).ok()?.to_country();
    Some((country.geo().latitude(), country.geo().longitude()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_an_atlas() {
        // Berlin to New York: 6385 km by the great circle.
        let km = distance_km((52.52, 13.405), (40.7128, -74.006));
        assert!((6380.0..6390.0).contains(&km), "{km}");
        assert_eq!(distance_km((10.0, 20.0), (10.0, 20.0)), 0.0);
        let half_way_round = distance_km((0.0, 0.0), (0.0, 180.0));
        assert!((20015.0..20016.0).contains(&half_way_round));
    }

    /// Nashville to Los Angeles by their airports, as published on Rosetta Code.
    #[test]
    fn the_formula_gives_the_published_distance() {
        let (bna, lax) = ((36.12, -86.67), (33.94, -118.40));
        let km = haversine(bna, lax, 6372.8);
        assert!((km - 2887.26).abs() < 0.005, "{km}");
        let km = distance_km(bna, lax);
        assert!((km - 2887.26 * 6371.0088 / 6372.8).abs() < 0.005, "{km}");
    }

    #[test]
    fn a_postal_code_is_read_as_people_write_it() {
        for (country, code, area) in [
            ("DE", "22765", "22765"),
            ("DE", " 01067 ", "01067"),
            ("US", "38115-1234", "38115"),
            ("US", "381151234", "38115"),
            ("US", "381", "381"),
            ("GB", "sw1a 1aa", "SW1A"),
            ("GB", "M11AE", "M1"),
            ("GB", "SW1A", "SW1A"),
            ("JE", "JE2 3AB", "JE2"),
            ("CA", "k1a 0b1", "K1A"),
            ("IE", "D02 AF30", "D02"),
            ("NL", "1012 ab", "1012"),
            ("PT", "1000-001", "1000001"),
            ("JP", "530-0043", "5300043"),
            ("BR", "01000-000", "01000000"),
        ] {
            assert_eq!(postal_area(country, code).as_deref(), Some(area), "{code}");
        }
        assert_eq!(postal_area("DE", ""), None);
        assert_eq!(postal_area("DE", " -#\n"), None);
        let edge = "9".repeat(MAX_POSTAL_CHARS);
        assert_eq!(postal_area("DE", &edge), Some(edge.clone()));
        assert_eq!(postal_area("DE", &format!("{edge}9")), None);
    }

    #[test]
    fn countries_are_known_by_their_codes() {
        assert!(is_country("DE") && is_country("KW"));
        assert!(!is_country("de") && !is_country("ZZ") && !is_country("DEU"));
        let (north, east) = country_centre("JP").unwrap();
        assert!((30.0..46.0).contains(&north) && (128.0..146.0).contains(&east));
    }
}
