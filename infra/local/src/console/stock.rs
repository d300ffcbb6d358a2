//! What there is of everything, everywhere, and where shelf and books differ.

use std::collections::BTreeMap;

use anyhow::Result;
use axum::extract::State;
use axum::response::Response;
use domain::stock::Level;
use domain::{Product, Quantity};
use serde::Serialize;
use serde_json::json;

use super::{Console, Page, Shared};

/// Products that are asked for at a time.
const PRODUCTS: i32 = 1_000;

/// An article and where it lies.
#[derive(Serialize)]
struct Article {
    sku: String,
    /// `None` if the catalogue does not have it.
    product: Option<Product>,
    levels: Vec<LevelRow>,
}

#[derive(Serialize)]
struct LevelRow {
    level: Level,
    on_hand: Quantity,
    allocated: Quantity,
    available: Quantity,
    low: bool,
}

pub(super) async fn list(State(console): Shared) -> Response {
    let page = page(&console).await;
    console.show(page)
}

async fn page(console: &Console) -> Result<Page> {
    let mut articles: BTreeMap<String, Article> = BTreeMap::new();
    let mut from: Option<String> = None;
    loop {
        let (products, next) = console
            .store
            .list_products(from.as_deref(), PRODUCTS)
            .await?;
        for product in products {
            let article = Article {
                sku: product.sku.clone(),
                levels: Vec::new(),
                product: Some(product),
            };
            articles.insert(article.sku.clone(), article);
        }
        from = next;
        if from.is_none() {
            break;
        }
    }
    let mut from = None;
    loop {
        let (levels, next) = console.store.scan_levels(from).await?;
        for level in levels {
            let article = articles.entry(level.sku.clone());
            let article = article.or_insert_with(|| Article {
                sku: level.sku.clone(),
                product: None,
                levels: Vec::new(),
            });
            let product = article.product.as_ref();
            let low = product
                .and_then(|product| product.units(product.reorder_point?))
                .is_some_and(|point| level.available <= i64::from(point));
            let decimals = product.map_or(0, |product| product.decimals);
            article.levels.push(LevelRow {
                on_hand: Quantity::new(level.on_hand, decimals),
                allocated: Quantity::new(level.allocated, decimals),
                available: Quantity::new(level.available, decimals),
                level,
                low,
            });
        }
        from = next;
        if from.is_none() {
            break;
        }
    }
    let mut articles: Vec<Article> = articles.into_values().collect();
    for article in &mut articles {
        article
            .levels
            .sort_by(|a, b| a.level.location.cmp(&b.level.location));
    }
    let low = articles.iter().flat_map(|article| &article.levels);
    let low = low.filter(|row| row.low).count();
    let (open, more) = console.store.open_discrepancies(None).await?;
    let discrepancies: Vec<_> = open
        .iter()
        .map(|found| {
            let product = articles.iter().find(|article| article.sku == found.sku);
            let product = product.and_then(|article| article.product.as_ref());
            let text = found.describe(product.map_or(0, |product| product.decimals));
            let (sku, location) = (&found.sku, &found.location);
            json!({"id": found.id, "sku": sku, "location": location, "text": text})
        })
        .collect();
    let facts = json!({
        "title": "Stock", "articles": articles, "low": low,
        "discrepancies": discrepancies, "more": more.is_some(),
    });
    Ok(Page::new("stock.html", facts))
}
