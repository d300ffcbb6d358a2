//! From template and facts to mail.

use std::sync::LazyLock;

use domain::order::{Address, Contact};
use domain::{Order, Quantity};
use jiff::civil::Date;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, UndefinedBehavior, escape_formatter};

use crate::Mail;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../templates/", $name)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "cancelled.html",
    "cancelled.txt",
    "confirmed.html",
    "confirmed.txt",
    "layout.html",
    "layout.txt",
    "parts.html",
    "pick.html",
    "pick.txt",
    "refunded.html",
    "refunded.txt",
    "restock.html",
    "restock.txt",
    "shipped.html",
    "shipped.txt",
    "stock.html",
    "stock.txt",
    "stop.html",
    "stop.txt",
];

/// Templates are compiled when they are first used: a function that sends two kinds of mail does
/// not wait for the others.
static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_loader(|wanted| {
        let found = TEMPLATES.iter().find(|(name, _)| *name == wanted);
        Ok(found.map(|(_, source)| (*source).to_owned()))
    });
    environment.set_formatter(|out, state, value| match value.as_str() {
        // Nobody's name or address may add a line to a message or a header.
        Some(text) if !value.is_safe() && text.contains(char::is_control) => {
            let line = text.replace(char::is_control, " ");
            escape_formatter(out, state, &Value::from(line))
        }
        _ => escape_formatter(out, state, value),
    });
    Ok(environment)
});

/// The mail that the templates `name` make of `facts`; the text one also has the subject.
pub(crate) fn mail(name: &str, facts: Value) -> Result<Mail, Error> {
    let environment = ENVIRONMENT.as_ref().map_err(|error| {
        Error::new(
            error.kind(),
            "the templates' syntax is not configured soundly",
        )
    })?;
    let html = environment.get_template(&format!("{name}.html"))?;
    let text = environment.get_template(&format!("{name}.txt"))?;
    let mut text = text.render_captured(facts.clone())?;
    Ok(Mail {
        subject: text.with_state_mut(|state| state.render_block("subject"))?,
        html: html.render(facts)?,
        text: text.into_output(),
    })
}

/// A day as people write it: `Tue, 24 November 2026`.
pub(crate) fn long_date(day: Date) -> String {
    day.strftime("%a, %-d %B %Y").to_string()
}

/// A day for a subject: `24 November`.
pub(crate) fn short_date(day: Date) -> String {
    day.strftime("%-d %B").to_string()
}

/// A weight as people write it: `640 g`, `1.18 kg`.
pub(crate) fn weight(grams: u64) -> String {
    match (grams / 1000, grams % 1000) {
        (0, grams) => format!("{grams} g"),
        (kilograms, 0) => format!("{kilograms} kg"),
        (kilograms, rest) => {
            let digits = format!("{rest:03}");
            format!("{kilograms}.{} kg", digits.trim_end_matches('0'))
        }
    }
}

/// `1 unit`, `3 units`.
pub(crate) fn count(units: Quantity, one: &str) -> String {
    match units == 1.into() {
        true => format!("1 {one}"),
        false => format!("{units} {one}s"),
    }
}

/// What a country is called; its code, if it has no name in ISO 3166-1.
pub(crate) fn country(code: &str) -> &str {
    domain::geo::country_name(code)
}

/// The lines of an address.
pub(crate) fn address_lines(address: &Address) -> Value {
    let join = |left: &str, between: &str, right: &str| match (left, right) {
        ("", only) | (only, "") => only.to_owned(),
        (left, right) => format!("{left}{between}{right}"),
    };
    let city = join(&address.city, ", ", &address.region);
    let city = match address.country.as_str() {
        "US" | "CA" | "AU" | "GB" | "JP" => join(&city, " ", &address.postal_code),
        _ => join(&address.postal_code, " ", &city),
    };
    let lines = [
        address.name.as_str(),
        address.company.as_str(),
        address.line1.as_str(),
        address.line2.as_str(),
        city.as_str(),
        country(&address.country),
    ];
    lines
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(Value::from)
        .collect()
}

/// What the line at a place is called.
pub(crate) fn title<'a>(order: &'a Order, contact: &'a Contact, place: u16) -> &'a str {
    let line = order.line(place);
    let title = contact.titles.get(usize::from(place)).map(String::as_str);
    let title = title.filter(|title| !title.is_empty());
    title.or(line.sku.as_deref()).unwrap_or(&line.id)
}
