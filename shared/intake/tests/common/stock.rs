//! How a vendor is told what there is, and all that can go wrong with that.

use std::time::Duration;

use channels::stock::{Available, Refusals};
use domain::limits::MAX_ANSWER_S;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockBuilder, ResponseTemplate};

use super::{World, json_of};

pub fn of(sku: &str, quantity: i64) -> Available {
    Available {
        sku: sku.into(),
        quantity,
    }
}

pub fn refused(sku: &str, why: &str) -> (String, String) {
    (sku.into(), why.into())
}

pub const NOTHING: Refusals = Refusals::new();

pub fn said(verb: &str, at: &str) -> MockBuilder {
    Mock::given(method(verb)).and(path(at.to_owned()))
}

/// What goes wrong with a vendor: `asks` mounts what it answers before it is told, and `says` is the request that tells
/// it, `taken` its answer to that.
pub struct Told<'a> {
    pub world: &'a World,
    pub channel: &'static str,
    pub available: &'a [Available],
    pub asks: &'a dyn Fn() -> Vec<(MockBuilder, Value)>,
    pub says: &'a dyn Fn() -> MockBuilder,
    pub taken: Value,
}

impl Told<'_> {
    pub async fn answered(&self, answer: ResponseTemplate) -> Result<Refusals, Failure> {
        for (asked, answer) in (self.asks)() {
            self.world.on(asked, json_of(answer), 1).await;
        }
        self.world.on((self.says)(), answer, 1).await;
        self.world.set(self.channel, "7", self.available).await
    }

    /// Taken, busy, broken, refused as a whole, without the right to, cut off, and too late.
    pub async fn is_told(&self) {
        let taken = || json_of(self.taken.clone());
        assert_eq!(self.answered(taken()).await, Ok(NOTHING));
        let status = ResponseTemplate::new;
        let busy = status(429).insert_header("retry-after", "7");
        for (answer, seconds) in [(busy, 7), (status(503), 0)] {
            match self.answered(answer).await {
                Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
                other => panic!("{other:?}"),
            }
        }
        let refusal = json!({"code": "bad_quantity", "message": "Ada wrote"});
        let refused = self.answered(status(422).set_body_json(refusal)).await;
        let why = "status 422, bad_quantity";
        assert_eq!(refused, Err(Failure::Refused(why.into())));
        let failure = self.answered(status(403)).await;
        assert!(matches!(failure, Err(Failure::Locked(_))), "{failure:?}");
        let late = Duration::from_secs(MAX_ANSWER_S + 1);
        let failure = self.answered(taken().set_delay(late)).await.unwrap_err();
        assert!(failure.to_string().contains("within 10 s"), "{failure}");
        self.world.server.verify().await;
        self.world.server.reset().await;
    }

    /// What it answers is broken off.
    pub async fn is_read_whole(&self) {
        let half = self.taken.to_string();
        let half = half[..half.len() / 2].to_owned();
        let cut = self.answered(ResponseTemplate::new(200).set_body_string(half));
        let cut = cut.await.unwrap_err();
        assert!(matches!(cut, Failure::Again(0, _)), "{cut:?}");
        self.world.server.reset().await;
    }
}
