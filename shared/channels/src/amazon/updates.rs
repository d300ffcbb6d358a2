//! What Amazon is told.

use serde_json::json;

use super::Amazon;
use crate::updates::{Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// `confirmShipment` of the Orders API (v0, which alone has it); the app needs the role Inventory and Order Tracking. The
/// first of the access's `marketplace_ids` is the one that is told. A carrier that the access does not name
/// (`carrier:NAME`) is `Other`, with its name.
///
/// Amazon knows a package by the number that the seller gives it within the order (`packageReferenceId`), which is that of
/// the fulfillment order: told again it is the same package. Whether that is answered as a success or as a fault
/// is not said; as a fault it would be for a person to settle.
impl Updates for Amazon {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("Amazon"));
        };
        if !answers.is_empty() {
            return Ok(Telling::Told(()));
        }
        let marketplaces = access.text("marketplace_ids");
        let marketplace = marketplaces.split(',').map(str::trim).next();
        let Some(marketplace) = marketplace.filter(|id| !id.is_empty()) else {
            let why = "the access has no \"marketplace_ids\"";
            return Ok(Telling::Locked(why.into()));
        };
        let pieces = match shipment.pieces() {
            Ok(pieces) => pieces,
            Err(refused) => return Ok(refused),
        };
        let item = |(id, quantity)| json!({"orderItemId": id, "quantity": quantity});
        let items: Vec<serde_json::Value> = pieces.into_iter().map(item).collect();
        let mut package = json!({
            "packageReferenceId": shipment.n.to_string(),
            "carrierCode": shipment.carrier_in(access).unwrap_or("Other"),
            "trackingNumber": shipment.tracking_number,
            "shipDate": shipment.at.to_string(),
            "orderItems": items,
        });
        if shipment.carrier_in(access).is_none() {
            package["carrierName"] = shipment.carrier.as_str().into();
        }
        let body = json!({"marketplaceId": marketplace, "packageDetail": package});
        let (url, id) = (vendor::base(access, ""), vendor::encode(&update.order));
        let at = format!("{url}/orders/v0/orders/{id}/shipmentConfirmation");
        Ok(Telling::Ask(Request::json("POST", at, &body)))
    }
}
