//! What Shopify says of goods that a customer sends back.

use domain::change::LineUnits;
use domain::intake::ChannelReturn;
use domain::limits::{MAX_LINES_PER_COMMIT, MAX_NAME_CHARS};

use super::exact_id;
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::{Said, Unreadable};

/// A return as it stands: the topic is not signed, its `status` is. One that waits for the shop's consent, or has none,
/// brings nothing; and one that is closed may still be on its way.
pub(super) fn webhook(raw_body: &[u8]) -> Result<Said, Unreadable> {
    let faults = Faults::default();
    let mut said = document::object(raw_body, &faults)?;
    let status = said.require("status").and_then(|status| status.text());
    let cancelled = match status.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("open") => false,
        Some("canceled" | "cancelled") => true,
        Some("requested") => {
            return Ok(Said::Nothing(
                "a customer wants to send goods back: whether they may is decided in the shop",
            ));
        }
        Some(_) => return Ok(Said::Nothing("it announces no goods")),
        None => return Err(faults.unreadable()),
    };
    let order = said.require("order").and_then(|order| order.object());
    let order = order.and_then(|mut order| exact_id(&mut order));
    let id = exact_id(&mut said).filter(|id| {
        let short = id.len() <= MAX_NAME_CHARS;
        if !short {
            let detail = format!("expected at most {MAX_NAME_CHARS} characters");
            faults.add("/id", detail);
        }
        short
    });
    let lines = match cancelled {
        true => Some(Vec::new()),
        false => lines(&mut said, &faults),
    };
    match (order, id, lines) {
        (Some(order), Some(id), Some(lines)) => {
            let said = ChannelReturn {
                id,
                cancelled,
                lines,
            };
            Ok(Said::Returning(order, said))
        }
        _ => Err(faults.unreadable()),
    }
}

/// What comes back. Half of it read would be goods that nobody expects.
fn lines(said: &mut Object<'_>, faults: &Faults) -> Option<Vec<LineUnits>> {
    let lines = said.objects("return_line_items");
    // As many as can be taken in at once.
    if !(1..=MAX_LINES_PER_COMMIT).contains(&lines.len()) {
        let found = lines.len();
        let detail = format!("expected 1 to {MAX_LINES_PER_COMMIT} lines, found {found}");
        faults.add("/return_line_items", detail);
        return None;
    }
    let line = |mut line: Object<'_>| {
        let quantity = line.require("quantity")?.units()?;
        let sent = line.require("fulfillment_line_item")?.object();
        let sold = sent?.require("line_item")?.object();
        Some((exact_id(&mut sold?)?, quantity))
    };
    lines.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shopify::Shopify;
    use crate::testing::sent;

    const LINE: &str = r#"{"id": 5, "fulfillment_line_item": {"id": 6, "line_item": {"id": 11,
        "admin_graphql_api_id": "gid://shopify/LineItem/11"}}, "quantity": 2, "return_reason": "unwanted"}"#;

    fn said_of(id: &str, status: &str, lines: &[&str]) -> Result<Said, Unreadable> {
        let lines = lines.join(",");
        let body = format!(
            r#"{{"id": {id}, "status": "{status}", "order": {{"id": 71,
                "admin_graphql_api_id": "gid://shopify/Order/71"}}, "return_line_items": [{lines}]}}"#
        );
        let delivery = sent(body).header("x-shopify-topic", "returns/approve");
        delivery.read(&Shopify)
    }

    fn faults(said: Result<Said, Unreadable>) -> Vec<String> {
        match said {
            Err(Unreadable::Problems(problems)) => {
                problems.into_iter().map(|fault| fault.pointer).collect()
            }
            other => panic!("expected problems, found {other:?}"),
        }
    }

    #[test]
    fn what_comes_back_is_announced_once_the_shop_consents() {
        let Ok(Said::Returning(order, said)) = said_of("9", "open", &[LINE]) else {
            panic!("expected a return");
        };
        assert_eq!((order.as_str(), said.id.as_str()), ("71", "9"));
        assert_eq!(
            (said.cancelled, said.lines),
            (false, vec![("11".into(), 2.into())])
        );
        for status in ["canceled", "cancelled", "CANCELED"] {
            let Ok(Said::Returning(_, said)) = said_of("9", status, &[]) else {
                panic!("expected {status} to call it off");
            };
            assert_eq!((said.cancelled, said.lines), (true, vec![]), "{status}");
        }
        for status in ["requested", "declined", "closed", "another"] {
            let said = said_of("9", status, &[LINE]);
            assert!(matches!(said, Ok(Said::Nothing(_))), "{status}");
        }
    }

    #[test]
    fn half_a_return_is_none() {
        let of = |lines: &[&str]| faults(said_of("9", "open", lines));
        assert_eq!(of(&[]), ["/return_line_items"]);
        let second = |name: &str| format!("/return_line_items/1{name}");
        let sold = || second("/fulfillment_line_item");
        assert_eq!(of(&[LINE, r#"{"quantity": 1}"#]), [sold()]);
        let nothing = r#"{"quantity": 1, "fulfillment_line_item": {"id": 6}}"#;
        assert_eq!(of(&[LINE, nothing]), [sold() + "/line_item"]);
        let some = LINE.replace("2,", r#""some","#);
        assert_eq!(of(&[LINE, &some]), [second("/quantity")]);
    }

    #[test]
    fn lines_and_names_have_an_end() {
        let many = |n: usize| said_of("9", "open", &vec![LINE; n]);
        assert!(many(MAX_LINES_PER_COMMIT).is_ok());
        assert_eq!(
            faults(many(MAX_LINES_PER_COMMIT + 1)),
            ["/return_line_items"]
        );
        let named = |n: usize| said_of(&format!("\"{}\"", "9".repeat(n)), "open", &[LINE]);
        assert!(named(MAX_NAME_CHARS).is_ok());
        assert_eq!(faults(named(MAX_NAME_CHARS + 1)), ["/id"]);
    }
}
