//! The table's form: what its keys are made of, and how a point is packed into a number. It is
//! written by `generate/` and read here.

use domain::geo::Point;
use fst::Map;

/// A finite state transducer from keys to numbers: it is searched as it lies in the binary.
static TABLE: &[u8] = include_bytes!("places.fst");

/// Tenths of a degree from the north pole to the south pole are 1800, and around the earth 3600.
const NORTH: i32 = 900;
const EAST: i32 = 1800;
const COLUMNS: u64 = 3601;

/// The key of a US postal code's five digits.
pub fn us_code_key(code: &str) -> Vec<u8> {
    key(b'P', "US", code)
}

/// The key of a city whose [folded](crate::fold) name its country has once.
pub fn city_key(country: &str, name: &str) -> Vec<u8> {
    key(b'C', country, name)
}

/// The key of a city whose folded name its region has once, and its country has several times.
pub fn city_in_region_key(country: &str, name: &str, region: u8) -> Vec<u8> {
    let mut key = city_key(country, name);
    // No folded name has a zero.
    key.extend([0, region]);
    key
}

/// The key of a region's folded name, short name or ISO code: its number in the country.
pub fn region_key(country: &str, name: &str) -> Vec<u8> {
    key(b'R', country, name)
}

fn key(kind: u8, country: &str, name: &str) -> Vec<u8> {
    [&[kind], country.as_bytes(), name.as_bytes()].concat()
}

/// A point as a number.
pub fn pack((north, east): Point) -> u64 {
    let from = |least: i32, tenths: i32| u64::from((tenths + least).unsigned_abs());
    from(NORTH, north) * COLUMNS + from(EAST, east)
}

/// The point that a number stands for.
pub fn unpack(number: u64) -> Point {
    // Both are below 3601.
    (
        (number / COLUMNS) as i32 - NORTH,
        (number % COLUMNS) as i32 - EAST,
    )
}

/// The number of a key.
pub(crate) fn get(key: &[u8]) -> Option<u64> {
    // That the table can be read is tested; this looks at its first and last bytes only.
    Map::new(TABLE).ok()?.get(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let map = Map::new(TABLE).unwrap();
        map.as_fst().verify().unwrap();
        assert!(map.len() > 150_000, "{} keys", map.len());
    }

    #[test]
    fn points_keep_their_place_to_the_ends_of_the_earth() {
        for north in [-900, -1, 0, 1, 900] {
            for east in [-1800, -1, 0, 1, 1800] {
                assert_eq!(unpack(pack((north, east))), (north, east));
            }
        }
    }
}
