//! The retailer's own facts: few, small, read often and changed seldom.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::catalog::{Account, Location, Product, Rate, Role, Supplier};
use domain::limits::MAX_SKU_CHARS;
use domain::rules::Rules;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::item::{Item, item, key, text, value};
use crate::{DynamoDb, StoreError, key};

/// The retailer's own facts.
#[async_trait]
pub trait Reference: Send + Sync {
    /// All warehouses.
    async fn locations(&self) -> Result<Vec<Location>, StoreError>;

    /// All suppliers.
    async fn suppliers(&self) -> Result<Vec<Supplier>, StoreError>;

    /// All tariffs.
    async fn rates(&self) -> Result<Vec<Rate>, StoreError>;

    /// All rules of routing.
    async fn rules(&self) -> Result<Vec<Rules>, StoreError>;

    /// The products of these SKUs; those that do not exist are left out.
    async fn products(&self, skus: &[&str]) -> Result<Vec<Product>, StoreError>;

    /// A page of all products, after the SKU given, and the SKU after which to go on.
    async fn list_products(
        &self,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Product>, Option<String>), StoreError>;

    /// The account of a channel, if it exists.
    async fn account(&self, channel: &str, account: &str) -> Result<Option<Account>, StoreError>;

    /// The accounts of channels that are told what becomes of their orders.
    async fn told_accounts(&self) -> Result<Vec<Account>, StoreError>;

    /// What an API key allows, by the SHA-256 of the key.
    async fn role(&self, sha256: &str) -> Result<Option<Role>, StoreError>;

    /// Stores a warehouse, new or changed.
    async fn put_location(&self, location: &Location) -> Result<(), StoreError>;

    /// Stores a supplier, new or changed.
    async fn put_supplier(&self, supplier: &Supplier) -> Result<(), StoreError>;

    /// Stores a tariff, new or changed.
    async fn put_rate(&self, rate: &Rate) -> Result<(), StoreError>;

    /// Stores a channel's rules of routing, new or changed.
    async fn put_rules(&self, rules: &Rules) -> Result<(), StoreError>;

    /// Stores a product, new or changed; `false`, and nothing is stored, if there is one of this SKU with
    /// other decimals.
    async fn put_product(&self, product: &Product) -> Result<bool, StoreError>;

    /// Stores an account, new or changed.
    async fn put_account(&self, account: &Account) -> Result<(), StoreError>;

    /// Has an account be told what becomes of its orders, of those that come in from now on.
    async fn put_told_account(&self, account: &Account) -> Result<(), StoreError>;

    /// Stores what an API key allows, under the SHA-256 of the key: the key itself is nowhere.
    async fn put_role(&self, sha256: &str, role: &Role) -> Result<(), StoreError>;
}

#[async_trait]
impl Reference for DynamoDb {
    async fn locations(&self) -> Result<Vec<Location>, StoreError> {
        self.list(key::LOCATION).await
    }

    async fn suppliers(&self) -> Result<Vec<Supplier>, StoreError> {
        self.list(key::SUPPLIER).await
    }

    async fn rates(&self) -> Result<Vec<Rate>, StoreError> {
        self.list(key::RATE).await
    }

    async fn rules(&self) -> Result<Vec<Rules>, StoreError> {
        self.list(key::RULES).await
    }

    async fn products(&self, skus: &[&str]) -> Result<Vec<Product>, StoreError> {
        let keys: Vec<Item> = skus
            .iter()
            // The database refuses keys that are too long: no product has such a SKU.
            .filter(|sku| sku.len() <= MAX_SKU_CHARS)
            .map(|sku| key(key::product(sku), key::ALONE))
            .collect();
        let mut products = Vec::with_capacity(keys.len());
        for keys in keys.chunks(100) {
            for item in self
                .batch_get(&self.tables.reference, keys.to_vec())
                .await?
            {
                products.push(plain(item)?);
            }
        }
        Ok(products)
    }

    async fn list_products(
        &self,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Product>, Option<String>), StoreError> {
        let mut products = Vec::new();
        let mut from = after.map(|sku| key(key::product(sku), key::ALONE));
        loop {
            let page = self
                .db
                .scan()
                .table_name(&self.tables.reference)
                .filter_expression("entity = :product")
                .expression_attribute_values(":product", text("product"))
                .limit(limit)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| StoreError::of("Scan (products)", error))?;
            for item in page.items.unwrap_or_default() {
                products.push(plain(item)?);
            }
            from = page.last_evaluated_key;
            let next = from.as_ref().and_then(|key| match key.get("pk") {
                Some(AttributeValue::S(pk)) => pk.strip_prefix("PRODUCT#").map(str::to_owned),
                _ => None,
            });
            // A page may end on an item that is no product: then there is no SKU to go on from yet.
            if from.is_none() || (next.is_some() && !products.is_empty()) {
                return Ok((products, next));
            }
        }
    }

    async fn account(&self, channel: &str, account: &str) -> Result<Option<Account>, StoreError> {
        let key = key(key::account(channel, account), key::ALONE);
        self.get(&self.tables.reference, key).await
    }

    async fn told_accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.list(key::TOLD).await
    }

    async fn role(&self, sha256: &str) -> Result<Option<Role>, StoreError> {
        let key = key(key::api_key(sha256), key::ALONE);
        self.get(&self.tables.reference, key).await
    }

    async fn put_location(&self, location: &Location) -> Result<(), StoreError> {
        self.put(location, "location", key::LOCATION.into(), &location.id)
            .await
    }

    async fn put_supplier(&self, supplier: &Supplier) -> Result<(), StoreError> {
        self.put(supplier, "supplier", key::SUPPLIER.into(), &supplier.id)
            .await
    }

    async fn put_rate(&self, rate: &Rate) -> Result<(), StoreError> {
        self.put(rate, "rate", key::RATE.into(), &rate.id).await
    }

    async fn put_rules(&self, rules: &Rules) -> Result<(), StoreError> {
        self.put(rules, "rules", key::RULES.into(), &rules.channel)
            .await
    }

    async fn put_product(&self, product: &Product) -> Result<bool, StoreError> {
        let new = item(product, "product", key::product(&product.sku), key::ALONE)?;
        let put = self.db.put_item().table_name(&self.tables.reference);
        let put = match product.decimals {
            0 => put.condition_expression("attribute_not_exists(decimals)"),
            decimals => put
                .condition_expression("attribute_not_exists(pk) OR decimals = :decimals")
                .expression_attribute_values(":decimals", AttributeValue::N(decimals.to_string())),
        };
        match put.set_item(Some(new)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::of("PutItem (reference)", error)),
            },
        }
    }

    async fn put_account(&self, account: &Account) -> Result<(), StoreError> {
        let pk = key::account(&account.channel, &account.account);
        self.put(account, "account", pk, key::ALONE).await
    }

    async fn put_told_account(&self, account: &Account) -> Result<(), StoreError> {
        let sk = key::of_account(&account.channel, &account.account);
        self.put(account, "told", key::TOLD.into(), &sk).await
    }

    async fn put_role(&self, sha256: &str, role: &Role) -> Result<(), StoreError> {
        self.put(role, "key", key::api_key(sha256), key::ALONE)
            .await
    }
}

impl DynamoDb {
    async fn list<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, StoreError> {
        let items = self
            .query_partition(&self.tables.reference, pk.to_owned(), "")
            .await?;
        items.into_iter().map(plain).collect()
    }

    /// An item, read as it was at some moment just past, as a value that knows nothing of keys.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        table: &str,
        key: Item,
    ) -> Result<Option<T>, StoreError> {
        let found = self
            .db
            .get_item()
            .table_name(table)
            .set_key(Some(key))
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem (reference)", error))?;
        found.item.map(plain).transpose()
    }

    async fn put<T: Serialize>(
        &self,
        of: &T,
        entity: &str,
        pk: String,
        sk: &str,
    ) -> Result<(), StoreError> {
        self.db
            .put_item()
            .table_name(&self.tables.reference)
            .set_item(Some(item(of, entity, pk, sk)?))
            .send()
            .await
            .map_err(|error| StoreError::of("PutItem (reference)", error))?;
        Ok(())
    }
}

/// An item as a value of a type that knows nothing of keys, and refuses fields that it does not know.
pub(crate) fn plain<T: DeserializeOwned>(mut item: Item) -> Result<T, StoreError> {
    for name in ["pk", "sk", "entity", "schema", "version"] {
        item.remove(name);
    }
    value(item)
}
