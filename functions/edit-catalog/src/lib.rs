//! Takes what the retailer says of its warehouses, products, suppliers and tariffs, and of what its channels list. Putting
//! the same again changes nothing.

mod listings;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Problem;
use domain::catalog::problems::{
    location_problems, product_problems, rate_problems, rules_problems, supplier_problems,
};
use domain::catalog::{Location, Product, Rate, Supplier};
use domain::kit::component_skus;
use domain::limits::MAX_QUANTITY;
use domain::rules::Rules;
use runtime::Function;
use runtime::auth::Keys;
use runtime::http::{Answer, Request, answer};
use serde::de::DeserializeOwned;
use serde_json::json;
use store::Store;

/// Documents of one request.
const MAX_DOCUMENTS: usize = 100;

/// The function.
pub fn function() -> Function {
    Function {
        name: "edit-catalog",
        variables: &["STOCK_TABLE", "REFERENCE_TABLE"],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, None).await;
                let desk = Desk {
                    keys: Keys::new(store.clone(), setup.clock.clone()),
                    store,
                };
                Ok(answer("edit-catalog", desk, |desk, request| async move {
                    desk.take(request).await
                }))
            })
        },
    }
}

struct Desk {
    store: Store,
    keys: Keys,
}

impl Desk {
    async fn take(self: Arc<Self>, request: Request) -> Result<Answer, Answer> {
        self.keys.operator(&request).await?;
        let stored = match request.route.as_str() {
            "PUT /warehouses" => {
                let locations: Vec<Location> = documents(&request, location_problems)?;
                for location in &locations {
                    self.store.put_location(location).await?;
                }
                locations.len()
            }
            "PUT /products" => {
                let products: Vec<Product> = documents(&request, product_problems)?;
                self.check_components(&request, &products).await?;
                self.keep_what_is_stored(&request, &products).await?;
                for (n, product) in products.iter().enumerate() {
                    // Somebody may have stored another one meanwhile.
                    if !self.store.put_product(product).await? {
                        let detail = format!("expected other decimals, found {}", product.decimals);
                        let pointer = pointer(&request, n, "/decimals");
                        return Err(Answer::invalid(&[Problem::at(pointer, detail)]));
                    }
                }
                products.len()
            }
            "PUT /suppliers" => {
                let suppliers: Vec<Supplier> = documents(&request, supplier_problems)?;
                for supplier in &suppliers {
                    self.store.put_supplier(supplier).await?;
                }
                suppliers.len()
            }
            "PUT /routing/rules" => {
                let rules: Vec<Rules> = documents(&request, rules_problems)?;
                for rules in &rules {
                    self.store.put_rules(rules).await?;
                }
                rules.len()
            }
            "PUT /rates" => {
                let rates: Vec<Rate> = documents(&request, rate_problems)?;
                for rate in &rates {
                    self.store.put_rate(rate).await?;
                }
                rates.len()
            }
            "PUT /listings/{channel}/{account}" => self.list(&request).await?,
            "DELETE /listings/{channel}/{account}/{sku}" => return self.unlist(&request).await,
            other => return Err(Answer::not_found(&format!("route {other:?}"))),
        };
        Answer::json(200, &json!({"stored": stored}))
    }
}

impl Desk {
    /// What is in a kit has to be in the catalogue, or in the same request, and be no kit itself.
    async fn check_components(
        &self,
        request: &Request,
        products: &[Product],
    ) -> Result<(), Answer> {
        let wanted: BTreeSet<&str> = component_skus(products).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let new = |sku: &str| products.iter().rev().find(|product| product.sku == sku);
        let unknown: Vec<&str> = wanted
            .into_iter()
            .filter(|sku| new(sku).is_none())
            .collect();
        let known = self.store.products(&unknown).await?;
        let of = |sku: &str| new(sku).or_else(|| known.iter().find(|known| known.sku == sku));
        let mut problems = Vec::new();
        for (n, product) in products.iter().enumerate() {
            for (k, component) in product.components.iter().enumerate() {
                let detail = match of(&component.sku) {
                    Some(found) if found.components.is_empty() => {
                        let quantity = component.quantity;
                        let wrong = quantity.count(found.decimals, 1, MAX_QUANTITY).err();
                        problems.extend(wrong.map(|detail| {
                            let within = format!("/components/{k}/quantity");
                            Problem::at(pointer(request, n, &within), detail)
                        }));
                        continue;
                    }
                    Some(_) => "expected a product that is no kit itself",
                    None => "expected a product of the catalogue",
                };
                let pointer = pointer(request, n, &format!("/components/{k}/sku"));
                problems.push(Problem::at(
                    pointer,
                    format!("{detail}, found {:?}", component.sku),
                ));
            }
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(Answer::invalid(&Problem::first_of(problems))),
        }
    }
}

impl Desk {
    /// Refuses products with fewer shares than they have: what is in the others would not be found any more;
    /// and those with other decimals: everything that is stored of them counts units of these.
    async fn keep_what_is_stored(
        &self,
        request: &Request,
        products: &[Product],
    ) -> Result<(), Answer> {
        let skus: BTreeSet<&str> = products.iter().map(|product| &*product.sku).collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let known = match skus.is_empty() {
            true => Vec::new(),
            false => self.store.products(&skus).await?,
        };
        let mut problems = Vec::new();
        for (n, product) in products.iter().enumerate() {
            let same = |known: &&Product| known.sku == product.sku;
            let before = products[..n].iter().rev().find(same);
            let Some(known) = before.or_else(|| known.iter().find(same)) else {
                continue;
            };
            let (had, found) = (known.shares, product.shares);
            if found < had {
                let detail =
                    format!("expected at least the {had} shares that there are, found {found}");
                problems.push(Problem::at(pointer(request, n, "/shares"), detail));
            }
            let (had, found) = (known.decimals, product.decimals);
            if found != had {
                let detail =
                    format!("expected the {had} decimals that it has for good, found {found}");
                problems.push(Problem::at(pointer(request, n, "/decimals"), detail));
            }
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(Answer::invalid(&problems)),
        }
    }
}

/// Where in a request something of its `n`th document is.
fn pointer(request: &Request, n: usize, within: &str) -> String {
    match is_list(request) {
        true => format!("/{n}{within}"),
        false => within.to_owned(),
    }
}

fn is_list(request: &Request) -> bool {
    request.body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[')
}

/// A list of documents, or one by itself; nothing is stored unless all of them can be.
fn documents<T: DeserializeOwned>(
    request: &Request,
    problems: impl Fn(&T) -> Vec<Problem>,
) -> Result<Vec<T>, Answer> {
    let documents: Vec<T> = match is_list(request) {
        true => request.json()?,
        false => vec![request.json()?],
    };
    if documents.len() > MAX_DOCUMENTS {
        let detail = format!(
            "expected at most {MAX_DOCUMENTS} documents, found {}",
            documents.len()
        );
        return Err(Answer::invalid(&[Problem::at("", detail)]));
    }
    let mut found = Vec::new();
    for (n, document) in documents.iter().enumerate() {
        for problem in problems(document) {
            let pointer = pointer(request, n, &problem.pointer);
            found.push(Problem::at(pointer, problem.detail));
        }
    }
    match found.is_empty() {
        true => Ok(documents),
        false => Err(Answer::invalid(&Problem::first_of(found))),
    }
}
