//! What Wix is told.

use serde_json::json;

use super::Wix;
use super::api::WIX;
use crate::document;
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Order fulfillments (v1) of whole pieces; the app needs Manage Orders, and the order has to be approved. Wix links the numbers of `fedex`, `ups`,
/// `usps`, `dhl` and `canadaPost`: where ours is called otherwise, the access names it (`carrier:NAME`). The site writes
/// to the customer as it is set up to. Left open by its documents: whether of another carrier a link may be missing, as the schema has it, or not,
/// as the text beside it does; refused, it is for a person.
///
/// Wix gives fulfillments no name of ours: it is asked first for those of the order. What is left is that one which it
/// is still at when it is asked again, a minute after its time-out, is made twice.
impl Updates for Wix {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("Wix"));
        };
        let (url, id) = (vendor::base(access, WIX), vendor::encode(&update.order));
        let at = format!("{url}/ecom/v1/fulfillments/orders/{id}");
        Ok(match answers {
            [] => Telling::Ask(Request::get(at)),
            [known] if is_there(known, shipment)? => Telling::Told(()),
            [_] => {
                let pieces = match shipment.pieces() {
                    Ok(pieces) => pieces,
                    Err(refused) => return Ok(refused),
                };
                let line = |(id, quantity)| json!({"id": id, "quantity": quantity});
                let lines: Vec<serde_json::Value> = pieces.into_iter().map(line).collect();
                let body = json!({"fulfillment": {
                    "lineItems": lines,
                    "trackingInfo": {
                        "trackingNumber": shipment.tracking_number,
                        "shippingProvider": shipment.carrier_in(access).unwrap_or(&shipment.carrier),
                    },
                }});
                Telling::Ask(Request::json(
                    "POST",
                    format!("{at}/create-fulfillment"),
                    &body,
                ))
            }
            _ => Telling::Told(()),
        })
    }
}

fn is_there(known: &[u8], shipment: &Shipment) -> Result<bool, Unreadable> {
    let faults = Faults::default();
    let order = document::object(known, &faults)?.require("orderWithFulfillments");
    let order = order.and_then(|order| order.object());
    let mut order = order.ok_or_else(|| faults.unreadable())?;
    let mut like = 0;
    for mut known in order.objects("fulfillments") {
        let lines = known.objects("lineItems").into_iter();
        let lines = lines.filter_map(|mut line| line.take("id")?.digits());
        let lines: Vec<String> = lines.collect();
        let number = known.inner("trackingInfo");
        let number = number.map_or_else(String::new, |mut info| info.words("trackingNumber"));
        like += usize::from(shipment.is_like(&number, &lines));
    }
    Ok(shipment.is_among(like))
}
