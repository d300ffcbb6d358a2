//! Keeps goods for somebody for a while: for a cart, for a quote. All that is asked for, or nothing.

mod requests;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::allocation::Available;
use domain::candidates::Network;
use domain::id::{derived, sha256_hex};
use domain::intake::NewOrder;
use domain::kit::{component_skus, take_apart};
use domain::limits::{LEDGER_PAGE, MAX_NAME_CHARS, MAX_RESERVED_LEVELS};
use domain::reservation::{Kept, Reservation, ReservationStatus, Unreserved, choose};
use domain::stock::{Level, MovementKind};
use domain::{Order, Problem, Product, Refusal, stock_view};
use futures::future::join_all;
use jiff::Timestamp;
use requests::{Asked, Extended};
use runtime::auth::Keys;
use runtime::backoff::pause;
use runtime::cached::Cached;
use runtime::http::{Answer, Request, answer};
use runtime::products::Products;
use runtime::{Clock, Emit, Function, Outbox};
use store::{Commit, Ending, Store, StoreError, Transacted};

/// The function.
pub fn function() -> Function {
    Function {
        name: "reserve-stock",
        variables: &["STOCK_TABLE", "REFERENCE_TABLE", "ALLOCATE_WAREHOUSE_QUEUE"],
        init: |setup| {
            Box::pin(async move {
                let (store, outbox) = (setup.store(), setup.outbox());
                runtime::function::warm(&store, Some(&outbox)).await;
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    products: Products::new(store.clone(), setup.clock.clone()),
                    network: Cached::new(setup.clock.clone()),
                    store,
                    outbox,
                    clock: setup.clock,
                };
                Ok(answer("reserve-stock", desk, |desk, request| async move {
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
    network: Cached<Network>,
    clock: Clock,
}

/// What is to be kept, as it would be ordered.
struct Wanted {
    order: Order,
    /// The location that each line of the request names.
    places: Vec<Option<String>>,
    products: Vec<Product>,
    network: Arc<Network>,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        match request.route.as_str() {
            "GET /reservations/{id}" => self.keys.reader(&request).await?,
            _ => self.keys.operator(&request).await?,
        }
        match request.route.as_str() {
            "GET /reservations/{id}" => {
                let known = self.known(request.path("id")).await?;
                Answer::json(200, &stock_view::reservation(&known))
            }
            "POST /reservations" => self.reserve(&request).await,
            "POST /reservations/{id}/extended" => self.extend(&request).await,
            "POST /reservations/{id}/released" => self.release(&request).await,
            other => Err(Answer::not_found(&format!("route {other:?}"))),
        }
    }

    async fn reserve(&self, request: &Request) -> Result<Answer, Answer> {
        let id = derived(&["reservation", request.idempotency_key()?]);
        let asked: Asked = request.json()?;
        let fingerprint = sha256_hex(&request.body);
        // A repeat gets what is kept for it, whatever is available by now.
        if let Some(known) = self.load(&id).await? {
            return repeated(&known, &fingerprint);
        }
        refuse(&asked.problems())?;
        let now = self.clock.now();
        let held_until = Timestamp::from_second(now.as_second() + asked.expires_in_s);
        let held_until = held_until.map_err(|_| Answer::internal())?;
        let wanted = self.wanted(asked, &id, now).await?;
        for tries in 1..=store::MAX_ATTEMPTS {
            let mut levels = self.levels(&wanted.order).await?;
            let kept = match wanted.choose(&levels, now) {
                Ok(kept) => kept,
                // What is lacking may have gone to this very request, sent twice.
                Err(too_much) => match self.load(&id).await? {
                    Some(known) => return repeated(&known, &fingerprint),
                    None => return Err(too_much),
                },
            };
            let reservation = Reservation {
                id: id.clone(),
                status: ReservationStatus::Held,
                held_until,
                kept,
                fingerprint: fingerprint.clone(),
                order: None,
            };
            let mut changes = reservation.changes(MovementKind::Reserve, now);
            for kept in &reservation.kept {
                let mut products = wanted.products.iter();
                if let Some(product) = products.find(|product| product.sku == kept.sku) {
                    let stays = product.safety_stock_in(&kept.location);
                    changes.keep(&kept.sku, &kept.location, stays);
                }
            }
            let changes = changes.into_vec();
            levels.retain(|level| {
                level.tail.len() >= LEDGER_PAGE && changes.iter().any(|change| change.is_of(level))
            });
            let commit = Commit {
                pages: self.store.put_pages(&levels).await,
                changes,
                reserved: Some(reservation.clone()),
                ..Commit::default()
            };
            match self.store.transact(commit).await? {
                Transacted::Done(_) => {
                    return Answer::json(201, &stock_view::reservation(&reservation));
                }
                Transacted::Conflict(conflict) => {
                    if conflict.busy {
                        self.clock.pause(pause(&id, tries)).await;
                    }
                    if let Some(known) = self.load(&id).await? {
                        return repeated(&known, &fingerprint);
                    }
                }
            }
        }
        Err(Answer::unavailable())
    }

    async fn extend(&self, request: &Request) -> Result<Answer, Answer> {
        let extended: Extended = request.json()?;
        refuse(&extended.problems())?;
        let id = request.path("id");
        if id.len() > MAX_NAME_CHARS {
            return Err(unknown(id));
        }
        let now = self.clock.now();
        let until = Timestamp::from_second(now.as_second() + extended.expires_in_s);
        let until = until.map_err(|_| Answer::internal())?;
        let known = self.store.extend_reservation(id, until).await?;
        let known = known.ok_or_else(|| unknown(id))?;
        match known.is_held() {
            true => Answer::json(200, &stock_view::reservation(&known)),
            false => Err(ended(&known, "extending")),
        }
    }

    async fn release(&self, request: &Request) -> Result<Answer, Answer> {
        let id = request.path("id");
        for tries in 1..=store::MAX_ATTEMPTS {
            let mut known = self.known(id).await?;
            match known.status {
                ReservationStatus::Held => {}
                // Whoever released it may have died before he told anybody.
                ReservationStatus::Released => {
                    self.tell_waiting(&known).await?;
                    return Answer::json(200, &stock_view::reservation(&known));
                }
                _ => return Err(ended(&known, "releasing")),
            }
            let now = self.clock.now();
            let commit = Commit {
                changes: known.changes(MovementKind::Unreserve, now).into_vec(),
                ended: vec![Ending {
                    id: known.id.clone(),
                    status: ReservationStatus::Released,
                    order: None,
                    at: now,
                    held_until: None,
                }],
                ..Commit::default()
            };
            match self.store.transact(commit).await? {
                Transacted::Done(_) => {
                    self.tell_waiting(&known).await?;
                    known.status = ReservationStatus::Released;
                    return Answer::json(200, &stock_view::reservation(&known));
                }
                Transacted::Conflict(conflict) if conflict.busy => {
                    self.clock.pause(pause(id, tries)).await;
                }
                Transacted::Conflict(_) => {}
            }
        }
        Err(Answer::unavailable())
    }

    async fn load(&self, id: &str) -> Result<Option<Reservation>, StoreError> {
        Ok(self.store.load_reservations(&[id]).await?.pop())
    }

    async fn known(&self, id: &str) -> Result<Reservation, Answer> {
        // The database refuses keys that are too long: no reservation has such a name.
        if id.len() > MAX_NAME_CHARS {
            return Err(unknown(id));
        }
        self.load(id).await?.ok_or_else(|| unknown(id))
    }

    /// Hints at the orders that wait for what a reservation kept.
    async fn tell_waiting(&self, ended: &Reservation) -> Result<(), StoreError> {
        let mut emits = Vec::new();
        for sku in ended.skus() {
            emits.extend(Emit::to_waiting(&self.store, sku).await?);
        }
        self.outbox.send_or_leave(&emits).await;
        Ok(())
    }

    /// What is asked for as it would be ordered, with its kits taken apart; or what is wrong with it.
    async fn wanted(&self, asked: Asked, id: &str, now: Timestamp) -> Result<Wanted, Answer> {
        let mut new = asked.as_order(id, now).ok_or_else(Answer::internal)?;
        refuse(&new.problems())?;
        let network = self.network.get(self.store.network()).await?;
        let mut products = self.products.get(new.skus()).await?;
        let mut problems = new.measure(&products);
        for (n, line) in asked.lines.iter().enumerate() {
            if products.iter().all(|product| product.sku != line.sku) {
                let detail = format!("product {:?} does not exist", line.sku);
                problems.push(Problem::at(format!("/lines/{n}/sku"), detail));
            }
            let known = |name: &String| network.locations.iter().any(|l| l.id == *name);
            if let Some(name) = line.location.as_ref().filter(|name| !known(name)) {
                let detail = format!("location {name:?} does not exist");
                problems.push(Problem::at(format!("/lines/{n}/location"), detail));
            }
        }
        refuse(&problems)?;
        let components: BTreeSet<&str> = component_skus(&products).collect();
        let components = self.products.get(components).await?;
        products.extend(components);
        let new: NewOrder = take_apart(new, &products);
        let count = new.lines.len();
        if count > MAX_RESERVED_LEVELS {
            let detail = format!(
                "expected at most {MAX_RESERVED_LEVELS} lines, kits taken apart, found {count}"
            );
            refuse(&[Problem::at("/lines", detail)])?;
        }
        let (mut order, _) = new.accept(&BTreeSet::new(), now);
        // Nobody has to look at what is not bought.
        order.holds.clear();
        Ok(Wanted {
            order,
            places: asked.lines.into_iter().map(|line| line.location).collect(),
            products,
            network,
        })
    }

    /// What there is of everything that would be ordered, in all shares.
    async fn levels(&self, order: &Order) -> Result<Vec<Level>, StoreError> {
        let skus = order.lines.iter().filter_map(|line| line.sku.as_deref());
        let skus: BTreeSet<&str> = skus.collect();
        let reads = skus.into_iter().map(|sku| self.store.levels_of(sku));
        let mut levels = Vec::new();
        for read in join_all(reads).await {
            levels.extend(read?);
        }
        Ok(levels)
    }
}

impl Wanted {
    fn choose(&self, levels: &[Level], now: Timestamp) -> Result<Vec<Kept>, Answer> {
        let mut available = Available::default();
        for level in levels {
            available.note(level);
        }
        let Self {
            order,
            places,
            products,
            network,
        } = self;
        let kept = choose(order, places, network, products, &available, now);
        kept.map_err(|why| match why {
            Unreserved::TooFew(problems) => Answer::too_much(&problems),
            Unreserved::TooManyPlaces => {
                let detail = format!(
                    "expected goods in at most {MAX_RESERVED_LEVELS} places: reserve them in several parts"
                );
                Answer::too_much(&[Problem::at("/lines", detail)])
            }
        })
    }
}

fn repeated(known: &Reservation, fingerprint: &str) -> Result<Answer, Answer> {
    if known.fingerprint != fingerprint {
        let detail = format!(
            "the Idempotency-Key was used for another document: reservation {}",
            known.id
        );
        return Err(Answer::problem(
            422,
            "idempotency-key-reused",
            "Use a new key",
            &detail,
        ));
    }
    Answer::json(201, &stock_view::reservation(known))
}

fn unknown(id: &str) -> Answer {
    Answer::not_found(&format!("reservation {id:?}"))
}

fn ended(known: &Reservation, request: &str) -> Answer {
    Answer::from(Refusal::WrongState {
        subject: format!("reservation {}", known.id),
        state: known.status.name().into(),
        request: request.into(),
        expected: ReservationStatus::Held.name().into(),
    })
}

fn refuse(problems: &[Problem]) -> Result<(), Answer> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Answer::invalid(problems)),
    }
}
