//! What a vendor is told of its orders, and all that can go wrong with that.

use std::time::Duration;

use channels::updates::{Shipment, Update, What};
use domain::limits::MAX_ANSWER_S;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockBuilder, ResponseTemplate};

use super::{World, at, json_of};

/// A shipment of two of line 11 and one of line 12.
pub fn sent(order: &str) -> Update {
    Update {
        order: order.into(),
        reference: "AD4OVS4KRET6JAPB".into(),
        key: "AD4OVS4KRET6JAPB-sent-1".into(),
        what: What::Sent(Shipment {
            n: 1,
            at: at(0),
            carrier: "Night Post".into(),
            tracking_number: "NP-77".into(),
            lines: vec![("11".into(), 2.into()), ("12".into(), 1.into())],
            alike: 0,
            completes: true,
        }),
    }
}

pub fn shipment(update: &mut Update) -> &mut Shipment {
    match &mut update.what {
        What::Sent(shipment) => shipment,
        What::Accepted => panic!("no shipment"),
    }
}

pub fn accepted(order: &str) -> Update {
    Update {
        what: What::Accepted,
        key: "AD4OVS4KRET6JAPB-acknowledged".into(),
        ..sent(order)
    }
}

pub fn post(at: &str) -> MockBuilder {
    Mock::given(method("POST")).and(path(at.to_owned()))
}

pub fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// What goes wrong with a vendor that is asked first: `asks` mounts what it answers when it is asked, and whether it knows;
/// `says` is the request that tells it, and `taken` its answer to that.
pub struct Asked<'a> {
    pub world: &'a World,
    pub channel: &'static str,
    pub update: Update,
    pub asks: &'a dyn Fn(bool) -> Vec<(MockBuilder, Value)>,
    pub says: &'a dyn Fn() -> MockBuilder,
    pub taken: ResponseTemplate,
}

impl Asked<'_> {
    async fn knows(&self, knows: bool) {
        for (asked, answer) in (self.asks)(knows) {
            self.world.on(asked, json_of(answer), 1).await;
        }
    }

    async fn tell(&self) -> Result<(), Failure> {
        self.world.tell(self.channel, &self.update).await
    }

    /// Told: taken, known, busy, broken, refused, cut off, and taken although nobody heard of it.
    pub async fn is_told(&self) {
        let says = || (self.says)();
        self.knows(false).await;
        self.world.on(says(), self.taken.clone(), 1).await;
        assert_eq!(self.tell().await, Ok(()));
        // It knows: nothing is said.
        self.knows(true).await;
        assert_eq!(self.tell().await, Ok(()));
        let busy = status(429).insert_header("retry-after", "7");
        for (answer, seconds) in [(busy, 7), (status(503), 0)] {
            self.knows(false).await;
            self.world.on(says(), answer, 1).await;
            match self.tell().await {
                Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
                other => panic!("{other:?}"),
            }
        }
        // Refused for good, and without the right to.
        self.knows(false).await;
        let refusal = json!({"code": "bad_quantity", "message": "Ada ordered less"});
        self.world
            .on(says(), status(422).set_body_json(refusal), 1)
            .await;
        let why = "status 422, bad_quantity";
        assert_eq!(self.tell().await, Err(Failure::Refused(why.into())));
        self.knows(false).await;
        self.world.on(says(), status(403), 1).await;
        let failure = self.tell().await;
        assert!(matches!(failure, Err(Failure::Locked(_))), "{failure:?}");
        // Taken, and the answer came too late: the next time it is found there.
        self.knows(false).await;
        let late = Duration::from_secs(MAX_ANSWER_S + 1);
        let slow = self.taken.clone().set_delay(late);
        self.world.on(says(), slow, 1).await;
        let failure = self.tell().await.unwrap_err();
        assert!(failure.to_string().contains("within 10 s"), "{failure}");
        self.knows(true).await;
        assert_eq!(self.tell().await, Ok(()));
        self.world.server.verify().await;
        // Broken off in the middle of what it knows: nothing is said.
        let (asked, answer) = (self.asks)(true).remove(0);
        let answer = answer.to_string();
        let broken = status(200).set_body_string(&answer[..answer.len() / 2]);
        self.world.on(asked, broken, 1).await;
        let failure = self.tell().await;
        assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    }
}
