//! Answers where an order is, and why; what happened to it; what there is of a SKU.

mod promise;
mod routing;
mod stock;

use std::sync::Arc;

use domain::catalog::Role;
use domain::catalog::problems::name;
use domain::limits::{MAX_NAME_CHARS, MAX_SKU_CHARS};
use domain::listing::Listing;
use domain::{OrderId, Problem};
use runtime::auth::{Keys, forbidden};
use runtime::http::{Answer, Request, answer};
use runtime::{Clock, Function};
use serde_json::{Value, json};
use store::Store;

/// Entries of one page of a list.
const PAGE: usize = 100;

/// The function.
pub fn function() -> Function {
    Function {
        name: "query-orders",
        variables: &["ORDERS_TABLE", "STOCK_TABLE", "REFERENCE_TABLE"],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, None).await;
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    store,
                    clock: setup.clock,
                };
                Ok(answer("query-orders", desk, |desk, request| async move {
                    desk.take(request).await
                }))
            })
        },
    }
}

struct Desk {
    store: Store,
    keys: Keys,
    clock: Clock,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        let role = self.keys.role(&request).await?;
        if let Role::Warehouse(_) = role {
            return Err(forbidden("an operator's or reader's key"));
        }
        let personal = role == Role::Operator;
        match request.route.as_str() {
            "GET /orders/{id}" => self.order(&order_id(&request)?, personal).await,
            "GET /orders" => self.find(&request).await,
            "GET /orders/{id}/routing" => self.routing(&order_id(&request)?).await,
            "GET /orders/{id}/events" => self.events(&request).await,
            "GET /stock/discrepancies" => self.discrepancies(request.query("after")).await,
            "GET /stock/{sku}" => self.stock(request.path("sku")).await,
            "GET /stock/{sku}/atp" => self.atp(&request).await,
            "GET /stock/{sku}/why" => self.why(&request).await,
            "GET /warehouses" => {
                let locations = self.store.locations().await?;
                Answer::json(200, &json!({"warehouses": locations}))
            }
            "GET /suppliers" => {
                let suppliers = self.store.suppliers().await?;
                Answer::json(200, &json!({"suppliers": suppliers}))
            }
            "GET /rates" => {
                let rates = self.store.rates().await?;
                Answer::json(200, &json!({"rates": rates}))
            }
            "GET /routing/rules" => {
                let rules = self.store.rules().await?;
                Answer::json(200, &json!({"rules": rules}))
            }
            "GET /listings/{channel}/{account}" => self.listings(&request).await,
            "GET /products" => self.products(request.query("after")).await,
            other => Err(Answer::not_found(&format!("route {other:?}"))),
        }
    }

    /// Names and addresses are for operators only.
    async fn order(&self, id: &OrderId, personal: bool) -> Result<Answer, Answer> {
        let unknown = || Answer::not_found(&format!("order {id}"));
        let story = self.store.load_story(id).await?.ok_or_else(unknown)?;
        let mut document = json!(domain::view::order(&story.order));
        let expected = self.expected(&story.order).await?;
        for (line, view) in story.order.lines.iter().zip(lines_of(&mut document)) {
            let sku = line.sku.as_ref().filter(|_| line.units.backordered > 0);
            let day = sku.and_then(|sku| expected.get(sku));
            if let Some((on, basis)) = day {
                view["expected"] = json!({"date": on, "basis": basis});
            }
        }
        if personal {
            document["customer"] = json!(domain::feed::customer(&story.contact));
        }
        Answer::json(200, &document)
    }

    async fn find(&self, request: &Request) -> Result<Answer, Answer> {
        let needed = |name: &str| {
            let missing = || Problem::at("", format!("expected the query parameter {name:?}"));
            request
                .query(name)
                .filter(|text| !text.is_empty())
                .ok_or_else(missing)
        };
        let (channel, number) = match (needed("channel"), needed("number")) {
            (Ok(channel), Ok(number)) => (channel, number),
            (channel, number) => {
                let problems: Vec<Problem> = [channel.err(), number.err()]
                    .into_iter()
                    .flatten()
                    .collect();
                return Err(Answer::invalid(&problems));
            }
        };
        // The database refuses keys that are too long: no order has such a number.
        let possible = |text: &str| text.chars().count() <= MAX_NAME_CHARS;
        let ids = match possible(channel) && possible(number) {
            true => self.store.find_orders(channel, number).await?,
            false => Vec::new(),
        };
        let orders = match ids.is_empty() {
            true => Vec::new(),
            false => self.store.load_orders(&ids).await?,
        };
        let orders: Vec<_> = orders
            .iter()
            .map(|order| domain::view::order(order))
            .collect();
        Answer::json(200, &json!({"orders": orders}))
    }

    async fn products(&self, after: Option<&str>) -> Result<Answer, Answer> {
        if after.is_some_and(|sku| sku.len() > MAX_SKU_CHARS) {
            let detail =
                format!("expected \"after\" to be a SKU of at most {MAX_SKU_CHARS} characters");
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        let (products, next) = self.store.list_products(after, PAGE as i32).await?;
        Answer::json(200, &json!({"products": products, "next": next}))
    }

    /// What an account lists, what it was told last, and what of that it refused.
    async fn listings(&self, request: &Request) -> Result<Answer, Answer> {
        let (channel, account) = (request.path("channel"), request.path("account"));
        let after = request.query("after").unwrap_or_default();
        if after.len() > MAX_SKU_CHARS {
            let detail =
                format!("expected \"after\" to be a SKU of at most {MAX_SKU_CHARS} characters");
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        // The database takes no key that is too long, and nobody lists anything under such a name.
        let listings = match name(channel, MAX_NAME_CHARS) && name(account, MAX_NAME_CHARS) {
            true => self.store.listings(channel, account, after, PAGE).await?,
            false => Vec::new(),
        };
        let next = listings.last().filter(|_| listings.len() == PAGE);
        let next = next.map(|last| last.sku.clone());
        let view = |listing: &Listing| json!({"sku": listing.sku, "told": listing.told});
        let listings: Vec<Value> = listings.iter().map(view).collect();
        let document = json!({
            "channel": channel, "account": account, "listings": listings, "next": next,
        });
        Answer::json(200, &document)
    }

    async fn events(&self, request: &Request) -> Result<Answer, Answer> {
        let id = order_id(request)?;
        let after = match request.query("after") {
            None => 0,
            Some(text) => text.parse::<usize>().map_err(|_| {
                let detail = format!("expected \"after\" to be a sequence number, found {text:?}");
                Answer::invalid(&[Problem::at("", detail)])
            })?,
        };
        let unknown = || Answer::not_found(&format!("order {id}"));
        let story = self.store.load_story(&id).await?.ok_or_else(unknown)?;
        let entries = &story.timeline.entries;
        let events: Vec<_> = (1..)
            .zip(entries)
            .skip(after)
            .take(PAGE)
            .map(|(n, entry)| domain::feed::event(&story.order, n, entry, true))
            .collect();
        let seen = after.saturating_add(events.len());
        let next = (seen < entries.len()).then_some(seen);
        Answer::json(200, &json!({"order": id, "events": events, "next": next}))
    }
}

fn order_id(request: &Request) -> Result<OrderId, Answer> {
    let id = request.path("id");
    OrderId::parse(id).ok_or_else(|| Answer::not_found(&format!("order {id:?}")))
}

/// The lines in an order's document.
fn lines_of(document: &mut Value) -> &mut [Value] {
    document["lines"]
        .as_array_mut()
        .map_or(&mut [], Vec::as_mut_slice)
}
