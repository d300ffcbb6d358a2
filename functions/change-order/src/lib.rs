//! Takes what people change about an order: cancellations, holds lifted, returns, refunds, and what becomes of
//! what its channel has refused to be told.

mod requests;

use std::sync::Arc;

use domain::catalog::Location;
use domain::order::Order;
use domain::telling::{self, Resolution};
use domain::{OrderId, Problem, change, refund};
use runtime::auth::Keys;
use runtime::cached::Cached;
use runtime::http::{Answer, Request, answer};
use runtime::{Clock, Function, Outbox};
use serde_json::json;
use store::Store;

use crate::requests::{Cancel, Received, RefundWish, ReturnWish};

/// The function.
pub fn function() -> Function {
    Function {
        name: "change-order",
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
                    locations: Cached::new(setup.clock.clone()),
                    store,
                    outbox,
                    clock: setup.clock,
                };
                Ok(answer("change-order", desk, |desk, request| async move {
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
    locations: Cached<Vec<Location>>,
    clock: Clock,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        self.keys.operator(&request).await?;
        match request.route.as_str() {
            "POST /orders/{id}/cancel" => self.cancel(&request).await,
            "POST /orders/{id}/holds/{hold}/release" => self.release(&request).await,
            "POST /orders/{id}/untold/{resolution}" => self.resolve(&request).await,
            "POST /orders/{id}/returns" => self.announce(&request).await,
            "POST /returns/{id}/received" => self.receive(&request).await,
            "POST /returns/{id}/cancelled" => self.call_off(&request).await,
            "POST /orders/{id}/refunds" => self.refund(&request).await,
            "POST /refunds/{id}/confirmed" => self.confirm(&request).await,
            "POST /refunds/{id}/again" => self.repeat(&request).await,
            other => Err(Answer::not_found(&format!("route {other:?}"))),
        }
    }

    async fn cancel(&self, request: &Request) -> Result<Answer, Answer> {
        let reason = request.json::<Cancel>()?.reason()?;
        let now = self.clock.now();
        let order = self
            .change(&order_id(request)?, |order| {
                Ok(change::cancel(order, &reason, now)?)
            })
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    async fn release(&self, request: &Request) -> Result<Answer, Answer> {
        let (hold, now) = (request.path("hold"), self.clock.now());
        let order = self
            .change(&order_id(request)?, |order| {
                Ok(change::release_hold(order, hold, now)?)
            })
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    async fn resolve(&self, request: &Request) -> Result<Answer, Answer> {
        let (name, now) = (request.path("resolution"), self.clock.now());
        let resolution = Resolution::named(name);
        let resolution = resolution
            .ok_or_else(|| Answer::not_found(&format!("resolution {name:?}: again, or settled")))?;
        let order = self
            .change(&order_id(request)?, |order| {
                Ok(telling::resolve(order, resolution, now))
            })
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    async fn announce(&self, request: &Request) -> Result<Answer, Answer> {
        let key = request.idempotency_key()?;
        let lines = request.json::<ReturnWish>()?.lines()?;
        let (mut made, now) = (0, self.clock.now());
        let order = self
            .change(&order_id(request)?, |order| {
                let (next, n) = change::announce_return(order, key, &lines, now)?;
                made = n;
                Ok(next)
            })
            .await?;
        let document =
            json!({"id": format!("{}-R{made}", order.id), "order": domain::view::order(&order)});
        Answer::json(201, &document)
    }

    async fn receive(&self, request: &Request) -> Result<Answer, Answer> {
        let (id, n) = part(request, "R", "return")?;
        let received: Received = request.json()?;
        let locations = self.locations.get(self.store.locations()).await?;
        let now = self.clock.now();
        let order = self
            .change(&id, |order| {
                let (location, lines) = received.of(order, n)?;
                if !locations.iter().any(|known| known.id == location) {
                    let detail = format!("location {location:?} does not exist");
                    return Err(Answer::invalid(&[Problem::at("/location", detail)]));
                }
                Ok(change::receive_return(order, n, &location, &lines, now)?)
            })
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    async fn call_off(&self, request: &Request) -> Result<Answer, Answer> {
        let (id, n) = part(request, "R", "return")?;
        let now = self.clock.now();
        let order = self
            .change(&id, |order| Ok(change::cancel_return(order, n, now)?))
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    async fn refund(&self, request: &Request) -> Result<Answer, Answer> {
        let key = request.idempotency_key()?;
        let wish: RefundWish = request.json()?;
        let (mut made, now) = (0, self.clock.now());
        let order = self
            .change(&order_id(request)?, |order| {
                let (next, n) = refund::request(order, key, &wish.of(order)?, now)?;
                made = n;
                Ok(next)
            })
            .await?;
        let document =
            json!({"id": format!("{}-F{made}", order.id), "order": domain::view::order(&order)});
        Answer::json(201, &document)
    }

    async fn confirm(&self, request: &Request) -> Result<Answer, Answer> {
        let (id, n) = part(request, "F", "refund")?;
        let now = self.clock.now();
        let order = self
            .change(&id, |order| Ok(refund::confirm(order, n, now)?))
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    async fn repeat(&self, request: &Request) -> Result<Answer, Answer> {
        let (id, n) = part(request, "F", "refund")?;
        let now = self.clock.now();
        let order = self
            .change(&id, |order| Ok(refund::repeat(order, n, now)?))
            .await?;
        Answer::json(200, &domain::view::order(&order))
    }

    /// Changes an order, sends what follows, and gives the order as it is then.
    async fn change(
        &self,
        id: &OrderId,
        decide: impl FnMut(&Order) -> Result<Option<Order>, Answer>,
    ) -> Result<Arc<Order>, Answer> {
        let driven = self.store.drive(id, None, decide).await?;
        let order = self.outbox.tell(driven).await;
        order.ok_or_else(|| Answer::not_found(&format!("order {id}")))
    }
}

fn order_id(request: &Request) -> Result<OrderId, Answer> {
    let id = request.path("id");
    OrderId::parse(id).ok_or_else(|| Answer::not_found(&format!("order {id:?}")))
}

fn part(request: &Request, kind: &str, what: &str) -> Result<(OrderId, u32), Answer> {
    let id = request.path("id");
    OrderId::parse_part(id, kind).ok_or_else(|| Answer::not_found(&format!("{what} {id:?}")))
}
