//! One event, sent once.

use std::time::Instant;

use channels::{Secret, standard};
use domain::event::Entry;
use domain::feed::{event_id, message};
use domain::limits::MAX_TEXT_CHARS;
use domain::subscriber::Subscriber;
use http::Request;
use jiff::Timestamp;
use runtime::queue::Outcome;
use runtime::web::{self, WebError};
use serde::Serialize;
use store::Story;

use crate::Publisher;

/// Why an event was not sent.
const LEFT_ALONE: &str = "not sent: it has not answered of late, and is left alone for a minute";

/// What a subscriber has answered.
pub(crate) struct Answer {
    pub at: Timestamp,
    pub status: Option<u16>,
    /// Why there is no status.
    pub error: Option<String>,
    pub duration_ms: u64,
}

fn written(document: &impl Serialize) -> Result<String, Outcome> {
    serde_json::to_string(document).map_err(|error| Outcome::Permanent(error.to_string()))
}

impl Publisher {
    /// Sends a subscriber an event, once. What cannot even be written is a fault of ours.
    pub(crate) async fn send(
        &self,
        subscriber: &Subscriber,
        story: &Story,
        sequence: u64,
        entry: &Entry,
    ) -> Result<Answer, Outcome> {
        let (order, at, started) = (&story.order, self.clock.now(), Instant::now());
        let contact = subscriber.personal_data.then_some(&story.contact);
        let message = message(order, sequence, entry, contact);
        let sent = match subscriber.event_bus {
            false => {
                let (id, body) = (event_id(order, sequence), written(&message)?);
                self.ask(subscriber, id, body).await
            }
            true => {
                let detail = written(&message.data)?;
                let put = self.bus.put(message.kind, message.timestamp, &detail);
                put.await.map(|()| 200)
            }
        };
        let (status, error) = match sent {
            Ok(status) => (Some(status), None),
            Err(why) => (None, Some(why.chars().take(MAX_TEXT_CHARS).collect())),
        };
        Ok(Answer {
            at,
            status,
            error,
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    async fn ask(&self, to: &Subscriber, id: String, body: String) -> Result<u16, String> {
        let now = self.clock.now();
        let secrets = self.secrets.get(&to.id, false).await;
        let mut secrets = secrets.map_err(|why| format!("its secret: {why}"))?;
        if secrets.is_empty() {
            // It may have been given one just now.
            let anew = self.secrets.get(&to.id, true).await;
            secrets = anew.map_err(|why| format!("its secret: {why}"))?;
        }
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
        let signature = standard::sign(&secrets, &id, now, body.as_bytes());
        let signature = signature.ok_or("it has no secret that can be signed with")?;
        let request = Request::post(&to.url)
            .header("content-type", "application/json")
            .header("user-agent", "waybill")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_second().to_string())
            .header("webhook-signature", signature)
            .body(body)
            .map_err(|error| error.to_string())?;
        // The last that could keep it from being asked: who is let through finds out.
        if self.silent.is_left_alone(&to.id, now) {
            return Err(LEFT_ALONE.into());
        }
        let answer = self.web.ask(request, web::SUBSCRIBER).await;
        let answered = !matches!(answer, Err(WebError::Passing(_)));
        self.silent.note(&to.id, answered, self.clock.now());
        match answer {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(WebError::Passing(why) | WebError::Final(why)) => Err(why),
        }
    }
}
