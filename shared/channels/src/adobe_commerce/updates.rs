//! What Adobe Commerce and Magento are told.

use serde_json::json;

use super::{AdobeCommerce, by_number, the_one};
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Shipments of the REST API (`POST /V1/order/{id}/ship`), which knows orders by another id than their number. The
/// integration needs Sales / Operations / Orders with Ship, and Shipments. A carrier that the access does not
/// name (`carrier:NAME`) is `custom`, with its name as title. The customer is not written to by the shop.
///
/// The shop gives shipments no name of ours: it is asked first for those of the order. What is left is that a shipment
/// which the shop is still at when it is asked again, a minute after its time-out, is made twice.
impl Updates for AdobeCommerce {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("Adobe Commerce"));
        };
        let url = vendor::base(access, "");
        let Some((found, rest)) = answers.split_first() else {
            return Ok(Telling::Ask(by_number(access, &update.order)));
        };
        let faults = Faults::default();
        let Some(order) = the_one(found)? else {
            return Ok(Telling::Refused("there is no such order".into()));
        };
        let order = document::object(&order, &faults)?.require("entity_id");
        let Some(order) = order.and_then(|id| id.digits()) else {
            return Err(faults.unreadable());
        };
        Ok(match rest {
            [] => {
                let query = vendor::query(&[
                    (
                        "searchCriteria[filter_groups][0][filters][0][field]",
                        "order_id",
                    ),
                    (
                        "searchCriteria[filter_groups][0][filters][0][value]",
                        &order,
                    ),
                    (
                        "searchCriteria[filter_groups][0][filters][0][condition_type]",
                        "eq",
                    ),
                    (
                        "fields",
                        "items[items[order_item_id],tracks[track_number]],total_count",
                    ),
                ]);
                Telling::Ask(Request::get(format!("{url}/rest/V1/shipments?{query}")))
            }
            [shipments] => {
                let mut shipments = document::object(shipments, &faults)?;
                if !shipments.has("total_count") {
                    shipments.require("total_count");
                    return Err(faults.unreadable());
                }
                let known = shipments.objects("items").into_iter();
                if shipment.is_among(known.filter_map(is_like(shipment)).count()) {
                    return Ok(Telling::Told(()));
                }
                let item = |(id, quantity): &(String, domain::Quantity)| json!({"order_item_id": id, "qty": quantity});
                let items: Vec<serde_json::Value> = shipment.lines.iter().map(item).collect();
                let body = json!({
                    "items": items,
                    "notify": false,
                    "tracks": [{
                        "track_number": shipment.tracking_number,
                        "title": shipment.carrier,
                        "carrier_code": shipment.carrier_in(access).unwrap_or("custom"),
                    }],
                });
                let at = format!("{url}/rest/V1/order/{}/ship", vendor::encode(&order));
                Telling::Ask(Request::json("POST", at, &body))
            }
            _ => Telling::Told(()),
        })
    }
}

fn is_like(shipment: &Shipment) -> impl Fn(Object<'_>) -> Option<()> {
    |mut known| {
        let lines: Vec<String> = known
            .objects("items")
            .into_iter()
            .filter_map(|mut line| line.take("order_item_id")?.digits())
            .collect();
        let mut tracks = known.objects("tracks").into_iter();
        let is = tracks.any(|mut track| shipment.is_like(&track.words("track_number"), &lines));
        is.then_some(())
    }
}
