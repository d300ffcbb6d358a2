//! What Amazon is told that there is.

use jiff::Timestamp;
use serde_json::json;

use super::Amazon;
use crate::document;
use crate::faults::Faults;
use crate::stock::{Available, Refusals, Stock, refused};
use crate::updates::Telling;
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// `patchListingsItem` of the Listings Items API, one listing after the other, of what the seller sends himself (the app needs the role
/// Product Listing). The access names the seller (`seller_id`), and the first of its `marketplace_ids` is the one that is told. Amazon takes
/// it in and shows it some minutes later; it counts down what it sells by itself.
impl Stock for Amazon {
    /// Five a second are allowed.
    fn at_once(&self) -> usize {
        5
    }

    fn set(
        &self,
        access: &Secret,
        _: &str,
        _: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable> {
        let marketplaces = access.text("marketplace_ids");
        let marketplace = marketplaces.split(',').map(str::trim).next();
        let (Some(seller), Some(marketplace)) = (
            access.part("seller_id"),
            marketplace.filter(|id| !id.is_empty()),
        ) else {
            let why = "the access has no \"seller_id\", or no \"marketplace_ids\"";
            return Ok(Telling::Locked(why.into()));
        };
        if let Some(of) = available.get(answers.len()) {
            let query = vendor::query(&[("marketplaceIds", marketplace)]);
            let (url, sku) = (vendor::base(access, ""), vendor::encode(&of.sku));
            let seller = vendor::encode(seller);
            let at = format!("{url}/listings/2021-08-01/items/{seller}/{sku}?{query}");
            let value = json!([{"fulfillment_channel_code": "DEFAULT", "quantity": of.quantity}]);
            let patch = json!({"op": "merge", "path": "/attributes/fulfillment_availability", "value": value});
            let body = json!({"productType": "PRODUCT", "patches": [patch]});
            return Ok(Telling::Ask(Request::json("PATCH", at, &body)));
        }
        let mut refusals = Refusals::new();
        for (of, answer) in available.iter().zip(answers) {
            let faults = Faults::default();
            let mut answer = document::object(answer, &faults)?;
            let Some(status) = answer.require("status").and_then(|status| status.text()) else {
                return Err(faults.unreadable());
            };
            if !matches!(status.as_str(), "ACCEPTED" | "VALID") {
                let issue = answer.objects("issues").into_iter().next();
                let code = issue.map_or_else(String::new, |mut issue| issue.words("code"));
                refusals.push((of.sku.clone(), refused(&code)));
            }
        }
        Ok(Telling::Told(refusals))
    }
}
