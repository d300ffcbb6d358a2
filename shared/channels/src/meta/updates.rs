//! What Meta is told.

use serde_json::json;

use super::{GRAPH, Meta};
use crate::document;
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// The Acknowledgement and the Fulfillment API. An order that waits to be acknowledged is `CREATED`, and is
/// `IN_PROGRESS` afterwards; a shop that has not been associated with the app (`POST /{cms_id}/order_management_apps`,
/// once) has its orders in progress at once, and is told only of shipments.
///
/// Meta knows a request by its `idempotency_key`, and a shipment by its `external_shipment_id` too, so that nothing is
/// asked before one is told: what it answers to a key that it has seen is not said, and taken for a success if its
/// status is one. For how long it remembers a key is not said either. A carrier has a code of Meta's list, which is
/// like its name in capitals; an access can name another one (`carrier:NAME`).
impl Updates for Meta {
    fn waits(&self) -> bool {
        true
    }

    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let (url, id) = (vendor::base(access, GRAPH), vendor::encode(&update.order));
        let key = ("idempotency_key", update.key.as_str());
        let shipment = match &update.what {
            What::Accepted => {
                let reference = ("merchant_order_reference", update.reference.as_str());
                return Ok(match answers {
                    [] => Telling::Ask(Request::get(format!("{url}/{id}?fields=order_status"))),
                    [order] => match state(order)?.as_str() {
                        "CREATED" => Telling::Ask(Request::form(
                            format!("{url}/{id}/acknowledge_order"),
                            &[key, reference],
                        )),
                        "IN_PROGRESS" | "COMPLETED" => Telling::Told(()),
                        "FB_PROCESSING" => Telling::Again("it is not released yet".into()),
                        _ => Telling::Refused("it is not there to be acknowledged".into()),
                    },
                    _ => Telling::Told(()),
                });
            }
            What::Sent(shipment) => shipment,
        };
        if !answers.is_empty() {
            return Ok(Telling::Told(()));
        }
        let pieces = match shipment.pieces() {
            Ok(pieces) => pieces,
            Err(refused) => return Ok(refused),
        };
        let item = |(id, quantity)| json!({"item_id": id, "quantity": quantity});
        let items: Vec<serde_json::Value> = pieces.into_iter().map(item).collect();
        let tracking = json!({
            "carrier": carrier(access, shipment),
            "tracking_number": shipment.tracking_number,
        });
        let fields = [
            (
                "external_shipment_id",
                &*format!("{}_{}", update.reference, shipment.n),
            ),
            ("items", &*serde_json::Value::from(items).to_string()),
            ("tracking_info", &*tracking.to_string()),
            key,
        ];
        Ok(Telling::Ask(Request::form(
            format!("{url}/{id}/shipments"),
            &fields,
        )))
    }
}

fn state(order: &[u8]) -> Result<String, Unreadable> {
    let faults = Faults::default();
    let mut order = document::object(order, &faults)?;
    let status = order.require("order_status").and_then(|s| s.object());
    let state = status.and_then(|mut status| status.require("state")?.text());
    state.ok_or_else(|| faults.unreadable())
}

/// The carrier's code: `AUSTRALIA_POST` is Australia Post.
fn carrier(access: &Secret, shipment: &Shipment) -> String {
    let name = || {
        let letter = |c: char| match c.is_ascii_alphanumeric() {
            true => c.to_ascii_uppercase(),
            false => '_',
        };
        shipment.carrier.chars().map(letter).collect()
    };
    shipment.carrier_in(access).map_or_else(name, str::to_owned)
}
