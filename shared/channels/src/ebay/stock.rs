//! What eBay is told that there is.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{EBAY, Ebay};
use crate::document;
use crate::faults::Faults;
use crate::stock::{Available, Refusals, Stock, refused};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// `bulk_update_price_quantity` of the Inventory API, of how much there is for all marketplaces together (`sell.inventory`): a listing that
/// was not made by that API has to be brought into it first, and an offer with a quantity of its own shows the lesser of the
/// two. eBay revises a listing 250 times a day at most, and counts down what it sells by itself.
impl Stock for Ebay {
    fn at_once(&self) -> usize {
        25
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        if let Some(answer) = answers.first() {
            return refusals_in(answer, available);
        }
        let request = |of: &Available| json!({"sku": of.sku, "shipToLocationAvailability": {"quantity": of.quantity}});
        let requests: Vec<Json> = available.iter().map(request).collect();
        let url = vendor::base(access, EBAY);
        let at = format!("{url}/sell/inventory/v1/bulk_update_price_quantity");
        let body = json!({"requests": requests});
        Ok(Telling::Ask(Request::json("POST", at, &body)))
    }
}

/// What is said of each; one that has no time for it now has it later.
fn refusals_in(answer: &[u8], available: &[Available]) -> Result<Telling<Refusals>, Unreadable> {
    let faults = Faults::default();
    let mut answer = document::object(answer, &faults)?;
    let mut refusals = Refusals::new();
    let mut responses = answer.objects("responses");
    for of in available {
        let mut own = responses.iter_mut();
        let own = own.find(|response| {
            let sku = response.peek("sku").and_then(|sku| sku.text());
            sku.as_ref() == Some(&of.sku)
        });
        let status = own.and_then(|own| {
            let status = own.take("statusCode")?.integer()?;
            let error = own.objects("errors").into_iter().next();
            let code = error.and_then(|mut error| error.take("errorId")?.digits());
            Some((status, code.unwrap_or_default()))
        });
        match status {
            Some((200..300, _)) => {}
            Some((429 | 500.., code)) => return Ok(Telling::Again(refused(&code))),
            Some((_, code)) => refusals.push((of.sku.clone(), refused(&code))),
            None => {
                faults.add(
                    "/responses",
                    format!("expected one of each, none of {:?}", of.sku),
                );
                return Err(faults.unreadable());
            }
        }
    }
    Ok(Telling::Told(refusals))
}
