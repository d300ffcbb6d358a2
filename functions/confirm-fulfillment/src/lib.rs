//! Takes what warehouses report: accepted, packed (also short), shipped, rejected, delivered.

use std::sync::Arc;

use domain::catalog::Role;
use domain::fulfillment::{Report, report};
use domain::limits::{MAX_LINES, MAX_NAME_CHARS, MAX_TEXT_CHARS};
use domain::order::Order;
use domain::{OrderId, Problem, Quantity};
use runtime::auth::{Keys, forbidden};
use runtime::http::{Answer, Request, answer};
use runtime::{Clock, Function, Outbox};
use serde::Deserialize;
use store::Store;

/// The function.
pub fn function() -> Function {
    Function {
        name: "confirm-fulfillment",
        variables: &[
            "ORDERS_TABLE",
            "REFERENCE_TABLE",
            "ALLOCATE_WAREHOUSE_QUEUE",
            "NOTIFY_WAREHOUSE_QUEUE",
            "SHIP_ORDER_QUEUE",
            "UPDATE_STOCK_QUEUE",
            "NOTIFY_CUSTOMER_QUEUE",
            "REFUND_ORDER_QUEUE",
            "UPDATE_CHANNEL_QUEUE",
            "PUBLISH_EVENTS_QUEUE",
        ],
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
                Ok(answer(
                    "confirm-fulfillment",
                    desk,
                    |desk, request| async move { desk.take(request).await },
                ))
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

/// The body of `packed`: what is in the parcel; without lines, everything.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Packed {
    lines: Option<Vec<PackedLine>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackedLine {
    line: String,
    quantity: Quantity,
}

/// The body of `shipped`: by the warehouse's own means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shipped {
    carrier: String,
    tracking_number: String,
}

/// The body of `rejected`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejected {
    reason: String,
}

/// The body of reports that say all in their name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        let role = self.keys.role(&request).await?;
        let id = request.path("id");
        let unknown = || Answer::not_found(&format!("fulfillment order {id:?}"));
        let (order, n) = OrderId::parse_part(id, "").ok_or_else(unknown)?;
        let report_of = read(&request)?;
        let now = self.clock.now();
        let decide = |order: &Order| -> Result<Option<Order>, Answer> {
            let location = &order.fulfillment(n)?.location;
            match &role {
                Role::Operator => {}
                Role::Warehouse(own) if own == location => {}
                Role::Warehouse(_) | Role::Reader => {
                    return Err(forbidden(
                        "an operator's key, or that of the warehouse itself",
                    ));
                }
            }
            Ok(report(order, n, &report_of, now)?)
        };
        let driven = self.store.drive(&order, None, decide).await?;
        let order = self.outbox.tell(driven).await.ok_or_else(unknown)?;
        let fulfillment = order.fulfillment(n)?;
        Answer::json(200, &domain::view::fulfillment(&order, fulfillment))
    }
}

fn read(request: &Request) -> Result<Report, Answer> {
    let bounded = |pointer: &str, text: String, max: usize| match text.chars().count() {
        n if (1..=max).contains(&n) => Ok(text),
        n => {
            let detail = format!("expected 1 to {max} characters, found {n}");
            Err(Answer::invalid(&[Problem::at(pointer, detail)]))
        }
    };
    match request.path("report") {
        "accepted" => request.json::<Nothing>().map(|_| Report::Accepted),
        "delivered" => request.json::<Nothing>().map(|_| Report::Delivered),
        "packed" => {
            let lines = request.json::<Packed>()?.lines;
            if lines.as_ref().is_some_and(|lines| lines.len() > MAX_LINES) {
                let detail = format!("expected at most {MAX_LINES} lines");
                return Err(Answer::invalid(&[Problem::at("/lines", detail)]));
            }
            let units = |line: PackedLine| (line.line, line.quantity);
            Ok(Report::Packed(
                lines.map(|lines| lines.into_iter().map(units).collect()),
            ))
        }
        "shipped" => {
            let Shipped {
                carrier,
                tracking_number,
            } = request.json()?;
            Ok(Report::Shipped {
                carrier: bounded("/carrier", carrier, MAX_NAME_CHARS)?,
                tracking_number: bounded("/tracking_number", tracking_number, MAX_NAME_CHARS)?,
            })
        }
        "rejected" => {
            let Rejected { reason } = request.json()?;
            Ok(Report::Rejected(bounded(
                "/reason",
                reason,
                MAX_TEXT_CHARS,
            )?))
        }
        other => {
            let expected = "accepted, packed, shipped, rejected or delivered";
            Err(Answer::not_found(&format!(
                "expected the report {expected}, found {other:?}"
            )))
        }
    }
}
