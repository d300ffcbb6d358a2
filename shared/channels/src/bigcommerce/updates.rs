//! What BigCommerce is told.

use domain::limits::MAX_LINES;
use serde_json::json;

use super::{BigCommerce, PAGE, entries};
use crate::document;
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What, no_word};
use crate::vendor::{self, Request};
use crate::{Secret, Unreadable};

/// Order shipments of the API `v2`; the API account needs Orders with the right to modify. A shipment goes to one of
/// the order's addresses, which its products name, and is of whole pieces. BigCommerce links a tracking number if its
/// carrier is one of AfterShip's slugs: an access can name it (`carrier:NAME`), and the shop writes to the customer
/// as it is set up to.
///
/// The shop gives shipments no name of ours: it is asked first for those of the order, of which it has at most a
/// page. What is left is that a shipment which the shop is still at when it is asked again, a minute after its
/// time-out, is made twice.
impl Updates for BigCommerce {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("BigCommerce"));
        };
        let (url, id) = (vendor::base(access, ""), vendor::encode(&update.order));
        let at = format!("{url}/v2/orders/{id}");
        let Some((shipments, pages)) = answers.split_first() else {
            let url = format!("{at}/shipments?limit={PAGE}");
            return Ok(Telling::Ask(Request::get(url)));
        };
        if pages.is_empty() && is_there(shipments, shipment)? {
            return Ok(Telling::Told(()));
        }
        let pieces = match shipment.pieces() {
            Ok(pieces) => pieces,
            Err(refused) => return Ok(refused),
        };
        // Of each of its lines: the address that it goes to, and how it is written there.
        let mut items = Vec::new();
        let mut addresses: Vec<String> = Vec::new();
        let faults = Faults::default();
        let (mut whole, mut seen, mut said) = (false, 0, false);
        for page in pages {
            // What comes after the products is the answer to what was told.
            said = whole;
            if said {
                break;
            }
            let products = entries(page)?;
            seen += products.len();
            whole = products.len() < PAGE || seen > MAX_LINES;
            for product in products {
                let mut product = document::object(product, &faults)?;
                let (id, address) = (product.require("id"), product.require("order_address_id"));
                let both = id
                    .and_then(|id| id.digits())
                    .zip(address.and_then(|a| a.digits()));
                let Some((id, address)) = both else {
                    return Err(faults.unreadable());
                };
                let sent = pieces.iter().find(|(line, _)| *line == id);
                if let (Some((_, quantity)), Ok(number)) = (sent, id.parse::<u64>()) {
                    items.push(json!({"order_product_id": number, "quantity": quantity}));
                    addresses.push(address);
                }
            }
        }
        if said {
            return Ok(Telling::Told(()));
        }
        if !whole {
            let page = pages.len() + 1;
            let url = format!("{at}/products?limit={PAGE}&page={page}");
            return Ok(Telling::Ask(Request::get(url)));
        }
        addresses.dedup();
        let address = match addresses.as_slice() {
            [address] if items.len() == pieces.len() => address.parse::<u64>().ok(),
            _ => None,
        };
        let Some(address) = address else {
            let why = "its lines are not all there, or go to several addresses";
            return Ok(Telling::Refused(why.into()));
        };
        let body = json!({
            "order_address_id": address,
            "tracking_number": shipment.tracking_number,
            "shipping_method": shipment.carrier,
            "shipping_provider": "",
            "tracking_carrier": shipment.carrier_in(access).unwrap_or_default(),
            "items": items,
        });
        let at = format!("{at}/shipments");
        Ok(Telling::Ask(Request::json("POST", at, &body)))
    }
}

fn is_there(shipments: &[u8], shipment: &Shipment) -> Result<bool, Unreadable> {
    let faults = Faults::default();
    let mut like = 0;
    for known in entries(shipments)? {
        let mut known = document::object(known, &faults)?;
        let items = known.objects("items").into_iter();
        let lines = items.filter_map(|mut item| item.take("order_product_id")?.digits());
        let lines: Vec<String> = lines.collect();
        like += usize::from(shipment.is_like(&known.words("tracking_number"), &lines));
    }
    Ok(shipment.is_among(like))
}
