//! How times, numbers and names are written on pages.

use jiff::Timestamp;
use minijinja::{Environment, Error, ErrorKind};

pub(super) fn add(templates: &mut Environment<'static>) {
    templates.add_filter("ago", ago);
    templates.add_filter("utc", utc);
    templates.add_filter("words", words);
    templates.add_filter("units", units);
    templates.add_filter("find", find);
}

fn parse(time: &str) -> Result<Timestamp, Error> {
    time.parse().map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "a time cannot be read").with_source(error)
    })
}

/// How long ago: `12 s ago`, `3 d ago`; `in 5 min` for times to come.
fn ago(time: &str) -> Result<String, Error> {
    let seconds = Timestamp::now().as_second() - parse(time)?.as_second();
    let age = span(seconds.unsigned_abs());
    Ok(match seconds {
        0 => "now".to_owned(),
        1.. => format!("{age} ago"),
        _ => format!("in {age}"),
    })
}

/// A time in seconds, in its largest whole unit.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A point in time, to the second: `2026-03-01 12:30:00`.
fn utc(time: &str) -> Result<String, Error> {
    Ok(parse(time)?.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A name of the API's as words: `partially_shipped` is `partially shipped`.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Capacity units: whole, or with one decimal place.
fn units(units: f64) -> String {
    match units.fract() == 0.0 {
        true => format!("{units:.0}"),
        false => format!("{units:.1}"),
    }
}

/// The address of the orders that a text finds.
fn find(text: &str) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix("/?".to_owned(), 2);
    query.append_pair("q", text);
    query.finish()
}
