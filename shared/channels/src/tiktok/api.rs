//! TikTok Shop's API: how its requests are signed, what its codes mean, and how orders are fetched by it.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::TikTok;
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::signature::hmac_sha256;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Refusal, Request, Vendor};
use crate::{Secret, Unreadable};

/// TikTok's own address, and where tokens are had.
const OWN: &str = "https://open-api.tiktokglobalshop.com";
const TOKENS: &str = "https://auth.tiktok-shops.com/api/v2/token/refresh";
/// Entries of a page (the most that TikTok gives).
const PAGE: &str = "100";

/// Codes by which TikTok wants to be asked again ("Common errors", and those of each request): too many requests, time-outs,
/// and faults of its own.
const PASSING: &[i64] = &[
    10_002_014, 10_002_015, 10_037_002, 10_037_003, 10_037_004, 11_001_027, 11_001_031, 11_006_005,
    11_006_026, 21_001_003, 21_001_008, 21_001_011, 21_001_029, 21_001_043, 21_001_055, 21_008_300,
    21_022_026, 21_022_029, 21_022_030, 21_042_001, 21_042_076, 36_009_002, 36_009_003, 36_009_007,
];
/// Codes of a token that is over or of another shop, a right that is missing, a wrong signature, key, time or address.
const LOCKED: &[i64] = &[
    101_000, 105_002, 105_005, 106_001, 106_013, 10_006_402, 36_009_004, 36_009_033,
];
/// The code of an order that is another seller's.
const OF_ANOTHER: i64 = 21_008_111;

/// The API 202309, opened by a token and a signature over the whole request ("Sign your API request"): an access has
/// `app_key`, `app_secret`, `refresh_token` and `shop_cipher` (of Get Authorized Shops), and perhaps `url` and
/// `token_url`. A signature is good for five minutes, by our clock.
///
/// Left open by its documents: with which status its codes come, so that the codes decide whatever the status; whether a refresh
/// token stays the same when it is used, which is taken for granted (it is good for as long as the seller has granted, and
/// has to be replaced then).
impl Vendor for TikTok {
    fn parts(&self) -> &'static [&'static str] {
        &["app_key", "app_secret", "refresh_token", "shop_cipher"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let query = vendor::query(&[
            ("app_key", access.text("app_key")),
            ("app_secret", access.text("app_secret")),
            ("refresh_token", access.text("refresh_token")),
            ("grant_type", "refresh_token"),
        ]);
        let url = access.part("token_url").unwrap_or(TOKENS);
        Some(Request::get(format!("{url}?{query}")))
    }

    /// It says until when a token is good.
    fn token_in(&self, answer: &[u8], now: Timestamp) -> Result<(String, i64), Unreadable> {
        let faults = Faults::default();
        let mut data = data(answer, &faults)?;
        let token = data.require("access_token").and_then(|token| token.text());
        let until = data
            .require("access_token_expire_in")
            .and_then(|until| until.epoch());
        let (Some(token), Some(until)) = (token, until) else {
            return Err(faults.unreadable());
        };
        Ok((token, (until.as_second() - now.as_second()).max(0)))
    }

    fn open(&self, _: &Secret, token: &str) -> Vec<Header> {
        vec![("x-tts-access-token", token.into())]
    }

    fn sign(&self, access: &Secret, mut request: Request, now: Timestamp) -> Request {
        let time = now.as_second().to_string();
        let own = vendor::query(&[("app_key", access.text("app_key")), ("timestamp", &time)]);
        request.url = format!("{}&{own}", request.url);
        let sign = signature(access.text("app_secret"), &request);
        request.url = format!("{}&sign={sign}", request.url);
        request
    }

    fn refusal(&self, status: u16, body: &[u8]) -> Option<Refusal> {
        let faults = Faults::default();
        let mut answer = document::object(body, &faults).ok()?;
        match answer.take("code")?.integer()? {
            0 => None,
            code if PASSING.contains(&code) => Some(Refusal::Passing),
            code if LOCKED.contains(&code) => Some(Refusal::Locked),
            OF_ANOTHER => Some(Refusal::Missing),
            // Elsewhere the status says what it means.
            _ => (200..300).contains(&status).then_some(Refusal::Refused),
        }
    }
}

/// The secret, the path, the names and values of the query by name, the body, and the secret again: signed with the secret.
fn signature(secret: &str, request: &Request) -> String {
    let (url, query) = vendor::split(&request.url, '?');
    let (_, host) = url.split_once("://").unwrap_or(("", url));
    let path = host.find('/').map_or("", |at| &host[at..]);
    let fields = query.split('&').map(|field| vendor::split(field, '='));
    let mut fields: Vec<(&str, String)> = fields
        .map(|(name, value)| (name, vendor::decode(value)))
        .collect();
    fields.sort();
    let mut message = vec![secret.as_bytes(), path.as_bytes()];
    for (name, value) in &fields {
        message.extend([name.as_bytes(), value.as_bytes()]);
    }
    message.extend([request.body.as_bytes(), secret.as_bytes()]);
    // Without a secret there is none: such an access is not complete.
    HEXLOWER.encode(&hmac_sha256(secret.as_bytes(), &message).unwrap_or_default())
}

/// The address of what is asked for in the access's shop.
fn at(access: &Secret, path: &str, fields: &[(&str, &str)]) -> String {
    let shop = ("shop_cipher", access.text("shop_cipher"));
    let query = vendor::query(&[&[shop], fields].concat());
    format!("{}{path}?{query}", vendor::base(access, OWN))
}

/// A request for what is there, which has to have the type of what it does not send, too.
pub(super) fn get(access: &Secret, path: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = Request::get(at(access, path, fields));
    let kind = ("content-type", "application/json".into());
    request.headers.push(kind);
    request
}

/// A document that is sent.
pub(super) fn post(access: &Secret, path: &str, fields: &[(&str, &str)], body: &Json) -> Request {
    Request::json("POST", at(access, path, fields), body)
}

/// What an answer has to say.
pub(super) fn data<'a>(answer: &'a [u8], faults: &'a Faults) -> Result<Object<'a>, Unreadable> {
    let data = document::object(answer, faults)?.require("data");
    let data = data.and_then(|data| data.object());
    data.ok_or_else(|| faults.unreadable())
}

/// The request for an order.
pub(super) fn order(access: &Secret, id: &str) -> Request {
    get(access, "/order/202309/orders", &[("ids", id)])
}

impl Api for TikTok {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        let Some(answer) = answers.first() else {
            return Ok(Next::Ask(order(access, id)));
        };
        let faults = Faults::default();
        let Some(order) = data(answer, &faults)?.items("orders").into_iter().next() else {
            return Ok(Next::Missing);
        };
        let by = order.object().map(|mut of| of.words("fulfillment_type"));
        Ok(match by.as_deref() {
            None => return Err(faults.unreadable()),
            Some("FULFILLMENT_BY_TIKTOK") => Next::NotOurs("TikTok ships it itself"),
            Some(_) => Next::Order(order.as_json().into()),
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

/// Changes of an order's state, that moment included. How long a page's name is good is not said.
impl Changes for TikTok {
    fn is_sorted(&self) -> bool {
        false
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let mut fields = vec![
            ("page_size", PAGE),
            ("sort_field", "update_time"),
            ("sort_order", "ASC"),
        ];
        if !page.is_empty() {
            fields.push(("page_token", page));
        }
        let body = json!({"update_time_ge": since.as_second()});
        post(access, "/order/202309/orders/search", &fields, &body)
    }

    fn read(&self, _: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let faults = Faults::default();
        let mut data = data(answer, &faults)?;
        // Where there are none, there may be no list.
        let orders = match data.has("orders") {
            true => vendor::listed(answer, "data/orders", ("id", "update_time"), |time| {
                time.epoch()
            })?,
            false => Vec::new(),
        };
        let next = data.take("next_page_token").and_then(|next| next.text());
        let next = next.filter(|next| !next.is_empty());
        Ok(Page { orders, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the PyPI package tiktok-shop-api 0.1.0, which nobody here wrote, makes of the same requests.
    #[test]
    fn requests_are_signed_as_another_signs_them() {
        let access = Secret::read(
            r#"{"app_key":"29a39d","app_secret":"15abf8a4972afd1f275d5b19bfa9a17e0d142aa7",
                "refresh_token":"r","shop_cipher":"ROW_RHkDDABBAAB8tKAVoAqsMTjsQZFLyNfY"}"#,
        );
        let now: Timestamp = "2026-11-26T16:00:00Z".parse().unwrap();
        let body = json!({"update_time_ge": 1_795_708_799});
        let fields = [("page_size", "100"), ("page_token", "aDU2dHIzMzU=&é")];
        let search = post(&access, "/order/202309/orders/search", &fields, &body);
        let signed = |request: Request| {
            let url = TikTok.sign(&access, request, now).url;
            let (rest, sign) = url.rsplit_once("&sign=").unwrap();
            assert!(rest.ends_with("&app_key=29a39d&timestamp=1795708800"));
            sign.to_owned()
        };
        assert_eq!(
            signed(search),
            "a52413ae71f80fc96c3737faf02e7d6e87be1b517358be12ecec6b454dbc8dd8"
        );
        assert_eq!(
            signed(order(&access, "576461413038785752")),
            "65fda748a004823507e7af2441eafc1d9617677260ff28d5031f037b7866ac9d"
        );
    }

    #[test]
    fn codes_decide_and_other_codes_by_their_status() {
        let meant = |status, code: i64| {
            let body = json!({"code": code, "message": "Ada wrote"}).to_string();
            TikTok.refusal(status, body.as_bytes())
        };
        assert_eq!(meant(200, 0), None);
        assert_eq!(meant(200, 36_009_002), Some(Refusal::Passing));
        assert_eq!(meant(400, 105_002), Some(Refusal::Locked));
        assert_eq!(meant(200, OF_ANOTHER), Some(Refusal::Missing));
        assert_eq!(meant(200, 21_011_025), Some(Refusal::Refused));
        assert_eq!(meant(503, 21_011_025), None, "the status says it");
        assert_eq!(TikTok.refusal(200, b"<html>"), None);
    }
}
