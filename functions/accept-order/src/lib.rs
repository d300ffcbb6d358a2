//! Takes orders in: webhooks of channels, by their signature, and our own API, by key.

mod webhook;

use std::sync::Arc;

use channels::Unreadable;
use domain::Problem;
use domain::order::Order;
use domain::view::holds;
use intake::{Accepted, Intake, PublicKeys};
use runtime::auth::Keys;
use runtime::http::{Answer, Request, answer};
use runtime::secrets::Secrets;
use runtime::{Clock, Emit, Function, Outbox};
use serde_json::json;
use store::Store;

/// The account that orders of our own API belong to.
const API_ACCOUNT: &str = "default";

/// The function.
pub fn function() -> Function {
    Function {
        name: "accept-order",
        variables: &[
            "ORDERS_TABLE",
            "REFERENCE_TABLE",
            "PLACES_TABLE",
            "ALLOCATE_WAREHOUSE_QUEUE",
            "NOTIFY_WAREHOUSE_QUEUE",
            "SHIP_ORDER_QUEUE",
            "UPDATE_STOCK_QUEUE",
            "NOTIFY_CUSTOMER_QUEUE",
            "REFUND_ORDER_QUEUE",
            "UPDATE_CHANNEL_QUEUE",
            "FETCH_ORDER_QUEUE",
            "PUBLISH_EVENTS_QUEUE",
            "SECRETS_PREFIX",
        ],
        init: |setup| {
            Box::pin(async move {
                let (store, outbox) = (setup.store(), setup.outbox());
                runtime::function::warm(&store, Some(&outbox)).await;
                let (secrets, clock) = (setup.secrets(), setup.clock.clone());
                let desk = Desk {
                    keys: Keys::new(store.clone(), clock.clone()),
                    intake: Intake::new(store.clone(), clock.clone()),
                    public_keys: PublicKeys::new(setup.web.clone(), secrets.clone(), clock.clone()),
                    secrets,
                    clock,
                    store,
                    outbox,
                };
                Ok(answer("accept-order", desk, |desk, request| async move {
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
    intake: Intake,
    secrets: Secrets,
    public_keys: PublicKeys,
    clock: Clock,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        match request.route.as_str() {
            "POST /orders" => self.take_order(&request).await,
            _ => self.take_webhook(&request).await,
        }
    }

    async fn take_order(&self, request: &Request) -> Result<Answer, Answer> {
        self.keys.operator(request).await?;
        let key = request.header("idempotency-key").unwrap_or_default();
        if key.is_empty() {
            let detail =
                "send an Idempotency-Key header: what you call this order, the same on every try";
            return Err(Answer::problem(
                400,
                "no-idempotency-key",
                "Name the request",
                detail,
            ));
        }
        let now = self.clock.now();
        let new =
            channels::api::parse(&request.body, API_ACCOUNT, key, now).map_err(
                |error| match error {
                    Unreadable::Syntax {
                        line,
                        column,
                        detail,
                    } => Answer::bad_json(line, column, &detail),
                    Unreadable::Problems(problems) => Answer::invalid(&problems),
                },
            )?;
        if dry_run(request)? {
            let (accepted, known) = self.intake.try_out(new, &request.body).await?;
            let order = unless_reused(accepted)?;
            let tried = json!({"known": known, "order": receipt(&order), "holds": holds(&order)});
            return Answer::json(200, &tried);
        }
        let (accepted, emits) = self.intake.store(new, &request.body).await?;
        self.tell(&emits).await;
        let order = unless_reused(accepted)?;
        // What is said of an order never changes, so that a repeat gets the same answer.
        Answer::json(201, &receipt(&order))
    }

    /// Sends the hints that follow from what is stored.
    async fn tell(&self, emits: &[Emit]) {
        self.outbox.send_or_leave(emits).await;
    }
}

/// Whether nothing is to be stored.
fn dry_run(request: &Request) -> Result<bool, Answer> {
    match request.query("dry_run") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            let detail = format!("expected \"dry_run\" to be true or false, found {other:?}");
            Err(Answer::invalid(&[Problem::at("", detail)]))
        }
    }
}

/// The order, unless another came by its name.
fn unless_reused(accepted: Accepted) -> Result<Arc<Order>, Answer> {
    match accepted {
        Accepted::Stored(order) => Ok(order),
        Accepted::Reused(order, ..) => {
            let detail = format!(
                "the Idempotency-Key was used for another document: order {}",
                order.id
            );
            Err(Answer::problem(
                422,
                "idempotency-key-reused",
                "Use a new key",
                &detail,
            ))
        }
    }
}

/// What does not change about an order.
fn receipt(order: &Order) -> serde_json::Value {
    json!({
        "id": order.id,
        "number": order.number,
        "channel": order.source.channel,
        "account": order.source.account,
        "currency": order.currency.code(),
        "total": order.currency.format(order.total()),
        "url": format!("/orders/{}", order.id),
    })
}
