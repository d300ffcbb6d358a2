//! What Etsy is told.

use super::{Etsy, receipt_at};
use crate::document;
use crate::faults::Faults;
use crate::updates::{Telling, Update, Updates, What, no_word};
use crate::vendor::Request;
use crate::{Secret, Unreadable};

/// Tracking of receipts (`transactions_w`). Etsy writes to the customer each time, and counts all of a receipt as sent from the first time on: so it is
/// told when the last of it leaves. Of what left before that a person is told, who can write to the customer, or have it told again
/// then. A carrier has one of Etsy's names (`usps`, `royal-mail`); an access names it (`carrier:NAME`), and without that it is `other`.
///
/// Etsy gives shipments no name of ours: it is asked first for those of the receipt, which have numbers and no lines. What is left is
/// that one which it is still at when it is asked again, a minute after its time-out, is made twice.
impl Updates for Etsy {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("Etsy"));
        };
        let at = receipt_at(access, &update.order);
        Ok(match answers {
            [] => Telling::Ask(Request::get(at)),
            [receipt] => {
                let faults = Faults::default();
                let shipments = document::object(receipt, &faults)?.require("shipments");
                let Some(shipments) = shipments.and_then(|shipments| shipments.list()) else {
                    return Err(faults.unreadable());
                };
                let is_known = shipments.iter().any(|known| {
                    let known = known.object();
                    known.is_some_and(|mut known| {
                        known.words("tracking_code") == shipment.tracking_number
                    })
                });
                if is_known {
                    return Ok(Telling::Told(()));
                }
                if !shipment.completes {
                    let why = "it would count all of the order as sent: tell it once all has left";
                    return Ok(Telling::Refused(why.into()));
                }
                let fields = [
                    ("tracking_code", shipment.tracking_number.as_str()),
                    (
                        "carrier_name",
                        shipment.carrier_in(access).unwrap_or("other"),
                    ),
                ];
                Telling::Ask(Request::form(format!("{at}/tracking"), &fields))
            }
            _ => Telling::Told(()),
        })
    }
}
