//! Products, remembered for a while: every order asks for the same few.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use domain::Product;
use jiff::Timestamp;
use store::{Store, StoreError};

use crate::cached::BELIEVED;
use crate::clock::Clock;

/// Products that are remembered at once.
const MAX_REMEMBERED: usize = 10_000;

/// Knows products. One that is not in the catalogue is asked for again each time, so that it is
/// seen as soon as it is there.
#[derive(Debug)]
pub struct Products {
    store: Store,
    clock: Clock,
    known: Mutex<HashMap<String, (Timestamp, Product)>>,
}

impl Products {
    /// Products of the reference table.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            known: Mutex::default(),
        }
    }

    /// The products of these SKUs; those that do not exist are left out.
    pub async fn get(&self, skus: BTreeSet<&str>) -> Result<Vec<Product>, StoreError> {
        let (mut found, mut missing) = (Vec::with_capacity(skus.len()), Vec::new());
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for sku in skus {
                match known.get(sku) {
                    Some((since, product)) if self.clock.within(*since, BELIEVED) => {
                        found.push(product.clone())
                    }
                    _ => missing.push(sku),
                }
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let read = self.store.products(&missing).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + read.len() > MAX_REMEMBERED {
            known.clear();
        }
        let now = self.clock.now();
        known.extend(
            read.iter()
                .map(|product| (product.sku.clone(), (now, product.clone()))),
        );
        found.extend(read);
        Ok(found)
    }
}
