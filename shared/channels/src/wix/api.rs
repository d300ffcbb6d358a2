//! Wix's API: how it is opened, and how orders are fetched by it.

use jiff::Timestamp;
use serde_json::json;

use super::Wix;
use crate::document;
use crate::faults::Faults;
use crate::vendor::{self, Api, Changes, Header, Next, Page, Refusal, Request, Vendor};
use crate::{Secret, Unreadable};

/// Wix's own address.
pub(super) const WIX: &str = "https://www.wixapis.com";
/// Entries of a page (the most that Wix gives).
const PAGE: u32 = 100;

/// The eCommerce Orders API (v1), opened by OAuth with the credentials of an app that is installed on the site: an access has
/// `client_id` (the app's id), `client_secret` and `instance_id`; the app needs Read Orders. A token is good for four
/// hours and is sent as it is ("REST API Authentication").
impl Vendor for Wix {
    fn parts(&self) -> &'static [&'static str] {
        &["client_id", "client_secret", "instance_id"]
    }

    fn token(&self, access: &Secret) -> Option<Request> {
        let url = vendor::base(access, WIX);
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": access.text("client_id"),
            "client_secret": access.text("client_secret"),
            "instance_id": access.text("instance_id"),
        });
        Some(Request::json("POST", format!("{url}/oauth2/token"), &body))
    }

    fn open(&self, _: &Secret, token: &str) -> Vec<Header> {
        vec![("authorization", token.into())]
    }

    /// A site has one catalogue or the other, or is just getting the newer one. A conflict is somebody else at the same thing.
    fn refusal(&self, status: u16, body: &[u8]) -> Option<Refusal> {
        match (status, vendor::code(body).as_deref()) {
            (428, Some("CATALOG_V1_SITE_CALLING_CATALOG_V3_API")) => Some(Refusal::Locked),
            (428, Some("CATALOG_V3_SITE_PROVISIONING")) | (409, _) => Some(Refusal::Passing),
            _ => None,
        }
    }
}

impl Api for Wix {
    fn order(&self, access: &Secret, id: &str, answers: &[Vec<u8>]) -> Result<Next, Unreadable> {
        Ok(match answers.first() {
            Some(answer) => Next::Order(answer.clone()),
            None => Next::Ask(Request::get(format!(
                "{}/ecom/v1/orders/{}",
                vendor::base(access, WIX),
                vendor::encode(id)
            ))),
        })
    }

    fn changes(&self) -> Option<&dyn Changes> {
        Some(self)
    }
}

/// Orders that Wix has not begun to take are never among them. How long a page's name is good is not said.
impl Changes for Wix {
    fn is_sorted(&self) -> bool {
        false
    }

    fn request(&self, access: &Secret, since: Timestamp, page: &str) -> Request {
        let since = since.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        // The name of a page has in it what was asked for.
        let search = match page {
            "" => json!({
                "filter": {"updatedDate": {"$gte": since}},
                "sort": [{"fieldName": "updatedDate", "order": "ASC"}],
                "cursorPaging": {"limit": PAGE},
            }),
            page => json!({"cursorPaging": {"limit": PAGE, "cursor": page}}),
        };
        let url = vendor::base(access, WIX);
        let body = json!({"search": search});
        Request::json("POST", format!("{url}/ecom/v1/orders/search"), &body)
    }

    fn read(&self, _: &str, answer: &[u8]) -> Result<Page, Unreadable> {
        let faults = Faults::default();
        let mut members = document::object(answer, &faults)?;
        // Where there are none, there may be no list.
        let orders = match members.has("orders") {
            true => vendor::listed(answer, "orders", ("id", "updatedDate"), |time| {
                time.timestamp()
            })?,
            false => Vec::new(),
        };
        let next = members.inner("metadata").and_then(|mut metadata| {
            let has_next = metadata.flag("hasNext", false);
            let next = metadata.inner("cursors")?.take("next")?.text();
            next.filter(|next| has_next && !next.is_empty())
        });
        Ok(Page { orders, next })
    }
}
