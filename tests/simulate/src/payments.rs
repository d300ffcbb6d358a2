//! A payment provider, and its API as far as money is paid back by it: Stripe's.

use std::collections::BTreeMap;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, Response, Uri};
use runtime::web::WebError;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::ask::Ask;
use crate::faults::{Fate, Kind};
use crate::mutant::Mutant;
use crate::observed::{Deed, Repaid};
use crate::sim::{Sim, State};
use crate::vendor::answer;

/// The name of the account, and what opens its API.
pub const ACCOUNT: (&str, &str) = ("stripe", "main");
/// What opens its API.
pub const ACCESS: &str = r#"{"url":"https://pay.example","key":"simulated-key"}"#;
/// What its webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_simulated";
const HOST: &str = "pay.example";

/// Milliseconds for which a request is known by its name once it is answered. Stripe knows it for a day; it has to be longer
/// than whoever has looked may take to ask.
const KEPT_MS: i64 = 60_000;
/// Seconds that a request may take whose sender no longer waits for it, at most.
const MAX_LATE_S: u32 = 90;
/// Refunds that are listed at once.
const PAGE: usize = 2;
/// Minor units that go back with others, some day.
const SMALL: i64 = 1;

/// All that is at the provider.
#[derive(Debug, Default)]
pub struct Till {
    /// What it has made, the oldest first.
    made: Vec<Repaid>,
    /// Requests by their names.
    known: BTreeMap<String, Known>,
}

/// A request that the provider has taken.
#[derive(Debug)]
struct Known {
    form: BTreeMap<String, String>,
    /// When it is followed, and what becomes of it then.
    at_ms: i64,
    lot: Lot,
    answer: Option<(u16, String)>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
enum Lot {
    Paid,
    Refused,
    Failed,
}

/// Whether a URL leads to it.
pub fn called(uri: &Uri) -> bool {
    uri.host() == Some(HOST)
}

impl Till {
    /// What it has made so far; the run is over.
    pub fn into_made(mut self, state_ms: i64) -> Vec<Repaid> {
        self.catch_up(state_ms + i64::from(MAX_LATE_S) * 1_000);
        self.made
    }

    /// Follows what has waited until now, and forgets the names of what was long ago.
    fn catch_up(&mut self, now_ms: i64) {
        let waits = |known: &Known| known.answer.is_none() && known.at_ms <= now_ms;
        for known in self.known.values_mut().filter(|known| waits(known)) {
            known.answer = Some(pay(&mut self.made, &known.form, known.lot));
        }
        let stays = |known: &Known| known.answer.is_none() || now_ms < known.at_ms + KEPT_MS;
        self.known.retain(|_, known| stays(known));
    }

    /// What comes of a request of this name that is followed at that time.
    fn take(&mut self, key: &str, body: &str, lot: Lot, at_ms: i64, now_ms: i64) -> (u16, String) {
        let form = form(body);
        let known = self.known.entry(key.to_owned()).or_insert(Known {
            form: form.clone(),
            at_ms,
            lot,
            answer: None,
        });
        if known.form != form {
            return failed(400, "idempotency_error");
        }
        self.catch_up(now_ms);
        let known = self.known.get(key);
        let answer = known.and_then(|known| known.answer.clone());
        answer.unwrap_or_else(|| failed(409, "idempotency_key_in_use"))
    }

    /// A page of what has gone back of a payment, the newest first.
    fn list(&self, query: &str) -> String {
        let asked = form(query);
        let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let of_payment = self.made.iter().rev();
        let mut of_payment = of_payment.filter(|made| made.payment == of("payment_intent"));
        if !of("starting_after").is_empty() {
            of_payment.find(|made| made.id == of("starting_after"));
        }
        let page: Vec<Value> = of_payment.by_ref().take(PAGE).map(document).collect();
        let more = of_payment.next().is_some();
        json!({"object": "list", "has_more": more, "data": page}).to_string()
    }
}

/// Pays, or says why not.
fn pay(made: &mut Vec<Repaid>, form: &BTreeMap<String, String>, lot: Lot) -> (u16, String) {
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let amount = of("amount").parse().unwrap_or(0);
    let status = match lot {
        Lot::Refused => return failed(402, "balance_insufficient"),
        Lot::Failed => "failed",
        Lot::Paid if amount <= SMALL => "pending",
        Lot::Paid => "succeeded",
    };
    made.push(Repaid {
        id: format!("re_{}", made.len() + 1),
        payment: of("payment_intent"),
        refund: of("metadata%5Brefund%5D"),
        repeats: of("metadata%5Brepeats%5D"),
        amount,
        status,
    });
    (200, made.last().map_or(Value::Null, document).to_string())
}

fn document(made: &Repaid) -> Value {
    json!({
        "id": made.id, "object": "refund", "amount": made.amount, "currency": "eur", "status": made.status,
        "payment_intent": made.payment,
        "metadata": {"refund": made.refund, "repeats": made.repeats},
    })
}

fn failed(status: u16, code: &str) -> (u16, String) {
    (status, json!({"error": {"code": code}}).to_string())
}

fn form(text: &str) -> BTreeMap<String, String> {
    let fields = text.split('&').filter_map(|field| field.split_once('='));
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl State {
    /// What waited at the provider is paid, or not, perhaps one thing twice; it says so by a webhook.
    pub fn settle(&mut self) -> Option<Ask> {
        let now_ms = self.now_ms;
        self.till.catch_up(now_ms);
        let made = self.till.made.len();
        let place = (made > 0).then(|| self.tape.index(made))?;
        let settled = ["succeeded", "failed"][self.tape.index(2)];
        let made = &mut self.till.made[place];
        if made.status == "pending" {
            made.status = settled;
        }
        let event = json!({"type": "refund.updated", "data": {"object": document(made)}});
        let (body, t) = (event.to_string(), self.now().as_second());
        let mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).ok()?;
        let mac = mac.chain_update(format!("{t}.{body}")).finalize();
        let mac: String = mac
            .into_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Some(Ask {
            function: "accept-order",
            route: "POST /webhooks/{channel}/{account}",
            path: vec![("channel", ACCOUNT.0.into()), ("account", ACCOUNT.1.into())],
            headers: vec![("stripe-signature", format!("t={t},v1={mac}"))],
            body,
            deed: Deed::Settled,
            webhook: None,
        })
    }
}

/// The provider is asked.
pub async fn ask(sim: &Sim, request: &Request<String>) -> Result<Response<Bytes>, WebError> {
    let pays = request.method() == http::Method::POST;
    let kind = if pays { Kind::Write } else { Kind::Read };
    let mut fate = sim.turn("the payment provider's API", kind).await;
    let state = &mut *sim.state();
    let now_ms = state.now_ms;
    state.till.catch_up(now_ms);
    // It is busy more often than AWS is, and somebody in between may send a request twice.
    if pays && state.faults.most > 0 {
        fate = match state.tape.choose(8) {
            7 => Fate::Refused,
            6 if fate == Fate::Done => Fate::Repeated,
            _ => fate,
        };
    }
    if fate == Fate::Refused {
        return match state.tape.choose(4) {
            _ if pays && state.is_off(Mutant::UnpaidIsNoticed) => unpaid(request),
            0 => Err(WebError::Passing("nobody there".into())),
            1 => answer(429, String::new()),
            2 => answer(409, failed(409, "lock_timeout").1),
            _ => answer(503, "<html>".into()),
        };
    }
    if !pays {
        let listed = match state.is_off(Mutant::ProviderIsAskedFirst) {
            true => json!({"object": "list", "has_more": false, "data": []}).to_string(),
            false => state.till.list(request.uri().query().unwrap_or_default()),
        };
        return match fate {
            Fate::AnswerLost => Err(WebError::Passing("too late".into())),
            _ => answer(200, listed),
        };
    }
    let key = request.headers().get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    let late_ms = match fate {
        Fate::AnswerLost if state.tape.choose(3) == 2 => {
            i64::from(1 + state.tape.choose(MAX_LATE_S)) * 1_000
        }
        _ => 0,
    };
    let lot = match state.tape.choose(8) {
        7 => Lot::Failed,
        6 => Lot::Refused,
        _ => Lot::Paid,
    };
    let mut take = |at_ms| {
        // Under another name it is another request.
        let key = match state.is_off(Mutant::RefundKeepsItsName) {
            true => format!("{key}-{}", state.till.known.len() + state.till.made.len()),
            false => key.to_owned(),
        };
        state.till.take(&key, request.body(), lot, at_ms, now_ms)
    };
    let (mut status, mut body) = take(now_ms + late_ms);
    if fate == Fate::Repeated {
        (status, body) = take(now_ms);
    }
    match fate {
        Fate::AnswerLost if state.tape.choose(2) == 0 => Err(WebError::Passing("too late".into())),
        Fate::AnswerLost => answer(503, "<html>".into()),
        _ => answer(status, body),
    }
}

/// An answer that claims what has not been done.
fn unpaid(request: &Request<String>) -> Result<Response<Bytes>, WebError> {
    let form = form(request.body());
    let amount: i64 = form.get("amount").and_then(|a| a.parse().ok()).unwrap_or(0);
    let refund = json!({"id": "re_0", "amount": amount, "currency": "eur", "status": "succeeded"});
    answer(200, refund.to_string())
}
