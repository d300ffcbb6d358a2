//! Takes orders in: webhooks of channels, by their signature, and our own API, by key.

mod webhook;

use std::collections::BTreeSet;
use std::sync::Arc;

use channels::Unreadable;
use domain::geo::{Located, Point, postal_area};
use domain::id::sha256_hex;
use domain::intake::NewOrder;
use domain::kit::{component_skus, take_apart};
use domain::order::{Address, Contact, LocatedBy, Order};
use domain::{Problem, Product};
use jiff::Timestamp;
use runtime::auth::Keys;
use runtime::cached::Cached;
use runtime::http::{Answer, Request, answer};
use runtime::products::Products;
use runtime::secrets::Secrets;
use runtime::{Clock, Emit, Function, Outbox};
use serde_json::json;
use store::{Created, Store, StoreError};

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
            "SECRETS_PREFIX",
        ],
        init: |setup| {
            Box::pin(async move {
                let (store, outbox) = (setup.store(), setup.outbox());
                runtime::function::warm(&store, Some(&outbox)).await;
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    products: Products::new(store.clone(), setup.clock.clone()),
                    postal_countries: Cached::new(setup.clock.clone()),
                    secrets: setup.secrets(),
                    clock: setup.clock.clone(),
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
    products: Products,
    /// The countries whose postal codes the retailer has imported.
    postal_countries: Cached<BTreeSet<String>>,
    secrets: Secrets,
    clock: Clock,
}

/// An order whose quantities its products can have.
struct Measured {
    new: NewOrder,
    /// Those that it names, as far as they are known.
    products: Vec<Product>,
}

/// What became of an order that came in.
enum Accepted {
    /// It is stored; it was there, or it is new.
    Stored(Arc<Order>),
    /// Another document came under the same name before: the order as it is, and what this one would make.
    Reused(Arc<Order>, Arc<Order>, Box<Contact>),
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
        let new = self.measured(new).await?;
        let new = new.map_err(|problems| Answer::invalid(&problems))?;
        match self.store_order(new, &request.body, now).await? {
            // What is said of an order never changes, so that a repeat gets the same answer.
            Accepted::Stored(order) => Answer::json(201, &receipt(&order)),
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

    /// The order in the measure of the products that it names; or which of its quantities they cannot have.
    async fn measured(&self, mut new: NewOrder) -> Result<Result<Measured, Vec<Problem>>, Answer> {
        let products = self.products.get(new.skus()).await?;
        let problems = new.measure(&products);
        Ok(match problems.is_empty() {
            true => Ok(Measured { new, products }),
            false => Err(problems),
        })
    }

    async fn store_order(
        &self,
        Measured { new, products }: Measured,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Accepted, Answer> {
        let source = new.source.clone();
        let (order, contact) = self.accept(new, products, body, now).await?;
        let order = Arc::new(order);
        match self.store.create_order(&order, &contact).await? {
            Created::New => {
                self.outbox.send_or_leave(&Emit::again(&order)).await;
                Ok(Accepted::Stored(order))
            }
            Created::Known(known) if known.source != source => {
                tracing::error!(order = %known.id, "two orders share an id");
                Err(Answer::internal())
            }
            Created::Known(known) => {
                // Whoever stored it may have died before it told anybody.
                self.outbox.send_or_leave(&Emit::again(&known)).await;
                let (_, stored) = self.store.load_order_with_contact(&known.id).await?;
                match stored.fingerprint == contact.fingerprint {
                    true => Ok(Accepted::Stored(known)),
                    false => Ok(Accepted::Reused(known, order, Box::new(contact))),
                }
            }
        }
    }

    /// The order as it would be if it were new.
    async fn accept(
        &self,
        mut new: NewOrder,
        mut products: Vec<Product>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(Order, Contact), Answer> {
        new.contact.fingerprint = sha256_hex(body);
        let components: BTreeSet<&str> = component_skus(&products).collect();
        if !components.is_empty() {
            products.extend(self.products.get(components).await?);
            new = take_apart(new, &products);
        }
        // Nobody keeps kits in stock: one that could not be taken apart has to be looked at.
        let kept = products
            .into_iter()
            .filter(|product| product.components.is_empty());
        let known = kept.map(|product| product.sku).collect();
        new.located = match new.unlocated() {
            Some(address) => self.locate(address).await?,
            None => None,
        };
        Ok(new.accept(&known, now))
    }
}

impl Desk {
    /// Where an address is: by the postal codes that the retailer has imported, else by our own tables.
    async fn locate(&self, address: &Address) -> Result<Option<Located>, StoreError> {
        let imported = self.imported(address).await?;
        let imported = imported.map(|point| Located {
            point,
            by: LocatedBy::PostalCode,
        });
        Ok(imported.or_else(|| places::locate(address)))
    }

    async fn imported(&self, address: &Address) -> Result<Option<Point>, StoreError> {
        let country = &address.country;
        let Some(area) = postal_area(country, &address.postal_code) else {
            return Ok(None);
        };
        let countries = self.postal_countries.get(self.store.postal_countries());
        match countries.await?.contains(country) {
            true => self.store.postal_code(country, &area).await,
            false => Ok(None),
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
