//! The mailbox: everything that was sent to anybody.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::OrderId;
use serde_json::json;

use super::{Console, Page, Shared};
use crate::services::Mail;

/// The tag under which the mailer keeps what a mail is: `{order}-{notice}`.
const KEY_TAG: &str = "waybill-key";
/// Newest mails that are listed.
const LISTED: usize = 200;

/// What a mail is, as its sender named it.
pub(super) fn key(mail: &Mail) -> Option<&str> {
    let tag = mail.tags.iter().find(|(name, _)| name == KEY_TAG);
    tag.map(|(_, key)| key.as_str())
}

/// The order that a mail may be about.
fn order_of(mail: &Mail) -> Option<OrderId> {
    OrderId::parse(key(mail)?.split_once('-')?.0)
}

pub(super) async fn list(State(console): Shared) -> Response {
    let mut mails = console.cloud.services().ses.mails();
    let all = mails.len();
    mails.reverse();
    mails.truncate(LISTED);
    let facts = json!({"title": "Mail", "mails": mails, "all": all});
    console.show(Ok(Page::new("mails.html", facts)))
}

pub(super) async fn one(State(console): Shared, Path(id): Path<String>) -> Response {
    let page = page(&console, &id).await;
    console.show(page)
}

async fn page(console: &Console, id: &str) -> anyhow::Result<Page> {
    let mails = console.cloud.services().ses.mails();
    let Some(mail) = mails.into_iter().find(|mail| mail.id == id) else {
        return Ok(Page::missing(format!("a mail {id:?}")));
    };
    let order = match order_of(&mail) {
        Some(id) => console.store.load_order(&id).await?,
        None => None,
    };
    let order = order.map(|order| json!({"id": order.id, "number": order.number}));
    let facts = json!({"title": mail.subject, "mail": mail, "order": order});
    Ok(Page::new("mail.html", facts))
}
