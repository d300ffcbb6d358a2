//! Takes facts about stock: goods received, counts that found more or less.

use std::sync::Arc;

use domain::id::derived;
use domain::limits::{MAX_NAME_CHARS, MAX_QUANTITY, MAX_TEXT_CHARS};
use domain::stock::{MovementKind, StockFact};
use domain::{Problem, Step};
use runtime::auth::{Keys, forbidden};
use runtime::http::{Answer, Request, answer};
use runtime::{Clock, Emit, Function, Hint, Outbox};
use serde::Deserialize;
use serde_json::json;
use store::Store;

/// The function.
pub fn function() -> Function {
    Function {
        name: "adjust-stock",
        variables: &["STOCK_TABLE", "REFERENCE_TABLE", "UPDATE_STOCK_QUEUE"],
        init: |setup| {
            Box::pin(async move {
                let (store, outbox) = (setup.store(), setup.outbox());
                runtime::function::warm(&store, Some(&outbox)).await;
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    store,
                    outbox,
                    clock: setup.clock,
                };
                Ok(answer("adjust-stock", desk, |desk, request| async move {
                    desk.take(request).await
                }))
            })
        },
    }
}

struct Desk {
    store: Store,
    outbox: Outbox,
    keys: Keys,
    clock: Clock,
}

/// What may be reported.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Receive,
    Adjust,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adjustment {
    location: String,
    kind: Kind,
    quantity: i64,
    #[serde(default)]
    reason: String,
}

impl Adjustment {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let most = i64::from(MAX_QUANTITY);
        let allowed = match self.kind {
            Kind::Receive => (1..=most).contains(&self.quantity),
            Kind::Adjust => self.quantity != 0 && (-most..=most).contains(&self.quantity),
        };
        if !allowed {
            let expected = match self.kind {
                Kind::Receive => format!("1 to {most}"),
                Kind::Adjust => format!("-{most} to {most}, and not 0"),
            };
            problems.push(Problem::at(
                "/quantity",
                format!("expected {expected}, found {}", self.quantity),
            ));
        }
        if matches!(self.kind, Kind::Adjust) && self.reason.trim().is_empty() {
            problems.push(Problem::at("/reason", "expected why the count differs"));
        }
        if self.reason.chars().count() > MAX_TEXT_CHARS {
            problems.push(Problem::at(
                "/reason",
                format!("expected at most {MAX_TEXT_CHARS} characters"),
            ));
        }
        problems
    }
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        use domain::catalog::Role;
        let role = self.keys.role(&request).await?;
        let sku = request.path("sku");
        let adjustment: Adjustment = request.json()?;
        match &role {
            Role::Operator => {}
            Role::Warehouse(own) if *own == adjustment.location => {}
            Role::Warehouse(_) | Role::Reader => {
                return Err(forbidden(
                    "an operator's key, or that of the warehouse itself",
                ));
            }
        }
        let key = request.header("idempotency-key").unwrap_or_default();
        if key.is_empty() {
            let detail =
                "send an Idempotency-Key header: what you call this report, the same on every try";
            return Err(Answer::problem(
                400,
                "no-idempotency-key",
                "Name the request",
                detail,
            ));
        }
        if key.len() > MAX_NAME_CHARS {
            let detail =
                format!("expected an Idempotency-Key of at most {MAX_NAME_CHARS} characters");
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        let problems = adjustment.problems();
        if !problems.is_empty() {
            return Err(Answer::invalid(&problems));
        }
        if self.store.products(&[sku]).await?.is_empty() {
            return Err(Answer::not_found(&format!("product {sku:?}")));
        }
        if !self
            .store
            .locations()
            .await?
            .iter()
            .any(|l| l.id == adjustment.location)
        {
            let detail = format!("location {:?} does not exist", adjustment.location);
            return Err(Answer::invalid(&[Problem::at("/location", detail)]));
        }
        let fact = StockFact {
            id: derived(&[sku, key]),
            sku: sku.to_owned(),
            location: adjustment.location,
            kind: match adjustment.kind {
                Kind::Receive => MovementKind::Receive,
                Kind::Adjust => MovementKind::Adjust,
            },
            quantity: adjustment.quantity,
            reason: adjustment.reason,
            at: self.clock.now(),
            applied: false,
        };
        if let Some(known) = self.store.store_fact(&fact).await? {
            let same = (known.kind, known.quantity, &known.location)
                == (fact.kind, fact.quantity, &fact.location);
            if !same {
                let detail = "the Idempotency-Key was used for another report on this SKU";
                return Err(Answer::problem(
                    422,
                    "idempotency-key-reused",
                    "Use a new key",
                    detail,
                ));
            }
        }
        let hint = Hint::Fact(fact.sku.clone(), fact.id.clone());
        self.outbox
            .send_or_leave(&[Emit {
                step: Step::UpdateStock,
                hint,
            }])
            .await;
        Answer::json(
            202,
            &json!({
                "id": fact.id,
                "sku": fact.sku,
                "location": fact.location,
                "kind": fact.kind.name(),
                "quantity": fact.quantity,
            }),
        )
    }
}
