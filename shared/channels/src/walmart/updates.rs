//! What Walmart is told.

use serde_json::json;

use super::{Walmart, named, order_at};
use crate::document;
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What};
use crate::vendor::Request;
use crate::{Secret, Unreadable};

/// Acknowledgement, within four hours of an order, and shipping updates, of orders that are acknowledged: one that is not when something leaves of it is
/// first. The app needs Orders. A carrier has the name that Walmart's list has for it (`UPS`, `FedEx`), and no other is taken: where ours differs, the access names it
/// (`carrier:NAME`). What has left is told although the customer has asked for its cancellation meanwhile.
///
/// Walmart gives shipments no name of ours: it is asked first for the order, whose lines have the numbers that they were shipped under. What
/// a line has no unshipped units left for it refuses, so that a shipment which it is still at when it is asked again is made once, or is a task for
/// a person. Left open by its documents: whether two parcels of one line with one number are kept apart.
impl Updates for Walmart {
    fn waits(&self) -> bool {
        true
    }

    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let at = order_at(access, &update.order);
        Ok(match (answers, &update.what) {
            ([], _) => Telling::Ask(named(Request::get(at))),
            ([order], What::Accepted) => Known::of(order)?.acknowledge(&at),
            ([order, said @ ..], What::Sent(shipment)) => {
                let known = Known::of(order)?;
                let waits = known.waits(shipment);
                let is_known = said.is_empty() && shipment.is_among(known.count_like(shipment));
                if is_known || said.len() > usize::from(waits) {
                    return Ok(Telling::Told(()));
                }
                let pieces = match shipment.pieces() {
                    Ok(pieces) => pieces,
                    Err(refused) => return Ok(refused),
                };
                if waits && said.is_empty() {
                    return Ok(acknowledge(&at));
                }
                let tracking = json!({
                    "shipDateTime": shipment.at.as_millisecond(),
                    "carrierName": {"carrier": shipment.carrier_in(access).unwrap_or(&shipment.carrier)},
                    "methodCode": known.method,
                    "trackingNumber": shipment.tracking_number,
                });
                let line = |(id, quantity): (&str, u32)| {
                    let units =
                        json!({"unitOfMeasurement": "EACH", "amount": quantity.to_string()});
                    let status = json!({
                        "status": "Shipped", "statusQuantity": units, "trackingInfo": tracking,
                    });
                    json!({
                        "lineNumber": id,
                        "sellerOrderId": update.reference,
                        "intentToCancelOverride": true,
                        "orderLineStatuses": {"orderLineStatus": [status]},
                    })
                };
                let lines: Vec<serde_json::Value> = pieces.into_iter().map(line).collect();
                let body = json!({"orderShipment": {"orderLines": {"orderLine": lines}}});
                let at = format!("{at}/shipping");
                Telling::Ask(named(Request::json("POST", at, &body)))
            }
            _ => Telling::Told(()),
        })
    }
}

fn acknowledge(at: &str) -> Telling {
    Telling::Ask(named(Request::empty("POST", format!("{at}/acknowledge"))))
}

/// What Walmart knows of an order.
struct Known {
    /// How it is to be shipped.
    method: String,
    /// Of each part of each line: the line's number, the part's status, and the number that it was shipped under.
    parts: Vec<(String, String, String)>,
}

impl Known {
    fn of(answer: &[u8]) -> Result<Self, Unreadable> {
        let faults = Faults::default();
        let mut answer = document::object(answer, &faults)?;
        let mut read = || {
            let mut order = answer.require("order")?.object()?;
            let mut shipping = order.require("shippingInfo")?.object()?;
            let method = shipping.require("methodCode")?.text()?;
            let mut lines = order.require("orderLines")?.object()?;
            let mut parts = Vec::new();
            for mut line in lines.objects("orderLine") {
                let number = line.require("lineNumber")?.digits()?;
                let mut statuses = line.require("orderLineStatuses")?.object()?;
                for mut part in statuses.objects("orderLineStatus") {
                    let status = part.require("status")?.text()?;
                    let tracking = part.inner("trackingInfo");
                    let tracking = tracking.map(|mut info| info.words("trackingNumber"));
                    parts.push((number.clone(), status, tracking.unwrap_or_default()));
                }
            }
            Some(Self { method, parts })
        };
        read().ok_or_else(|| faults.unreadable())
    }

    /// Says that the order has come in, unless it knows. Said again it would take it, but not once something has left.
    fn acknowledge(&self, at: &str) -> Telling {
        let is = |wanted: &str| self.parts.iter().any(|(_, status, _)| status == wanted);
        if is("Created") {
            return acknowledge(at);
        }
        match self
            .parts
            .iter()
            .all(|(_, status, _)| status == "Cancelled")
        {
            true => Telling::Refused("it is not there to be acknowledged".into()),
            false => Telling::Told(()),
        }
    }

    /// How many shipments like this one it knows: as many as the line has that has the most.
    fn count_like(&self, shipment: &Shipment) -> usize {
        let of_line = |own: &str| {
            let parts = self.parts.iter();
            let like = parts
                .filter(|(line, _, number)| line == own && *number == shipment.tracking_number);
            like.count()
        };
        let counts = shipment.lines.iter().map(|(line, _)| of_line(line));
        counts.max().unwrap_or(0)
    }

    /// Whether something of this has still to be acknowledged.
    fn waits(&self, shipment: &Shipment) -> bool {
        let own = |line: &String| shipment.lines.iter().any(|(own, _)| own == line);
        let mut parts = self.parts.iter();
        parts.any(|(line, status, _)| status == "Created" && own(line))
    }
}
