//! What WooCommerce is told.

use serde_json::json;

use super::WooCommerce;
use crate::document;
use crate::faults::Faults;
use crate::updates::{Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Without extensions WooCommerce has no shipments: each is a custom field of the order, `waybill_shipment_N`, which says
/// carrier, number and lines, and with the last of them an order that was being processed is completed, which is what the
/// shop writes to the customer by. (The fulfillments that newer versions can be made to have are not used: shops
/// have them only if somebody has switched them on.) The key needs the right to write.
///
/// A field of this name is replaced by itself, so that nothing is repeated however often it is told; a shop where it
/// is there already is left as it is.
impl Updates for WooCommerce {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("WooCommerce"));
        };
        let (url, id) = (vendor::base(access, ""), vendor::encode(&update.order));
        let at = format!("{url}/wp-json/wc/v3/orders/{id}");
        let field = format!("waybill_shipment_{}", shipment.n);
        Ok(match answers {
            [] => Telling::Ask(Request::get(format!("{at}?_fields=id,status,meta_data"))),
            [order] => {
                let faults = Faults::default();
                let mut order = document::object(order, &faults)?;
                let Some(status) = order.require("status").and_then(|status| status.text()) else {
                    return Err(faults.unreadable());
                };
                let mut fields = order.objects("meta_data").into_iter();
                if fields.any(|mut known| known.words("key") == field) {
                    return Ok(Telling::Told(()));
                }
                let line = |(id, quantity): &_| format!("line {id}: {quantity}");
                let lines: Vec<String> = shipment.lines.iter().map(line).collect();
                let (carrier, number) = (&shipment.carrier, &shipment.tracking_number);
                let says = format!("{carrier} {number} ({})", lines.join(", "));
                let mut body = json!({"meta_data": [{"key": field, "value": says}]});
                if shipment.completes && status == "processing" {
                    body["status"] = "completed".into();
                }
                Telling::Ask(Request::json("PUT", at, &body))
            }
            _ => Telling::Told(()),
        })
    }
}
