//! One row of a GeoNames postal code file.

use std::fmt;

use domain::geo::{is_country, point, postal_area};
use domain::limits::{MAX_POSTAL_CHARS, MAX_POSTAL_ROW_BYTES};
use store::PostalCode;

/// The columns of a row: country, code, place, three regions with their codes, latitude, longitude,
/// accuracy.
const COLUMNS: usize = 12;
const COUNTRY: usize = 0;
const CODE: usize = 1;
const LATITUDE: usize = 9;
const LONGITUDE: usize = 10;
/// Characters of what was found that a report shows.
const SHOWN: usize = 40;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The column, from 1, and what should be in it; `None` if it is the row as a whole.
    pub column: Option<(usize, &'static str)>,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((column, name)) = self.column {
            write!(f, "column {column} ({name}): ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// Reads a row, without its line break.
pub fn read(row: &[u8]) -> Result<PostalCode, Broken> {
    let whole = |expected: &str, found: String| Broken {
        column: None,
        expected: expected.into(),
        found,
    };
    if row.len() > MAX_POSTAL_ROW_BYTES {
        let expected = format!("a row of at most {MAX_POSTAL_ROW_BYTES} bytes");
        return Err(whole(&expected, "more".into()));
    }
    let row = std::str::from_utf8(row).map_err(|error| {
        let found = format!("another byte after {} bytes", error.valid_up_to());
        whole("UTF-8", found)
    })?;
    let columns: Vec<&str> = row.split('\t').collect();
    if columns.len() != COLUMNS {
        let found = columns.len().to_string();
        return Err(whole("12 columns divided by tabs", found));
    }
    let wrong = |place: usize, name: &'static str, expected: String| {
        let shown: String = columns[place].chars().take(SHOWN).collect();
        Broken {
            column: Some((place + 1, name)),
            expected,
            found: format!("{shown:?}"),
        }
    };
    let country = columns[COUNTRY];
    if !is_country(country) {
        let expected = "an ISO 3166-1 alpha-2 country code".into();
        return Err(wrong(COUNTRY, "country", expected));
    }
    let area = postal_area(country, columns[CODE]).ok_or_else(|| {
        let expected = format!("1 to {MAX_POSTAL_CHARS} letters and digits");
        wrong(CODE, "postal code", expected)
    })?;
    let degrees = |place: usize, name, limit: f64| {
        let degrees = columns[place].trim().parse::<f64>().ok();
        degrees
            .filter(|d| d.abs() <= limit)
            .ok_or_else(|| wrong(place, name, format!("degrees from -{limit} to {limit}")))
    };
    let (north, east) = (
        degrees(LATITUDE, "latitude", 90.0)?,
        degrees(LONGITUDE, "longitude", 180.0)?,
    );
    let point =
        point(north, east).ok_or_else(|| wrong(LATITUDE, "latitude", "a place on earth".into()))?;
    Ok(PostalCode {
        country: country.into(),
        area,
        point,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str =
        "DE\t22765\tHamburg\tHamburg\tHH\t\t\tKreisfreie Stadt\t02000\t53.5573\t9.9356\t6";

    fn with(place: usize, text: &str) -> String {
        let mut columns: Vec<&str> = ROW.split('\t').collect();
        columns[place] = text;
        columns.join("\t")
    }

    #[test]
    fn a_row_is_a_code_and_its_place() {
        let read = read(ROW.as_bytes()).unwrap();
        assert_eq!((read.country.as_str(), read.area.as_str()), ("DE", "22765"));
        assert_eq!(read.point, (536, 99));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_column() {
        for (row, told) in [
            (
                with(0, "de"),
                r#"column 1 (country): expected an ISO 3166-1 alpha-2 country code, found "de""#,
            ),
            (
                with(1, " - "),
                r#"column 2 (postal code): expected 1 to 20 letters and digits, found " - ""#,
            ),
            (
                with(9, "north"),
                r#"column 10 (latitude): expected degrees from -90 to 90, found "north""#,
            ),
            (
                with(9, "90.1"),
                r#"column 10 (latitude): expected degrees from -90 to 90, found "90.1""#,
            ),
            (
                with(10, ""),
                r#"column 11 (longitude): expected degrees from -180 to 180, found """#,
            ),
            (
                with(10, "NaN"),
                r#"column 11 (longitude): expected degrees from -180 to 180, found "NaN""#,
            ),
            (
                String::new(),
                "expected 12 columns divided by tabs, found 1",
            ),
            (
                format!("{ROW}\t"),
                "expected 12 columns divided by tabs, found 13",
            ),
        ] {
            assert_eq!(read(row.as_bytes()).unwrap_err().to_string(), told);
        }
        let latin = ROW.replace("Hamburg", "K\u{f6}ln").replace('\u{f6}', "?");
        let latin: Vec<u8> = latin
            .bytes()
            .map(|b| if b == b'?' { 0xf6 } else { b })
            .collect();
        let told = read(&latin).unwrap_err().to_string();
        assert_eq!(told, "expected UTF-8, found another byte after 10 bytes");
    }

    #[test]
    fn a_row_has_an_end() {
        let filled = |bytes: usize| with(2, &"x".repeat(bytes - ROW.len() + "Hamburg".len()));
        assert!(read(filled(MAX_POSTAL_ROW_BYTES).as_bytes()).is_ok());
        let told = read(filled(MAX_POSTAL_ROW_BYTES + 1).as_bytes()).unwrap_err();
        assert_eq!(
            told.to_string(),
            "expected a row of at most 4096 bytes, found more"
        );
    }
}
