//! Takes facts about stock: goods expected and received, counts, transfers between warehouses; and what people
//! found out where shelf and books differ.

mod requests;

use std::sync::Arc;

use domain::catalog::problems::{BAD_NAME, name};
use domain::catalog::{Role, decimals_of};
use domain::discrepancy::Resolution;
use domain::fact::{Count, Details, StockFact, Transfer};
use domain::id::derived;
use domain::inbound::Inbound;
use domain::limits::{MAX_NAME_CHARS, MAX_SKU_CHARS};
use domain::stock::MovementKind;
use domain::{Problem, Product, Refusal, Step, stock_view};
use jiff::SignedDuration;
use requests::{Adjustment, Arrived, Counted, Expected, Resolved, Sent};
use runtime::auth::{Keys, forbidden};
use runtime::http::{Answer, Request, answer};
use runtime::{Clock, Emit, Function, Hint, Outbox};
use serde_json::{Value, json};
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

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        let role = self.keys.role(&request).await?;
        if role == Role::Reader {
            return Err(stranger());
        }
        match request.route.as_str() {
            "POST /stock/{sku}/adjustments" => self.adjust(&role, &request).await,
            "PUT /stock/{sku}/inbound/{id}" => self.expect(&role, &request).await,
            "POST /stock/{sku}/counts" => self.count(&role, &request).await,
            "POST /stock/{sku}/transfers" => self.transfer(&role, &request).await,
            "POST /stock/{sku}/transfers/{id}/received" => self.arrive(&role, &request).await,
            "POST /stock/discrepancies/{id}/resolved" => self.resolve(&role, &request).await,
            other => Err(Answer::not_found(&format!("route {other:?}"))),
        }
    }

    async fn adjust(&self, role: &Role, request: &Request) -> Result<Answer, Answer> {
        let adjustment: Adjustment = request.json()?;
        let location = &adjustment.location;
        let id = id_of(role, request, location)?;
        let sku = request.path("sku");
        let product = self.exist(sku, &[("/location", location)]).await?;
        let units = adjustment.units(product.decimals).map_err(invalid)?;
        if let Some(inbound) = &adjustment.inbound {
            self.is_expected(sku, inbound).await?;
        }
        let fact = StockFact {
            id,
            sku: sku.to_owned(),
            kind: adjustment.kind.movement(),
            location: adjustment.location,
            quantity: units,
            reason: adjustment.reason,
            at: self.clock.now(),
            applied: false,
            details: adjustment.inbound.map(Details::Inbound),
            shares: product.shares,
        };
        let fact = self.store_fact(fact).await?;
        Answer::json(202, &shown(&fact, &product))
    }

    /// A purchase line, new or changed: said again, it is the same.
    async fn expect(&self, role: &Role, request: &Request) -> Result<Answer, Answer> {
        if *role != Role::Operator {
            return Err(forbidden("an operator's key"));
        }
        let expected: Expected = request.json()?;
        let (sku, id) = (request.path("sku"), request.path("id"));
        if !name(id, MAX_NAME_CHARS) {
            let detail = format!("expected a purchase line's name in the path: {BAD_NAME}");
            refuse(&[Problem::at("", detail)])?;
        }
        let location = &expected.location;
        let product = self.exist(sku, &[("/location", location)]).await?;
        let units = expected.units(product.decimals).map_err(invalid)?;
        let inbound = Inbound {
            id: id.to_owned(),
            sku: sku.to_owned(),
            location: expected.location,
            quantity: units,
            expected_on: expected.expected_on,
            received: 0,
        };
        let inbound = self.store.put_inbound(&inbound).await?;
        Answer::json(200, &stock_view::inbound(&inbound, product.decimals))
    }

    /// Refuses goods of a purchase line that is not known. Where they have come in is not asked: they have.
    async fn is_expected(&self, sku: &str, id: &str) -> Result<(), Answer> {
        let lines = self.store.inbound_of(sku).await?;
        let known = lines.iter().any(|line| line.id == id);
        let missing = (!known).then(|| {
            let detail = format!("purchase line {id:?} of {sku:?} does not exist");
            Problem::at("/inbound", detail)
        });
        refuse(missing.as_slice())
    }

    async fn count(&self, role: &Role, request: &Request) -> Result<Answer, Answer> {
        let counted: Counted = request.json()?;
        let (sku, location) = (request.path("sku"), &counted.location);
        let id = id_of(role, request, location)?;
        let product = self.exist(sku, &[("/location", location)]).await?;
        let (found, expected) = counted.units(product.decimals).map_err(invalid)?;
        let expected = match expected {
            Some(expected) => expected,
            None => {
                let keys = (0..product.shares).map(|share| (sku, location.as_str(), share));
                let levels = self.store.load_levels(&keys.collect::<Vec<_>>()).await?;
                levels.iter().map(|level| level.on_hand).sum()
            }
        };
        let count = Count { found, expected };
        let fact = StockFact {
            id,
            sku: sku.to_owned(),
            location: counted.location,
            kind: MovementKind::Count,
            quantity: count.found - count.expected,
            reason: counted.reason,
            at: self.clock.now(),
            applied: false,
            details: Some(Details::Count(count)),
            shares: product.shares,
        };
        let fact = self.store_fact(fact).await?;
        let mut document = shown(&fact, &product);
        if let Some(Details::Count(count)) = fact.details {
            document["found"] = json!(product.quantity(count.found));
            document["expected"] = json!(product.quantity(count.expected));
        }
        Answer::json(202, &document)
    }

    async fn transfer(&self, role: &Role, request: &Request) -> Result<Answer, Answer> {
        let sent: Sent = request.json()?;
        let sku = request.path("sku");
        let id = id_of(role, request, &sent.from)?;
        let named = [("/from", &sent.from), ("/to", &sent.to)];
        let product = self.exist(sku, &named).await?;
        let units = sent.units(product.decimals).map_err(invalid)?;
        // To the second, as it is stored: a repeat gives the same answer.
        let now = self.clock.now();
        let sent_at = now - SignedDuration::from_nanos(now.subsec_nanosecond().into());
        let transfer = Transfer {
            id,
            sku: sku.to_owned(),
            from: sent.from,
            to: sent.to,
            quantity: units,
            expected_on: sent.expected_on,
            sent_at,
        };
        let departure = StockFact {
            shares: product.shares,
            ..transfer.departure(sent.reason)
        };
        let fact = self.store_fact(departure).await?;
        let transfer = fact.departed().ok_or_else(Answer::internal)?;
        let view = stock_view::transfer(transfer, None, product.decimals);
        Answer::json(202, &view)
    }

    /// What arrived is all that ever will: the rest is a discrepancy. A second report says the same,
    /// or is too late.
    async fn arrive(&self, role: &Role, request: &Request) -> Result<Answer, Answer> {
        let arrived: Arrived = request.json()?;
        let (sku, id) = (request.path("sku"), request.path("id"));
        let unknown = || Answer::not_found(&format!("transfer {id:?} of {sku:?}"));
        // The database refuses keys that are too long: no transfer has such a name.
        if sku.len() > MAX_SKU_CHARS || id.len() > MAX_NAME_CHARS {
            return Err(unknown());
        }
        let departure = self.store.load_fact(sku, id).await?;
        let departure = departure.ok_or_else(unknown)?;
        let transfer = departure.departed().ok_or_else(unknown)?;
        authorise(role, &transfer.to)?;
        let product = self.store.products(&[sku]).await?.pop().unwrap_or_default();
        let units = arrived.units(product.decimals).map_err(invalid)?;
        let arrival = StockFact {
            shares: departure.shares,
            ..transfer.clone().arrival(units, self.clock.now())
        };
        let known = self.store.store_fact(&arrival).await?;
        let known = known.unwrap_or_else(|| arrival.clone());
        if known.quantity != arrival.quantity {
            return Err(Answer::from(Refusal::WrongState {
                subject: format!("transfer {id}"),
                state: format!("received, with {} units", product.quantity(known.quantity)),
                request: format!("receiving {}", product.quantity(units)),
                expected: "in transit".into(),
            }));
        }
        self.tell(&known).await;
        let received = Some(known.quantity);
        let view = stock_view::transfer(transfer, received, product.decimals);
        Answer::json(202, &view)
    }

    async fn resolve(&self, role: &Role, request: &Request) -> Result<Answer, Answer> {
        if *role != Role::Operator {
            return Err(forbidden("an operator's key"));
        }
        let resolved: Resolved = request.json()?;
        refuse(&resolved.problems())?;
        let id = request.path("id");
        let unknown = || Answer::not_found(&format!("discrepancy {id:?}"));
        if id.len() > MAX_NAME_CHARS {
            return Err(unknown());
        }
        let resolution = Resolution {
            note: resolved.note,
            at: self.clock.now(),
        };
        let found = self.store.resolve_discrepancy(id, &resolution).await?;
        let found = found.ok_or_else(unknown)?;
        let products = self.store.products(&[&found.sku]).await?;
        let decimals = decimals_of(&products, &found.sku);
        Answer::json(200, &stock_view::discrepancy(&found, decimals))
    }

    /// Refuses a report on a product or from a warehouse that does not exist; each warehouse with its
    /// place in the document. The product.
    async fn exist(&self, sku: &str, named: &[(&str, &String)]) -> Result<Product, Answer> {
        let unknown = || Answer::not_found(&format!("product {sku:?}"));
        let product = self.store.products(&[sku]).await?.pop();
        let product = product.ok_or_else(unknown)?;
        let locations = self.store.locations().await?;
        let missing = named
            .iter()
            .filter(|(_, name)| locations.iter().all(|location| location.id != **name));
        let missing = missing.map(|(pointer, name)| {
            Problem::at(*pointer, format!("location {name:?} does not exist"))
        });
        refuse(&missing.collect::<Vec<_>>())?;
        Ok(product)
    }

    /// Stores a fact, and has it applied: as it was first reported, if this is a repeat.
    async fn store_fact(&self, fact: StockFact) -> Result<StockFact, Answer> {
        let known = self.store.store_fact(&fact).await?;
        if let Some(known) = &known
            && !fact.says_as(known)
        {
            let detail = "the Idempotency-Key was used for another report on this SKU";
            return Err(Answer::problem(
                422,
                "idempotency-key-reused",
                "Use a new key",
                detail,
            ));
        }
        let fact = known.unwrap_or(fact);
        self.tell(&fact).await;
        Ok(fact)
    }

    async fn tell(&self, fact: &StockFact) {
        let hint = Hint::Fact(fact.sku.clone(), fact.id.clone());
        let step = Step::UpdateStock;
        self.outbox.send_or_leave(&[Emit { step, hint }]).await;
    }
}

/// The id of what is reported, if this key may report it, and it is named.
fn id_of(role: &Role, request: &Request, location: &str) -> Result<String, Answer> {
    authorise(role, location)?;
    let key = request.idempotency_key()?;
    Ok(derived(&[request.path("sku"), key]))
}

fn authorise(role: &Role, location: &str) -> Result<(), Answer> {
    match role {
        Role::Operator => Ok(()),
        Role::Warehouse(own) if own == location => Ok(()),
        Role::Warehouse(_) | Role::Reader => Err(stranger()),
    }
}

fn stranger() -> Answer {
    forbidden("an operator's key, or that of the warehouse itself")
}

fn invalid(problems: Vec<Problem>) -> Answer {
    Answer::invalid(&problems)
}

fn refuse(problems: &[Problem]) -> Result<(), Answer> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Answer::invalid(problems)),
    }
}

fn shown(fact: &StockFact, product: &Product) -> Value {
    json!({
        "id": fact.id,
        "sku": fact.sku,
        "location": fact.location,
        "kind": fact.kind.name(),
        "quantity": product.quantity(fact.quantity),
    })
}
