//! Places whose coordinates everybody can look up, against the table.

use domain::geo::distance_km;
use domain::order::{Address, LocatedBy};
use places::locate;

fn address(country: &str, postal_code: &str, city: &str, region: &str) -> Address {
    Address {
        country: country.into(),
        postal_code: postal_code.into(),
        city: city.into(),
        region: region.into(),
        ..Address::default()
    }
}

/// Asserts that an address is found within some kilometres: a tenth of a degree is up to 11 km, half
/// of that either way, and the middle of a code or a city is no single point.
fn near(address: &Address, by: LocatedBy, (north, east): (f64, f64)) {
    const WITHIN_KM: f64 = 18.0;
    let found = locate(address);
    assert_eq!(found.map(|found| found.by), Some(by), "{address:?}");
    let (n, e) = found.map_or((0, 0), |found| found.point);
    let there = (f64::from(n) / 10.0, f64::from(e) / 10.0);
    let km = distance_km((north, east), there);
    assert!(km <= WITHIN_KM, "{km} km off: {address:?}");
}

#[test]
fn american_postal_codes_are_where_they_are() {
    for (code, degrees) in [
        ("10001", (40.7506, -73.9972)),
        ("90210", (34.1030, -118.4105)),
        ("60601", (41.8858, -87.6229)),
        ("98122", (47.6116, -122.3056)),
        ("33139", (25.7873, -80.1564)),
        ("02108-1234", (42.3576, -71.0652)),
        ("73301", (30.2672, -97.7431)),
        ("99501", (61.2116, -149.8761)),
        ("96813", (21.3144, -157.8479)),
        ("00901", (18.4655, -66.1057)),
        ("37219", (36.1667, -86.7833)),
        ("70112", (29.9566, -90.0767)),
    ] {
        near(&address("US", code, "", ""), LocatedBy::PostalCode, degrees);
    }
}

#[test]
fn cities_are_where_they_are_however_they_are_written() {
    for (country, city, degrees) in [
        ("DE", "Hamburg", (53.55, 9.99)),
        ("DE", "München", (48.137, 11.575)),
        ("DE", "MUENCHEN", (48.137, 11.575)),
        ("DE", "Köln", (50.938, 6.96)),
        ("DE", "Koeln", (50.938, 6.96)),
        ("DE", "Frankfurt am Main", (50.11, 8.68)),
        ("AT", "Wien", (48.208, 16.373)),
        ("CH", "Zürich", (47.377, 8.54)),
        ("FR", "Saint-Étienne", (45.44, 4.387)),
        ("FR", "paris", (48.857, 2.352)),
        ("IT", "Roma", (41.893, 12.483)),
        ("GB", "London", (51.507, -0.128)),
        ("DK", "København", (55.676, 12.568)),
        ("PL", "Łódź", (51.77, 19.46)),
        ("BR", "São Paulo", (-23.55, -46.633)),
        ("JP", "Tokyo", (35.69, 139.692)),
        ("JP", "Osaka", (34.694, 135.502)),
        ("AU", "Sydney", (-33.869, 151.209)),
        ("NZ", "Auckland", (-36.848, 174.763)),
        ("AR", "Buenos Aires", (-34.604, -58.382)),
    ] {
        near(&address(country, "", city, ""), LocatedBy::City, degrees);
    }
}

#[test]
fn a_name_that_a_country_has_several_times_needs_its_region() {
    assert_eq!(locate(&address("US", "", "Portland", "")), None);
    assert_eq!(locate(&address("US", "", "Portland", "Atlantis")), None);
    for (region, degrees) in [
        ("OR", (45.52, -122.68)),
        ("Oregon", (45.52, -122.68)),
        ("maine", (43.66, -70.26)),
        ("ME", (43.66, -70.26)),
    ] {
        near(
            &address("US", "", "Portland", region),
            LocatedBy::City,
            degrees,
        );
    }
    assert_eq!(locate(&address("DE", "", "Essen", "")), None);
    let essen = (51.4566, 7.0123);
    for region in ["Nordrhein-Westfalen", "NW", "North Rhine-Westphalia"] {
        near(&address("DE", "", "Essen", region), LocatedBy::City, essen);
    }
}

#[test]
fn a_code_that_is_none_leaves_it_to_the_city() {
    for code in ["", "0", "00000", "ABCDE", "10#01"] {
        let to = address("US", code, "Seattle", "WA");
        near(&to, LocatedBy::City, (47.606, -122.332));
    }
    // Codes of the forces abroad have no place, and other countries' codes are not American.
    assert_eq!(locate(&address("US", "09002", "APO", "AE")), None);
    near(
        &address("DE", "90210", "Hamburg", ""),
        LocatedBy::City,
        (53.55, 9.99),
    );
}

#[test]
fn what_is_nowhere_is_not_found() {
    for (country, city) in [
        ("DE", ""),
        ("DE", "Entenhausen"),
        ("JP", "東京"),
        ("US", "\0"),
        ("", "Hamburg"),
        ("ZZ", "Hamburg"),
    ] {
        assert_eq!(locate(&address(country, "", city, "")), None, "{city}");
    }
    let long = "x".repeat(500);
    assert_eq!(locate(&address("DE", &long, &long, &long)), None);
}
