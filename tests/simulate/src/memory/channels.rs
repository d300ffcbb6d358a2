//! How far channels' orders are known, and what they were told of stock.

use async_trait::async_trait;
use domain::listing::{Listing, Round, Told};
use domain::poll::Poll;
use jiff::ToSpan;
use store::{Listings, Polls, StoreError};

use super::{Memory, unknown};
use crate::mutant::Mutant;

#[async_trait]
impl Polls for Memory {
    async fn polls(&self) -> Result<Vec<Poll>, StoreError> {
        self.read("Query", |state| state.tables.polls.clone()).await
    }

    async fn begin_poll(&self, poll: &Poll) -> Result<(), StoreError> {
        self.change("PutItem", |state| {
            let same =
                |known: &Poll| (&known.channel, &known.account) == (&poll.channel, &poll.account);
            if !state.tables.polls.iter().any(same) {
                state.tables.polls.push(poll.clone());
            }
        })
        .await
    }

    async fn save_poll(&self, poll: &Poll) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let off = state.is_off(Mutant::CursorWaitsForHandOver);
            let same = |known: &&mut Poll| {
                (&known.channel, &known.account) == (&poll.channel, &poll.account)
                    && known.turn + 1 == poll.turn
            };
            match state.tables.polls.iter_mut().find(same) {
                Some(known) => {
                    *known = poll.clone();
                    if off {
                        // What is looked for again would hide it.
                        known.since = known
                            .since
                            .saturating_add(1.second())
                            .unwrap_or(known.since);
                        known.settled = true;
                    }
                    true
                }
                None => false,
            }
        })
        .await
    }
}

#[async_trait]
impl Listings for Memory {
    async fn rounds(&self) -> Result<Vec<Round>, StoreError> {
        self.read("Query", |state| state.tables.rounds.clone())
            .await
    }

    async fn begin_round(&self, _: &Round) -> Result<(), StoreError> {
        Err(unknown("changes of what is listed"))
    }

    async fn save_round(&self, round: &Round) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let any = state.is_off(Mutant::RoundIsOfTheTurnSeen);
            let in_doubt = !state.is_off(Mutant::DoubtIsNoted);
            let same = |known: &&mut Round| {
                (&known.channel, &known.account) == (&round.channel, &round.account)
                    && (any || known.turn + 1 == round.turn)
            };
            let Some(known) = state.tables.rounds.iter_mut().find(same) else {
                return false;
            };
            *known = round.clone();
            if !in_doubt {
                known.in_doubt.clear();
            }
            state.look_at_the_shop();
            true
        })
        .await
    }

    async fn listings(
        &self,
        channel: &str,
        account: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<Listing>, StoreError> {
        self.read("Query", |state| {
            let own = |of: &&Listing| of.channel == channel && of.account == account;
            let listings = state.tables.listings.iter().filter(own);
            let listings = listings.filter(|of| of.sku.as_str() > after);
            listings.take(most).cloned().collect()
        })
        .await
    }

    async fn put_listing(&self, _: &Listing) -> Result<(), StoreError> {
        Err(unknown("changes of what is listed"))
    }

    async fn delete_listing(&self, _: &str, _: &str, _: &str) -> Result<bool, StoreError> {
        Err(unknown("changes of what is listed"))
    }

    async fn note_told(
        &self,
        channel: &str,
        account: &str,
        sku: &str,
        told: Option<&Told>,
    ) -> Result<(), StoreError> {
        self.change("UpdateItem", |state| {
            let mut listings = state.tables.listings.iter_mut();
            let own = |of: &&mut Listing| {
                (&*of.channel, &*of.account, &*of.sku) == (channel, account, sku)
            };
            if let Some(listing) = listings.find(own) {
                listing.told = told.cloned();
            }
            state.look_at_the_shop();
        })
        .await
    }
}
