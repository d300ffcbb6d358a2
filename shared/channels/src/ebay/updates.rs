//! What eBay is told.

use serde_json::json;

use super::{EBAY, Ebay};
use crate::document::{self, elements};
use crate::faults::Faults;
use crate::updates::{Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Shipping fulfillments of the Fulfillment API; the app needs the scope `sell.fulfillment`. A number is given
/// without what is no letter or digit, as eBay takes no other. A carrier has the name that eBay has for it (`USPS`,
/// `DHL`); where ours differs, the access names it (`carrier:NAME`).
///
/// eBay gives fulfillments no name of ours: it is asked first for those of the order. What is left is that one which it
/// is still at when it is asked again, a minute after its time-out, is made twice.
impl Updates for Ebay {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("eBay"));
        };
        let (url, id) = (vendor::base(access, EBAY), vendor::encode(&update.order));
        let at = format!("{url}/sell/fulfillment/v1/order/{id}/shipping_fulfillment");
        let mut shipment = shipment.clone();
        shipment
            .tracking_number
            .retain(|c| c.is_ascii_alphanumeric());
        Ok(match answers {
            [] => Telling::Ask(Request::get(at)),
            [known] => {
                let faults = Faults::default();
                if !document::object(known, &faults)?.has("fulfillments") {
                    document::object(known, &faults)?.require("fulfillments");
                    return Err(faults.unreadable());
                }
                let mut like = 0;
                for known in elements(known, "fulfillments")? {
                    let mut known = document::object(known, &faults)?;
                    let lines = known.objects("lineItems").into_iter();
                    let lines = lines.filter_map(|mut line| line.take("lineItemId")?.digits());
                    let lines: Vec<String> = lines.collect();
                    let number = known.words("shipmentTrackingNumber");
                    like += usize::from(shipment.is_like(&number, &lines));
                }
                if shipment.is_among(like) {
                    return Ok(Telling::Told(()));
                }
                let pieces = match shipment.pieces() {
                    Ok(pieces) => pieces,
                    Err(refused) => return Ok(refused),
                };
                let line = |(id, quantity)| json!({"lineItemId": id, "quantity": quantity});
                let lines: Vec<serde_json::Value> = pieces.into_iter().map(line).collect();
                let body = json!({
                    "lineItems": lines,
                    "shippedDate": shipment.at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
                    "shippingCarrierCode": shipment.carrier_in(access).unwrap_or(&shipment.carrier),
                    "trackingNumber": shipment.tracking_number,
                });
                Telling::Ask(Request::json("POST", at, &body))
            }
            _ => Telling::Told(()),
        })
    }
}
