//! TikTok Shop: an order has one entry for each piece, and a package has those of them that are in it. What is cancelled it does not say to be paid,
//! and what there is is told by the products that it has.

use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    API, Asked, Heard, Sender, Sent, Sold, UNKNOWN_SKU, Vendor, Word, field, phone, place,
};
use crate::ask::Ask;
use crate::channel::hmac;
use crate::outside::decimal;

/// The channel.
#[derive(Debug)]
pub struct TikTok;

const KEY: &str = "simulated-tiktok";
const APP: &str = "simulated-app";
/// What it shows of what it was never told of: more than there ever is.
const UNTOLD: i64 = 900;
const WAREHOUSE: &str = "W";

impl Sender for TikTok {
    fn name(&self) -> &'static str {
        "tiktok"
    }

    fn secret(&self) -> String {
        json!({"key": KEY, "app_key": APP}).to_string()
    }

    fn sign(&self, ask: &mut Ask, _: Timestamp) {
        let signed = [APP.as_bytes(), ask.body.as_bytes()];
        let signature = hmac(KEY.as_bytes(), &signed);
        let signature = signature.iter().map(|b| format!("{b:02x}")).collect();
        ask.headers.push(("authorization", signature));
    }
}

impl Vendor for TikTok {
    fn access(&self) -> String {
        json!({
            "url": API, "token_url": format!("{API}/token"), "app_key": APP, "app_secret": KEY,
            "refresh_token": "simulated", "shop_cipher": "simulated",
        })
        .to_string()
    }

    fn hint(&self, id: &str) -> Word {
        Word::Webhook(json!({"type": 1, "data": {"order_id": id}}).to_string())
    }

    fn read(&self, request: &Request<String>) -> Option<Asked> {
        let path = request.uri().path().strip_prefix("/h/")?;
        let said: Value = serde_json::from_str(request.body()).unwrap_or_default();
        Some(match path {
            "token" => Asked::Token,
            "order/202309/orders" => {
                let id = field(request.uri().query()?, "ids")?;
                Asked::Order(place(&id)?, "")
            }
            "order/202309/orders/search" => {
                let from = said["update_time_ge"].as_i64()?;
                Asked::Changes(Timestamp::from_second(from).ok()?)
            }
            "logistics/202309/delivery_options/1/shipping_providers" => {
                Asked::Listed(Vec::new(), "carriers")
            }
            "product/202502/products/search" => {
                let skus = said["seller_skus"].as_array()?.iter();
                let skus = skus.filter_map(|sku| sku.as_str());
                let known = skus.filter(|sku| *sku != UNKNOWN_SKU);
                Asked::Listed(known.map(str::to_owned).collect(), "")
            }
            path => {
                if let Some(order) = path.strip_prefix("fulfillment/202309/orders/") {
                    let pieces = said["order_line_item_ids"].as_array()?;
                    let sent = Sent {
                        number: said["tracking_number"].as_str()?.to_owned(),
                        pieces: Some(pieces.len() as u64),
                        lines: pieces
                            .iter()
                            .filter_map(|id| Some(id.as_str()?.to_owned()))
                            .collect(),
                        ..Sent::default()
                    };
                    return Some(Asked::Sent(place(order.strip_suffix("/packages")?)?, sent));
                }
                let sku = path.strip_prefix("product/202309/products/")?;
                let sku = sku.strip_suffix("/inventory/update")?.to_owned();
                let quantity = said["skus"][0]["inventory"][0]["quantity"].as_i64()?;
                Asked::Available(vec![(sku, quantity)])
            }
        })
    }

    fn token(&self) -> String {
        answer(json!({"access_token": "simulated", "access_token_expire_in": 4_102_444_800_u64}))
    }

    fn changes(&self, orders: &[(String, Timestamp)]) -> (u16, String) {
        let entry =
            |(id, at): &(String, Timestamp)| json!({"id": id, "update_time": at.as_second()});
        let list: Value = orders.iter().map(entry).collect();
        (200, answer(json!({"orders": list})))
    }

    fn order(&self, sold: &Sold, n: usize, _: &str) -> String {
        let (changed, is_cancelled) = sold.states[n];
        let status = if is_cancelled {
            "CANCELLED"
        } else {
            "AWAITING_SHIPMENT"
        };
        let line = |id: u32| {
            let id = id.to_string();
            let sent = sold.sent.iter().find(|sent| sent.lines.contains(&id));
            let number = sent.map_or("", |sent| &sent.number);
            json!({
                "id": id, "seller_sku": sold.sku, "product_name": sold.sku, "original_price": decimal(sold.price),
                "tracking_number": number,
            })
        };
        let lines: Value = (1..=sold.pieces()).map(line).collect();
        let total = decimal(sold.total);
        let order = json!({
            "id": sold.id(),
            "status": status,
            "create_time": sold.placed_at().as_second(),
            "update_time": changed.as_second(),
            "delivery_option_id": "1",
            "fulfillment_type": "FULFILLMENT_BY_SELLER",
            "buyer_email": sold.email(),
            "payment": {"currency": "EUR", "sub_total": total, "total_amount": total},
            "line_items": lines,
            "recipient_address": {
                "name": "C", "phone_number": phone(n), "address_line1": "1 Street", "region_code": "FR",
                "district_info": [{"address_level_name": "City", "address_name": "Lyon"}],
            },
        });
        answer(json!({"orders": [order]}))
    }

    fn listed(&self, skus: &[(String, i64)], part: &str) -> String {
        if part == "carriers" {
            let carriers = json!([{"id": "1", "name": "Post"}, {"id": "2", "name": "Own van"}]);
            return answer(json!({"shipping_providers": carriers}));
        }
        let product = |(sku, shown): &(String, i64)| {
            let quantity = if *shown < 0 { UNTOLD } else { *shown };
            let inventory = json!({"warehouse_id": WAREHOUSE, "quantity": quantity});
            let of = json!({"id": sku, "seller_sku": sku, "inventory": [inventory]});
            json!({"id": sku, "skus": [of]})
        };
        let products: Value = skus.iter().map(product).collect();
        answer(json!({"products": products}))
    }

    fn heard(&self, heard: Heard) -> (u16, String) {
        match heard {
            Heard::Taken => (200, answer(json!({}))),
            Heard::Changed | Heard::Refused => (200, r#"{"code":21011025}"#.into()),
        }
    }

    fn available(&self, _: &[(String, i64)], _: &[&str]) -> (u16, String) {
        (200, answer(json!({})))
    }

    fn is_by_the_piece(&self) -> bool {
        true
    }

    fn is_paid_if_cancelled(&self) -> bool {
        false
    }
}

fn answer(data: Value) -> String {
    json!({"code": 0, "data": data}).to_string()
}
