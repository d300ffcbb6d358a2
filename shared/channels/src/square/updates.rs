//! What Square is told.

use domain::id::derived;
use serde_json::{Value as Json, json};

use super::{SQUARE, Square};
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// The fulfillments of an order (`ORDERS_WRITE`), each of which is completed as a whole, with one carrier and number: those of which all has left
/// with this, or, when the last of the order leaves, all that are open. Of what leaves before that a person is told, and of a second
/// parcel of one fulfillment: Square has no room for it. A carrier has the name that it has here, or the access names it
/// (`carrier:NAME`).
///
/// What is said is for the version of the order that was looked at, and has a name (`idempotency_key`): said again it is done once, and
/// what is completed is found so. An order that was not made by an application has no version, and cannot be told of.
impl Updates for Square {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("Square"));
        };
        let (url, id) = (vendor::base(access, SQUARE), vendor::encode(&update.order));
        let at = format!("{url}/v2/orders/{id}");
        let order = match answers {
            [] => return Ok(Telling::Ask(Request::get(at))),
            [order] => order,
            _ => return Ok(Telling::Told(())),
        };
        let faults = Faults::default();
        let mut answer = document::object(order, &faults)?;
        let Some(mut order) = answer.require("order").and_then(|order| order.object()) else {
            return Err(faults.unreadable());
        };
        let mut completed = Vec::new();
        for mut known in order.objects("fulfillments") {
            let state = known.words("state");
            let details = known.inner("shipment_details");
            let number = details.map(|mut details| details.words("tracking_number"));
            let is_ours = number.as_ref() == Some(&shipment.tracking_number);
            if state == "COMPLETED" && is_ours {
                return Ok(Telling::Told(()));
            }
            let is_open = matches!(state.as_str(), "PROPOSED" | "RESERVED" | "PREPARED");
            let is_sent = known.words("type") == "SHIPMENT" && is_open;
            if is_sent && (shipment.completes || is_all_of(&mut known, shipment)) {
                let Some(uid) = known.require("uid").and_then(|uid| uid.text()) else {
                    return Err(faults.unreadable());
                };
                completed.push(json!({
                    "uid": uid,
                    "state": "COMPLETED",
                    "shipment_details": {
                        "carrier": shipment.carrier_in(access).unwrap_or(&shipment.carrier),
                        "tracking_number": shipment.tracking_number,
                    },
                }));
            }
        }
        if completed.is_empty() {
            let why = "it has no open fulfillment of which all has left with this";
            return Ok(Telling::Refused(why.into()));
        }
        let Some(version) = order.take("version").and_then(|version| version.integer()) else {
            return Ok(Telling::Refused("the order has no version there".into()));
        };
        let Some(location) = order.require("location_id").and_then(|id| id.text()) else {
            return Err(faults.unreadable());
        };
        let key = derived(&[&update.key, &version.to_string()]);
        let order = json!({
            "location_id": location, "version": version, "fulfillments": Json::from(completed),
        });
        let body = json!({"order": order, "idempotency_key": key});
        Ok(Telling::Ask(Request::json("PUT", at, &body)))
    }
}

/// Whether all of a fulfillment is in a shipment. One that does not list its lines has all of the order.
fn is_all_of(fulfillment: &mut Object<'_>, shipment: &Shipment) -> bool {
    let mut entries = fulfillment.objects("entries").into_iter().peekable();
    entries.peek().is_some()
        && entries.all(|mut entry| {
            let line = entry.words("line_item_uid");
            let quantity = entry.units("quantity");
            let sent = shipment.lines.iter().find(|(own, _)| *own == line);
            sent.is_some_and(|(_, sent)| quantity.without(*sent).is_zero())
        })
}
