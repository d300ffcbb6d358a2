//! What a cloud starts with: the sample retailer, and the accounts and keys of the command line.

use anyhow::{Context, Result, anyhow, ensure};
use domain::Quantity;
use domain::catalog::{Account, Location, Product, Rate, Role, Supplier, decimals_of};
use domain::fact::StockFact;
use domain::id::{derived, sha256_hex};
use domain::payment::Provider;
use domain::poll::Poll;
use domain::rules::Rules;
use domain::stock::MovementKind;
use jiff::Timestamp;
use runtime::secrets::{ACCESS_PREFIX, PAYMENTS_PREFIX, SIGNING_PREFIX};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::{Commit, Store, Tables};

use crate::client::sdk_config;
use crate::cloud::Cloud;

/// The key of the sample retailer's operator. It opens nothing but a cloud on loopback.
pub const DEMO_KEY: &str = "demo-operator-key";
/// The sample retailer's Shopify account and its secret.
pub const DEMO_ACCOUNT: (&str, &str, &str) = ("shopify", "demo", "demo-shopify-secret");

/// The sample retailer's files.
macro_rules! retailer {
    ($name:literal) => {
        include_str!(concat!("../../../events/retailer/", $name, ".json"))
    };
}

#[derive(Deserialize)]
struct Opening {
    sku: String,
    location: String,
    quantity: Quantity,
}

/// The store on a cloud's tables, its calls counted under `caller`.
pub fn store(cloud: &Cloud, caller: &str) -> Result<Store> {
    let name = |wanted: &str| {
        let table = cloud
            .template()
            .tables
            .iter()
            .find(|table| table.name.ends_with(wanted));
        let table = table.ok_or_else(|| anyhow!("the template has no table {wanted}"))?;
        Ok::<_, anyhow::Error>(table.name.clone())
    };
    let tables = Tables {
        orders: name("orders")?,
        stock: name("stock")?,
        reference: name("reference")?,
        places: name("places")?,
    };
    Ok(Store::new(&sdk_config(cloud.services(), caller), tables))
}

/// Puts the sample retailer into a cloud that does not have its warehouses yet. They come last: who finds them all finds
/// everything, wherever an earlier start was killed.
pub async fn sample_retailer(cloud: &Cloud) -> Result<()> {
    let store = store(cloud, "seed")?;
    let (channel, account, secret) = DEMO_ACCOUNT;
    add_account(cloud, channel, account, secret).await?;
    add_key(cloud, "operator", DEMO_KEY).await?;
    let warehouses = read::<Location>("warehouses", retailer!("warehouses"))?;
    let known = store.locations().await?;
    let is_known = |wanted: &Location| known.iter().any(|location| location.id == wanted.id);
    if warehouses.iter().all(is_known) {
        return Ok(());
    }
    let products = read::<Product>("products", retailer!("products"))?;
    for product in &products {
        let same = store.put_product(product).await?;
        ensure!(same, "the catalogue has other decimals of {}", product.sku);
    }
    for supplier in read::<Supplier>("suppliers", retailer!("suppliers"))? {
        store.put_supplier(&supplier).await?;
    }
    for rate in read::<Rate>("rates", retailer!("rates"))? {
        store.put_rate(&rate).await?;
    }
    for rules in read::<Rules>("rules", retailer!("rules"))? {
        store.put_rules(&rules).await?;
    }
    for opening in read::<Opening>("stock", retailer!("stock"))? {
        receive(&store, opening, &products).await?;
    }
    for location in warehouses {
        store.put_location(&location).await?;
    }
    Ok(())
}

/// Opening stock is a receipt like any other: it is in the ledger.
async fn receive(store: &Store, opening: Opening, products: &[Product]) -> Result<()> {
    let units = opening.quantity.units(decimals_of(products, &opening.sku));
    let units = units.map_err(|why| anyhow!("{}: {why}", opening.sku))?;
    let fact = StockFact {
        id: derived(&["opening", &opening.sku, &opening.location]),
        sku: opening.sku,
        location: opening.location,
        kind: MovementKind::Receive,
        quantity: units,
        reason: "opening stock".into(),
        at: Timestamp::now(),
        applied: false,
        shares: 1,
        details: None,
    };
    let known = store.store_fact(&fact).await?;
    if known.is_some_and(|known| known.applied) {
        return Ok(());
    }
    let commit = Commit {
        changes: vec![fact.change()],
        fact: Some((fact.sku, fact.id)),
        ..Commit::default()
    };
    store.transact(commit).await?;
    Ok(())
}

/// Adds a channel account with its webhook secret.
pub async fn add_account(cloud: &Cloud, channel: &str, account: &str, secret: &str) -> Result<()> {
    let taker = cloud.template().functions.get("accept-order");
    let prefix = taker.and_then(|taker| taker.environment.get("SECRETS_PREFIX"));
    let prefix = prefix.map(String::as_str).unwrap_or_default();
    // Several accounts of one name are the old and the new secret of one account.
    let name = format!("{prefix}{channel}/{account}");
    let secrets = &cloud.services().secrets;
    let known = secrets.get(&name);
    let mut valid: Vec<String> = known
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    if !valid.iter().any(|known| known == secret) {
        valid.insert(0, secret.to_owned());
    }
    secrets.put(&name, json!(valid).to_string());
    let account = Account {
        channel: channel.to_owned(),
        account: account.to_owned(),
    };
    store(cloud, "seed")?.put_account(&account).await?;
    Ok(())
}

/// Adds what opens the API of an account of a channel, or of a payment provider, a JSON object of texts, and begins to
/// look for the channel's orders.
pub async fn add_access(cloud: &Cloud, channel: &str, account: &str, access: &str) -> Result<()> {
    let taker = cloud.template().functions.get("fetch-order");
    let prefix = taker.and_then(|taker| taker.environment.get("SECRETS_PREFIX"));
    let prefix = prefix.map(String::as_str).unwrap_or_default();
    let of = Provider::named(channel).map_or(ACCESS_PREFIX, |_| PAYMENTS_PREFIX);
    let name = format!("{of}{prefix}{channel}/{account}");
    cloud.services().secrets.put(&name, access.to_owned());
    let changes = channels::by_name(channel).and_then(|channel| channel.api()?.changes());
    if changes.is_some() {
        let poll = Poll::new(channel, account, Timestamp::now());
        store(cloud, "seed")?.begin_poll(&poll).await?;
    }
    Ok(())
}

/// Has a channel's account be told what becomes of the orders that come in from now on.
pub async fn tell(cloud: &Cloud, channel: &str, account: &str) -> Result<()> {
    let updates = channels::by_name(channel).and_then(|channel| channel.updates());
    ensure!(updates.is_some(), "no channel {channel:?} is told anything");
    let account = Account {
        channel: channel.to_owned(),
        account: account.to_owned(),
    };
    store(cloud, "seed")?.put_told_account(&account).await?;
    Ok(())
}

/// Sets what a subscriber's events are signed with, the newest first.
pub fn set_signing_secrets(cloud: &Cloud, subscriber: &str, secrets: &[&str]) {
    let publisher = cloud.template().functions.get("publish-events");
    let prefix = publisher.and_then(|publisher| publisher.environment.get("SECRETS_PREFIX"));
    let prefix = prefix.map(String::as_str).unwrap_or_default();
    let name = format!("{SIGNING_PREFIX}{prefix}{subscriber}");
    cloud
        .services()
        .secrets
        .put(&name, json!(secrets).to_string());
}

/// Adds an API key. A role is `operator`, `reader` or `warehouse:LOCATION`.
pub async fn add_key(cloud: &Cloud, role: &str, key: &str) -> Result<()> {
    let role = match role.split_once(':') {
        None if role == "operator" => Role::Operator,
        None if role == "reader" => Role::Reader,
        Some(("warehouse", location)) if !location.is_empty() => {
            Role::Warehouse(location.to_owned())
        }
        _ => {
            let expected = "operator, reader or warehouse:LOCATION";
            return Err(anyhow!("expected the role {expected}, found {role:?}"));
        }
    };
    store(cloud, "seed")?
        .put_role(&sha256_hex(key.as_bytes()), &role)
        .await?;
    Ok(())
}

fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<Vec<T>> {
    serde_json::from_str(text).with_context(|| format!("events/retailer/{name}.json"))
}
