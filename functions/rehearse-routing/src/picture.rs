//! Before and after in a picture: two bars for each figure.

use std::fmt::Write;

use crate::{Side, per};

const WIDTH: u32 = 640;
const ROW: u32 = 64;
const LEFT: u32 = 190;
const BAR: u32 = 330;
const BEFORE: &str = "#9aa5b1";
const AFTER: &str = "#1f6feb";

/// A figure: what it is, before, after, and its unit.
type Figure = (&'static str, f64, f64, String);

/// An SVG of the figures, as wide as a page of text.
pub fn draw(before: &Side, after: &Side) -> String {
    let (was, is) = (&before.sum, &after.sum);
    let mut figures: Vec<Figure> = vec![
        (
            "shipments an order",
            per(was.shipments.into(), was.sent),
            per(is.shipments.into(), is.sent),
            String::new(),
        ),
        (
            "orders split",
            per(u64::from(was.split) * 100, was.sent),
            per(u64::from(is.split) * 100, is.sent),
            " %".into(),
        ),
        (
            "promises kept",
            per(u64::from(was.kept) * 100, was.shipments),
            per(u64::from(is.kept) * 100, is.shipments),
            " %".into(),
        ),
        (
            "distance an order",
            per(was.metres / 1_000, was.sent),
            per(is.metres / 1_000, is.sent),
            " km".into(),
        ),
        (
            "units missing",
            was.missing.into(),
            is.missing.into(),
            String::new(),
        ),
    ];
    if let (Some((was, currency)), Some((is, _))) = (before.cost(), after.cost()) {
        let scale = 10_f64.powi(currency.exponent() as i32);
        let unit = format!(" {}", currency.code());
        figures.push((
            "carriers, an order",
            was as f64 / scale,
            is as f64 / scale,
            unit,
        ));
    }
    let height = 56 + ROW * figures.len() as u32;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="14"><rect width="100%" height="100%" fill="#fff"/><text x="16" y="30" font-weight="600">{} orders, before and after</text><rect x="430" y="19" width="12" height="12" fill="{BEFORE}"/><text x="448" y="30">before</text><rect x="520" y="19" width="12" height="12" fill="{AFTER}"/><text x="538" y="30">after</text>"##,
        was.orders
    );
    for (n, (name, was, is, unit)) in figures.iter().enumerate() {
        let y = 56 + ROW * n as u32;
        let most = was.max(*is).max(f64::MIN_POSITIVE);
        let drawn = write!(svg, r#"<text x="16" y="{}">{name}</text>"#, y + 24).and_then(|()| {
            [(*was, BEFORE, 4), (*is, AFTER, 26)].into_iter().try_for_each(|(value, color, down)| {
                let width = (value / most * f64::from(BAR)).round();
                let top = y + down;
                write!(
                    svg,
                    r#"<rect x="{LEFT}" y="{top}" width="{width}" height="18" rx="2" fill="{color}"/><text x="{}" y="{}">{value}{unit}</text>"#,
                    f64::from(LEFT) + width + 8.0,
                    top + 14
                )
            })
        });
        // Writing to a text cannot fail.
        debug_assert!(drawn.is_ok());
    }
    svg.push_str("</svg>");
    svg
}
