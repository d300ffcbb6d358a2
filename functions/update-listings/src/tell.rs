//! Tells a channel of some listings, and notes what came of it.

use channels::Channel;
use channels::stock::Available;
use domain::listing::{Round, Told};
use futures::future::join_all;
use intake::Failure;
use store::StoreError;

use crate::{Run, passing};

/// Listings that are noted at the same time.
const NOTES_AT_ONCE: usize = 16;

/// Why not all was told, and the SKUs of which nobody knows what the channel shows.
type Left = (Failure, Vec<String>);

impl Run {
    /// Tells a channel of listings, all at once; where it takes nothing of that, in halves, down to the one that it does not
    /// take.
    pub(crate) async fn tell(
        &self,
        channel: &dyn Channel,
        round: &Round,
        batch: &[Available],
    ) -> Result<(), Left> {
        // A round that was taken away and begun again counts from the beginning.
        let until = round.until.map_or(0, |until| until.as_second());
        let key = format!("{until}-{}", round.turn);
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let set = self.vendors.set(channel, &round.account, &key, part).await;
            let refusals = match set {
                Ok(refusals) => Ok(refusals),
                // The address of a request can lack as a whole, and for one listing's fault.
                Err(Failure::Missing) => Err("it knows no such thing".to_owned()),
                Err(Failure::Refused(why)) => Err(why),
                Err(failure) => return Err((failure, left(part, &parts))),
            };
            let noted = match (refusals, part) {
                (Ok(refusals), _) => self.note(round, part, &refusals).await,
                (Err(why), [of]) => {
                    let refusal = (of.sku.clone(), why);
                    self.note(round, part, &[refusal]).await
                }
                (Err(_), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                    Ok(())
                }
            };
            noted.map_err(|failure| (failure, left(part, &parts)))?;
        }
        Ok(())
    }

    /// Notes what a channel was told of listings, and what of it it refused.
    async fn note(
        &self,
        round: &Round,
        part: &[Available],
        refusals: &[(String, String)],
    ) -> Result<(), Failure> {
        let at = self.clock.now();
        for some in part.chunks(NOTES_AT_ONCE) {
            let notes = some.iter().map(|of| {
                let refused = refusals.iter().find(|(sku, _)| *sku == of.sku);
                let told = Told {
                    quantity: of.quantity,
                    at,
                    refused: refused.map(|(_, why)| why.clone()),
                };
                self.note_one(round, &of.sku, Some(told))
            });
            let noted = join_all(notes).await.into_iter();
            noted.collect::<Result<(), _>>().map_err(passing)?;
        }
        Ok(())
    }

    /// Believes nothing any more of what a channel was told of these.
    pub(crate) async fn forget(&self, round: &Round, skus: &[String]) -> Result<(), Failure> {
        for some in skus.chunks(NOTES_AT_ONCE) {
            let notes = some.iter().map(|sku| self.note_one(round, sku, None));
            let noted = join_all(notes).await.into_iter();
            noted.collect::<Result<(), _>>().map_err(passing)?;
        }
        Ok(())
    }

    async fn note_one(
        &self,
        round: &Round,
        sku: &str,
        told: Option<Told>,
    ) -> Result<(), StoreError> {
        let (channel, account) = (&round.channel, &round.account);
        self.store
            .note_told(channel, account, sku, told.as_ref())
            .await
    }
}

/// The SKUs of a part, and of those after it.
fn left(part: &[Available], others: &[&[Available]]) -> Vec<String> {
    let all = others.iter().copied().chain([part]).flatten();
    all.map(|of| of.sku.clone()).collect()
}
