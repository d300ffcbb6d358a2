//! Takes which other systems hear of what happens to orders, and answers what came of telling them; and has them hear
//! again of what has been.

mod replay;

use std::sync::Arc;

use domain::Problem;
use domain::limits::{MAX_NAME_CHARS, MAX_SUBSCRIBERS};
use domain::subscriber::{Subscriber, is_subscriber_id, subscriber_problems};
use runtime::auth::Keys;
use runtime::http::{Answer, Request, answer};
use runtime::web::Web;
use runtime::{Clock, Function};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;

/// Entries of one page of the log.
const PAGE: usize = 100;

/// The function.
pub fn function() -> Function {
    Function {
        name: "edit-subscribers",
        variables: &["ORDERS_TABLE", "REFERENCE_TABLE"],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    store,
                    clock: setup.clock,
                    web: setup.web,
                };
                Ok(answer(
                    "edit-subscribers",
                    desk,
                    |desk, request| async move { desk.take(request).await },
                ))
            })
        },
    }
}

struct Desk {
    store: Store,
    keys: Keys,
    clock: Clock,
    web: Arc<dyn Web>,
}

/// What may be said of a subscriber.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    url: String,
    #[serde(default)]
    event_bus: bool,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    personal_data: bool,
    enabled: Option<bool>,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        self.keys.operator(&request).await?;
        let id = request.path("id");
        match request.route.as_str() {
            "GET /subscribers" => {
                let subscribers = self.store.subscribers().await?;
                Answer::json(200, &json!({"subscribers": subscribers}))
            }
            "GET /subscribers/{id}" => Answer::json(200, &self.known(id).await?),
            "PUT /subscribers/{id}" => self.put(id, request.json()?).await,
            "DELETE /subscribers/{id}" => {
                // What cannot be a name is none; the database takes no key that is too long.
                match is_subscriber_id(id) && self.store.delete_subscriber(id).await? {
                    true => Answer::json(200, &json!({"deleted": id})),
                    false => Err(unknown(id)),
                }
            }
            "GET /subscribers/{id}/deliveries" => self.log(&request).await,
            "GET /subscribers/{id}/replays" => self.replays(id).await,
            "POST /subscribers/{id}/replays" => self.replay(id, request.json()?).await,
            other => Err(Answer::not_found(&format!("route {other:?}"))),
        }
    }

    async fn known(&self, id: &str) -> Result<Subscriber, Answer> {
        let mut known = self.store.subscribers().await?.into_iter();
        known
            .find(|known| known.id == id)
            .ok_or_else(|| unknown(id))
    }

    async fn put(&self, id: &str, wish: Wish) -> Result<Answer, Answer> {
        let subscriber = Subscriber {
            id: id.to_owned(),
            url: wish.url,
            event_bus: wish.event_bus,
            types: wish.types,
            personal_data: wish.personal_data,
            enabled: wish.enabled.unwrap_or(true),
            gone_at: None,
        };
        let mut problems = subscriber_problems(&subscriber);
        let asks_at = |url: &str| url.parse().is_ok_and(|url| self.web.asks_at(&url));
        let url = Some(&subscriber.url).filter(|_| !subscriber.event_bus);
        if let Some(found) = url.filter(|url| !asks_at(url)) {
            let expected =
                "expected an address of https, and of the public Internet, or \"event_bus\": true";
            problems.push(Problem::at("/url", format!("{expected}, found {found:?}")));
        }
        if !problems.is_empty() {
            return Err(Answer::invalid(&Problem::first_of(problems)));
        }
        let known = self.store.subscribers().await?;
        if known.len() >= MAX_SUBSCRIBERS && !known.iter().any(|known| known.id == id) {
            let detail =
                format!("there are {MAX_SUBSCRIBERS} subscribers, and there can be no more");
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        self.store.put_subscriber(&subscriber).await?;
        let mut document = json!(subscriber);
        if !subscriber.event_bus {
            document["secret"] = Value::from(format!(
                "infra/add-subscriber-secret STACK {id} makes the one that its events are signed with"
            ));
        }
        Answer::json(200, &document)
    }

    async fn log(&self, request: &Request) -> Result<Answer, Answer> {
        let known = self.known(request.path("id")).await?;
        let before = request.query("before");
        if let Some(found) = before.filter(|b| b.is_empty() || b.len() > MAX_NAME_CHARS) {
            let detail = format!("expected \"before\" as a page names it, found {found:?}");
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        let most = i32::try_from(PAGE).unwrap_or(i32::MAX);
        let attempts = self.store.attempts(&known.id, before, most).await?;
        let next = attempts.last().filter(|_| attempts.len() == PAGE);
        let next = next.map(|(place, _)| place.clone());
        let attempts: Vec<_> = attempts.iter().map(|(_, attempt)| attempt).collect();
        Answer::json(200, &json!({"deliveries": attempts, "next": next}))
    }
}

fn unknown(id: &str) -> Answer {
    Answer::not_found(&format!("subscriber {id:?}"))
}
