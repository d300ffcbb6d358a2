//! The public keys of channels whose deliveries name the one that they are signed with: asked for by the channel's API, and kept for a
//! while.
//!
//! Anybody can send a delivery that names a key. So after one that there is not no other is asked for, for a while, and
//! who names it meanwhile is to come again. An instance is at one delivery at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::vendor::Keys;
use channels::{Channel, Delivery, Secret};
use domain::limits::{KEY_BELIEVED_S, KEY_PAUSE_S, MAX_PUBLIC_KEYS};
use jiff::Timestamp;
use runtime::Clock;
use runtime::secrets::Secrets;
use runtime::web::{KEY, Web};

use crate::{Failure, Vendors};

/// Public keys by the names that deliveries give them.
pub struct PublicKeys {
    vendors: Vendors,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By account and id: since when it is known, and the key.
    keys: HashMap<(String, String), (Timestamp, Arc<Secret>)>,
    /// Of each account that was asked for a key and has not given it.
    pauses: HashMap<String, Pause>,
}

/// A time in which no other key is asked for.
struct Pause {
    since: Timestamp,
    time: Duration,
    /// The id that it knows no key of; `None`: it has not answered, and is not asked at all.
    unknown: Option<String>,
}

/// What is known of a key.
enum Found {
    Key(Arc<Secret>),
    /// There is none of this name.
    Missing,
    /// It is not to be asked for now.
    Later,
    Nothing,
}

impl PublicKeys {
    /// Keys that are had over the web, from APIs that the secrets of webhooks open.
    pub fn new(web: Arc<dyn Web>, secrets: Secrets, clock: Clock) -> Self {
        Self {
            vendors: Vendors::new(web, secrets, clock.clone()).within(KEY),
            clock,
            known: Mutex::default(),
        }
    }

    /// The key that a delivery names and none of the account's secrets has, as a secret that has it; `None`: it names
    /// none, or there is no such key. `doubt`: what is remembered did not match, so that it is asked for. A failure
    /// passes, or a person has to look at the access.
    pub async fn get(
        &self,
        channel: &dyn Channel,
        account: &str,
        delivery: &Delivery<'_>,
        secrets: &[Secret],
        doubt: bool,
    ) -> Result<Option<Arc<Secret>>, Failure> {
        let Some((keys, id)) = wanted(channel, delivery, secrets) else {
            return Ok(None);
        };
        let of = (format!("{}/{account}", channel.name()), id);
        match self.find(&of) {
            Found::Key(key) => return Ok(Some(key)),
            Found::Missing => return Ok(None),
            Found::Later | Found::Nothing if !doubt => return Ok(None),
            Found::Later => return Err(Failure::Again(0, "it was asked just now".into())),
            Found::Nothing => {}
        }
        let asked = self.vendors.key(keys, channel.name(), account, &of.1).await;
        match asked {
            Ok(key) => {
                let key = Arc::new(key);
                self.remember(of, Arc::clone(&key));
                Ok(Some(key))
            }
            Err(failure @ (Failure::Again(..) | Failure::Locked(_))) => {
                self.pause(of, &failure);
                Err(failure)
            }
            Err(failure) => {
                self.pause(of, &failure);
                let channel = channel.name();
                let why = match failure {
                    Failure::Refused(why) => why,
                    // What it says may be quoted there.
                    Failure::Unreadable(_) => "it is of another kind".into(),
                    _ => "there is none".into(),
                };
                tracing::warn!(channel, account, why, "a delivery names a key of no use");
                Ok(None)
            }
        }
    }

    fn find(&self, of: &(String, String)) -> Found {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = known.keys.get(of);
        let believed = Duration::from_secs(KEY_BELIEVED_S);
        if let Some((since, key)) = key
            && self.clock.within(*since, believed)
        {
            return Found::Key(Arc::clone(key));
        }
        let pause = known.pauses.get(&of.0);
        match pause.filter(|pause| self.clock.within(pause.since, pause.time)) {
            None => Found::Nothing,
            Some(Pause { unknown, .. }) => match unknown {
                Some(unknown) if *unknown == of.1 => Found::Missing,
                // One that was there is not made up: no other keeps it from being asked for again.
                Some(_) if key.is_some() => Found::Nothing,
                _ => Found::Later,
            },
        }
    }

    fn remember(&self, of: (String, String), key: Arc<Secret>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.keys.len() >= MAX_PUBLIC_KEYS {
            known.keys.clear();
        }
        known.keys.insert(of, (self.clock.now(), key));
    }

    /// Asks the account for nothing else for a while, and no sooner than it wishes.
    fn pause(&self, of: (String, String), failure: &Failure) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (seconds, answers) = match failure {
            Failure::Again(seconds, _) => (u64::try_from(*seconds).unwrap_or_default(), false),
            Failure::Locked(_) => (0, false),
            _ => (0, true),
        };
        if answers {
            known.keys.remove(&of);
        }
        let (account, id) = of;
        let pause = Pause {
            since: self.clock.now(),
            time: Duration::from_secs(seconds.max(KEY_PAUSE_S)),
            unknown: answers.then_some(id),
        };
        known.pauses.insert(account, pause);
    }
}

/// The id of the key that has to be asked for, and by what: one that no secret has, in which nothing has to be asked. It is
/// asked for by the newest secret, if that can.
fn wanted<'c>(
    channel: &'c dyn Channel,
    delivery: &Delivery<'_>,
    secrets: &[Secret],
) -> Option<(&'c dyn Keys, String)> {
    let keys = channel.keys()?;
    let opens = |secret: &Secret| keys.parts().iter().all(|part| secret.part(part).is_some());
    let id = keys.named(delivery)?;
    let typed = secrets.iter().any(|secret| secret.part(&id).is_some());
    (!typed && secrets.first().is_some_and(opens)).then_some((keys, id))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use runtime::secrets::Vault;
    use runtime::web::Https;

    use super::*;

    struct Empty;

    #[async_trait]
    impl Vault for Empty {
        async fn read(&self, _: &str) -> Result<Option<String>, String> {
            Ok(None)
        }
    }

    #[test]
    fn keys_do_not_fill_the_memory() {
        let clock = Clock::system();
        let secrets = Secrets::new(Arc::new(Empty), String::new(), clock.clone());
        let keys = PublicKeys::new(Arc::new(Https::default()), secrets, clock);
        let key = Arc::new(Secret::read("{}"));
        for n in 0..=2 * MAX_PUBLIC_KEYS {
            let of = (format!("ebay/{n}"), "k".to_owned());
            keys.remember(of.clone(), Arc::clone(&key));
            assert!(matches!(keys.find(&of), Found::Key(_)));
            let known = keys.known.lock().unwrap().keys.len();
            assert_eq!(known, n % MAX_PUBLIC_KEYS + 1);
        }
    }
}
