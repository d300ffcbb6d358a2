//! The retailer's own facts, and the places of postal codes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::catalog::{Account, Location, Product, Rate, Role, Supplier};
use domain::geo::Point;
use domain::rules::Rules;
use store::{PostalCode, PostalCodes, Reference, StoreError};

use super::{Memory, unknown};
use crate::faults::Kind;
use crate::mutant::Mutant;

#[async_trait]
impl Reference for Memory {
    async fn locations(&self) -> Result<Vec<Location>, StoreError> {
        self.read("Query", |state| {
            sorted(&state.tables.retailer.locations, |location| &location.id)
        })
        .await
    }

    async fn suppliers(&self) -> Result<Vec<Supplier>, StoreError> {
        self.read("Query", |state| {
            sorted(&state.tables.retailer.suppliers, |supplier| &supplier.id)
        })
        .await
    }

    async fn rates(&self) -> Result<Vec<Rate>, StoreError> {
        self.read("Query", |state| {
            sorted(&state.tables.retailer.rates, |rate| &rate.id)
        })
        .await
    }

    async fn rules(&self) -> Result<Vec<Rules>, StoreError> {
        self.read("Query", |state| match state.is_off(Mutant::BufferIsKept) {
            true => Vec::new(),
            false => state.tables.retailer.rules.clone(),
        })
        .await
    }

    async fn products(&self, skus: &[&str]) -> Result<Vec<Product>, StoreError> {
        if skus.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let retailer = &state.tables.retailer;
            let all = || retailer.products.iter().chain(&retailer.kits);
            let of = |sku: &&str| all().find(|product| product.sku == **sku);
            skus.iter().filter_map(of).cloned().collect()
        })
        .await
    }

    async fn list_products(
        &self,
        _after: Option<&str>,
        _limit: i32,
    ) -> Result<(Vec<Product>, Option<String>), StoreError> {
        let products = self
            .look("Scan", Kind::EventualRead, |state, _| {
                let retailer = &state.tables.retailer;
                retailer
                    .products
                    .iter()
                    .chain(&retailer.kits)
                    .cloned()
                    .collect()
            })
            .await?;
        Ok((products, None))
    }

    async fn account(&self, _: &str, _: &str) -> Result<Option<Account>, StoreError> {
        Err(unknown("accounts"))
    }

    async fn told_accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read("Query", |state| state.tables.retailer.told.clone())
            .await
    }

    async fn role(&self, sha256: &str) -> Result<Option<Role>, StoreError> {
        // A key may be read as it was; here it always was.
        self.look("GetItem", Kind::EventualRead, |state, _| {
            let known = state.tables.retailer.key_sha256 == sha256;
            known.then_some(Role::Operator)
        })
        .await
    }

    async fn put_location(&self, _: &Location) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_supplier(&self, _: &Supplier) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_rate(&self, _: &Rate) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_rules(&self, _: &Rules) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_product(&self, _: &Product) -> Result<bool, StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_account(&self, _: &Account) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_told_account(&self, _: &Account) -> Result<(), StoreError> {
        Err(unknown("changes of accounts"))
    }

    async fn put_role(&self, _: &str, _: &Role) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }
}

#[async_trait]
impl PostalCodes for Memory {
    async fn postal_countries(&self) -> Result<BTreeSet<String>, StoreError> {
        // What was imported may be read as it was; here it always was.
        self.look("GetItem", Kind::EventualRead, |state, _| {
            let codes = state.tables.retailer.postal_codes.iter();
            codes.map(|code| code.country.clone()).collect()
        })
        .await
    }

    async fn postal_code(&self, country: &str, area: &str) -> Result<Option<Point>, StoreError> {
        self.look("GetItem", Kind::EventualRead, |state, _| {
            let mut codes = state.tables.retailer.postal_codes.iter();
            let found = codes.find(|code| code.country == country && code.area == area);
            found.map(|code| code.point)
        })
        .await
    }

    async fn put_postal_codes(&self, _: &[PostalCode]) -> Result<Vec<PostalCode>, StoreError> {
        Err(unknown("imports"))
    }

    async fn add_postal_countries(&self, _: &BTreeSet<String>) -> Result<(), StoreError> {
        Err(unknown("imports"))
    }
}

/// Items of one partition, in the order of their sort keys.
fn sorted<T: Clone>(all: &[T], id: impl Fn(&T) -> &String) -> Vec<T> {
    let mut all = all.to_vec();
    all.sort_by(|a, b| id(a).cmp(id(b)));
    all
}
