//! What the accounts of channels list.

use std::collections::BTreeSet;

use domain::Problem;
use domain::catalog::problems::name;
use domain::limits::{MAX_NAME_CHARS, MAX_SKU_CHARS};
use domain::listing::{Listing, Round};
use runtime::http::{Answer, Request};
use serde::Deserialize;
use serde_json::json;

use crate::{Desk, documents, pointer};

/// What may be said of a listing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    sku: String,
}

impl Desk {
    /// `PUT /listings/{channel}/{account}`: what an account lists besides what it does already.
    pub(crate) async fn list(&self, request: &Request) -> Result<usize, Answer> {
        let (channel, account) = (request.path("channel"), request.path("account"));
        let is_told = channels::by_name(channel).is_some_and(|of| of.stock().is_some());
        if !is_told || !name(account, MAX_NAME_CHARS) {
            let unknown =
                format!("an account {account:?} of a channel {channel:?} that is told of stock");
            return Err(Answer::not_found(&unknown));
        }
        let listed: Vec<Listed> = documents(request, |_| Vec::new())?;
        let skus: BTreeSet<&str> = listed.iter().map(|of| of.sku.as_str()).collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let known = match skus.is_empty() {
            true => Vec::new(),
            false => self.store.products(&skus).await?,
        };
        let unknown = listed.iter().enumerate().filter(|(_, of)| {
            let mut known = known.iter();
            !known.any(|product| product.sku == of.sku)
        });
        let problems = unknown.map(|(n, of)| {
            let detail = format!("expected a product of the catalogue, found {:?}", of.sku);
            Problem::at(pointer(request, n, "/sku"), detail)
        });
        let problems: Vec<Problem> = problems.collect();
        if !problems.is_empty() {
            return Err(Answer::invalid(&Problem::first_of(problems)));
        }
        for sku in &skus {
            let listing = Listing::new(channel, account, sku);
            self.store.put_listing(&listing).await?;
        }
        // Afterwards: who dies before is asked again, and then lists what it can tell of.
        let round = Round::new(channel, account);
        self.store.begin_round(&round).await?;
        Ok(listed.len())
    }

    /// `DELETE /listings/{channel}/{account}/{sku}`: its channel is told nothing of it any more, and shows what it shows.
    pub(crate) async fn unlist(&self, request: &Request) -> Result<Answer, Answer> {
        let (channel, account) = (request.path("channel"), request.path("account"));
        let sku = request.path("sku");
        // The database takes no key that is too long.
        let possible = name(channel, MAX_NAME_CHARS)
            && name(account, MAX_NAME_CHARS)
            && (1..=MAX_SKU_CHARS).contains(&sku.len());
        match possible && self.store.delete_listing(channel, account, sku).await? {
            true => Answer::json(200, &json!({"deleted": sku})),
            false => {
                let unknown = format!("a listing of {sku:?} by {account:?} on {channel:?}");
                Err(Answer::not_found(&unknown))
            }
        }
    }
}
