//! How far it is.

use crate::catalog::Location;
use crate::order::Destination;

/// Mean radius of the earth in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// Great-circle distance of two points (degrees north, degrees east) in kilometres, by the
/// haversine formula.
pub fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (lat1, lat2) = (from.0.to_radians(), to.0.to_radians());
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let h =
        half(lat1, lat2) + lat1.cos() * lat2.cos() * half(from.1.to_radians(), to.1.to_radians());
    2.0 * EARTH_RADIUS_KM * h.sqrt().min(1.0).asin()
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

    #[test]
    fn countries_are_known_by_their_codes() {
        assert!(is_country("DE") && is_country("KW"));
        assert!(!is_country("de") && !is_country("ZZ") && !is_country("DEU"));
        let (north, east) = country_centre("JP").unwrap();
        assert!((30.0..46.0).contains(&north) && (128.0..146.0).contains(&east));
    }
}
