//! What TikTok Shop is told.

use serde_json::json;

use super::TikTok;
use super::api::{data, get, order, post};
use crate::document::Object;
use crate::faults::Faults;
use crate::updates::{Shipment, Telling, Update, Updates, What, no_word};
use crate::vendor;
use crate::{Secret, Unreadable};

/// Mark Package As Shipped of the Fulfillment API (the app needs its scope), for what sellers send by carriers of their own: TikTok has
/// it in the US, UK, ES, IE, IT, DE, FR and JP, and refuses it elsewhere and of what goes by labels of TikTok's. A carrier is one of
/// those that TikTok has for the order's delivery option, by name or id; where ours is called otherwise, the access
/// names it (`carrier:NAME`). A number is given without what is no letter or digit, as TikTok takes no special characters.
///
/// TikTok gives packages no name of ours: it is asked first for the order, whose lines, each one piece, have the numbers
/// under which they were sent. Left open by its documents: how soon they show it. Said twice it is refused, which is
/// for a person to settle.
impl Updates for TikTok {
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable> {
        let What::Sent(shipment) = &update.what else {
            return Ok(no_word("TikTok Shop"));
        };
        let mut shipment = shipment.clone();
        shipment
            .tracking_number
            .retain(|c| c.is_ascii_alphanumeric());
        let faults = Faults::default();
        Ok(match answers {
            [] => Telling::Ask(order(access, &update.order)),
            [known] => {
                let known = data(known, &faults)?.objects("orders").into_iter().next();
                let Some(mut known) = known else {
                    return Ok(Telling::Refused("there is no such order".into()));
                };
                if is_there(&mut known, &shipment) {
                    return Ok(Telling::Told(()));
                }
                // A part of a piece is no line of a package.
                if let Err(refused) = shipment.pieces() {
                    return Ok(refused);
                }
                let option = known
                    .require("delivery_option_id")
                    .and_then(|id| id.digits());
                let option = option.ok_or_else(|| faults.unreadable())?;
                let option = vendor::encode(&option);
                let path =
                    format!("/logistics/202309/delivery_options/{option}/shipping_providers");
                Telling::Ask(get(access, &path, &[]))
            }
            [_, providers] => {
                let carrier = shipment.carrier_in(access).unwrap_or(&shipment.carrier);
                let mut providers = data(providers, &faults)?.objects("shipping_providers");
                let provider = providers.iter_mut().find_map(|provider| {
                    let (id, name) = (provider.take("id")?.digits()?, provider.words("name"));
                    (id == carrier || name.eq_ignore_ascii_case(carrier)).then_some(id)
                });
                let Some(provider) = provider else {
                    let why = format!("it has no carrier {carrier:?} for the order");
                    return Ok(Telling::Refused(why));
                };
                let lines: Vec<&str> = shipment.lines.iter().map(|(id, _)| id.as_str()).collect();
                let body = json!({
                    "order_line_item_ids": lines,
                    "tracking_number": shipment.tracking_number,
                    "shipping_provider_id": provider,
                });
                let id = vendor::encode(&update.order);
                let path = format!("/fulfillment/202309/orders/{id}/packages");
                Telling::Ask(post(access, &path, &[], &body))
            }
            _ => Telling::Told(()),
        })
    }
}

/// Whether the order has lines of the shipment under its number.
fn is_there(order: &mut Object<'_>, shipment: &Shipment) -> bool {
    let lines = order.objects("line_items").into_iter();
    let like = lines.filter_map(|mut line| {
        let number = line.words("tracking_number");
        let id = line.take("id")?.digits()?;
        shipment.is_like(&number, &[id]).then_some(())
    });
    shipment.is_among(like.count())
}
