//! Taking orders in, whoever brings them: located, kits taken apart, stored once, and restated by what is
//! newer. And the way to the vendors whose channels only say that an order has changed, or by which key they sign.

mod public_keys;
mod vendors;

use std::collections::BTreeSet;
use std::sync::Arc;

use channels::Channel;
use domain::Problem;
use domain::catalog::Account;
use domain::geo::{Located, Point, postal_area};
use domain::id::sha256_hex;
use domain::intake::NewOrder;
use domain::kit::{component_skus, take_apart};
use domain::order::{Address, Contact, LocatedBy, Order, Source};
use domain::restate::{self, Statement};
use domain::subscriber::Subscriber;
use jiff::Timestamp;
use runtime::cached::Cached;
use runtime::http::Answer;
use runtime::products::Products;
use runtime::{Clock, Emit};
use store::{Created, Driven, Store, StoreError};

pub use public_keys::PublicKeys;
pub use vendors::{Failure, Vendors};

/// Takes orders in.
pub struct Intake {
    store: Store,
    products: Products,
    /// The countries whose postal codes the retailer has imported.
    postal_countries: Cached<BTreeSet<String>>,
    /// The accounts of channels that are told what becomes of their orders.
    told: Cached<Vec<Account>>,
    /// Who hears of what happens to orders.
    subscribers: Cached<Vec<Subscriber>>,
    clock: Clock,
}

/// How a channel has stated an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It has sent the document: one that came before is a repeat, and says nothing new.
    Delivered,
    /// It was asked: this is what it says now, even if it has said so before and something else since, in
    /// the same second.
    Asked,
}

/// What became of an order that came in. The hints that follow from it are the caller's to send.
pub enum Accepted {
    /// It is stored; it was there, or it is new.
    Stored(Arc<Order>),
    /// Another document came under the same name before: the order as it is, and what this one would make.
    Reused(Arc<Order>, Arc<Order>, Box<Contact>),
}

/// Why an order was not taken in.
#[derive(Debug)]
pub enum Refused {
    /// The store failed.
    Store(StoreError),
    /// Its products cannot have these quantities.
    Quantities(Vec<Problem>),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error.into(),
            Refused::Quantities(problems) => Self::invalid(&problems),
        }
    }
}

impl Intake {
    /// Takes orders into a store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            products: Products::new(store.clone(), clock.clone()),
            postal_countries: Cached::new(clock.clone()),
            told: Cached::new(clock.clone()),
            subscribers: Cached::new(clock.clone()),
            store,
            clock,
        }
    }

    /// Stores an order that was read from `body`, unless it is there.
    pub async fn store(
        &self,
        new: NewOrder,
        body: &[u8],
    ) -> Result<(Accepted, Vec<Emit>), Refused> {
        self.put(new, body, Told::Delivered).await
    }

    /// What would become of an order that was read from `body`, without storing it; and whether it is stored.
    pub async fn try_out(&self, new: NewOrder, body: &[u8]) -> Result<(Accepted, bool), Refused> {
        let (order, contact) = self.accept(new, body, self.clock.now()).await?;
        let order = Arc::new(order);
        match self.store.load_order(&order.id).await? {
            None => Ok((Accepted::Stored(order), false)),
            Some(known) => {
                let accepted = self.known(known, order, contact, Told::Delivered).await?;
                Ok((accepted, true))
            }
        }
    }

    async fn put(
        &self,
        new: NewOrder,
        body: &[u8],
        how: Told,
    ) -> Result<(Accepted, Vec<Emit>), Refused> {
        let (order, contact) = self.accept(new, body, self.clock.now()).await?;
        let order = Arc::new(order);
        match self.store.create_order(&order, &contact).await? {
            Created::New => {
                let emits = Emit::again(&order);
                Ok((Accepted::Stored(order), emits))
            }
            Created::Known(known) => {
                // Whoever stored it may have died before it told anybody.
                let emits = Emit::again(&known);
                Ok((self.known(known, order, contact, how).await?, emits))
            }
        }
    }

    /// What becomes of an order whose name is known.
    async fn known(
        &self,
        known: Arc<Order>,
        order: Arc<Order>,
        contact: Contact,
        how: Told,
    ) -> Result<Accepted, StoreError> {
        if known.source != order.source {
            let (key, cause) = (known.id.to_string(), "two orders share an id".into());
            return Err(StoreError::Unreadable { key, cause });
        }
        let (_, stored) = self.store.load_order_with_contact(&known.id).await?;
        let again = stored.fingerprint == contact.fingerprint;
        Ok(match again && how == Told::Delivered {
            true => Accepted::Stored(known),
            false => Accepted::Reused(known, order, Box::new(contact)),
        })
    }

    /// Takes an order in as a channel states it, be it new or known; and the hints that follow.
    pub async fn take(
        &self,
        new: NewOrder,
        body: &[u8],
        how: Told,
    ) -> Result<(Arc<Order>, Vec<Emit>), Refused> {
        let now = self.clock.now();
        let (refunds, shipped) = (new.refunds.clone(), new.shipped);
        let (accepted, emits) = self.put(new, body, how).await?;
        let (known, stated, contact) = match accepted {
            Accepted::Stored(order) => return Ok((order, emits)),
            Accepted::Reused(known, stated, contact) => (known, stated, contact),
        };
        let statement = Statement {
            order: &stated,
            contact: &contact,
            refunds: &refunds,
            shipped,
        };
        let driven = self.store.restate(&known.id, |order, contact| {
            restate::restate(order, contact, statement, now)
        });
        let order = match driven.await? {
            Driven::Changed(_, order) | Driven::Unchanged(order) => order,
            Driven::Missing => known,
        };
        // Of everything, not only of what is new: a repeat may find something else to change, and whoever took
        // in the first may have died before he told of it.
        Ok((Arc::clone(&order), Emit::again(&order)))
    }

    /// The order as it would be if it were new.
    async fn accept(
        &self,
        mut new: NewOrder,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(Order, Contact), Refused> {
        new.contact.fingerprint = sha256_hex(body);
        let mut products = self.products.get(new.skus()).await?;
        let problems = new.measure(&products);
        if !problems.is_empty() {
            return Err(Refused::Quantities(problems));
        }
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
        (new.told, new.awaited) = self.told(&new).await?;
        new.located = match new.unlocated() {
            Some(address) => self.locate(address).await?,
            None => None,
        };
        let (order, contact) = new.accept(&known, now);
        let subscribers = self.subscribers.get(self.store.subscribers()).await?;
        let order = match subscribers.iter().any(|subscriber| subscriber.enabled) {
            true => order.fed(now),
            false => order,
        };
        Ok((order, contact))
    }

    /// Whether an order's channel is told what becomes of it, and whether it waits for word that it has come in. Only
    /// of channels that can be told anybody is asked.
    async fn told(&self, new: &NewOrder) -> Result<(bool, bool), StoreError> {
        let Source {
            channel, account, ..
        } = &new.source;
        let Some(updates) = channels::by_name(channel).and_then(Channel::updates) else {
            return Ok((false, false));
        };
        let told = self.told.get(self.store.told_accounts()).await?;
        let of = |known: &Account| known.channel == *channel && known.account == *account;
        Ok((told.iter().any(of), updates.waits()))
    }

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
