//! What a function is built from: its environment, a clock, and the way to AWS.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_types::SdkConfig;
use store::{Database, Store, Tables};

use crate::bus::{Bus, EventBridge};
use crate::clock::Clock;
use crate::mail::Post;
use crate::outbox::{Outbox, STEP_QUEUES};
use crate::parked::{DeadLetters, STEP_DEAD_LETTERS, SqsDeadLetters};
use crate::secrets::{ACCESS_PREFIX, PAYMENTS_PREFIX, SIGNING_PREFIX, Secrets, Vault};
use crate::sqs::{Queues, Sqs};
use crate::web::Web;

/// The way to AWS.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of it in a process, and it is the larger one"
)]
pub enum Aws {
    /// AWS's own clients: region, credentials, endpoint, HTTP client.
    Sdk(SdkConfig),
    /// A simulation in its place.
    StandIn(Arc<dyn StandIn>),
}

/// What answers in AWS's place, service by service.
pub trait StandIn: Send + Sync {
    /// In DynamoDB's.
    fn database(&self) -> Arc<dyn Database>;
    /// In SQS's.
    fn queues(&self) -> Arc<dyn Queues>;
    /// In SQS's, for what the steps gave up on.
    fn dead_letters(&self) -> Arc<dyn DeadLetters>;
    /// In that of Secrets Manager.
    fn vault(&self) -> Arc<dyn Vault>;
    /// In SES's.
    fn post(&self) -> Arc<dyn Post>;
    /// In EventBridge's.
    fn bus(&self) -> Arc<dyn Bus>;
}

/// What a function is built from.
#[derive(Clone)]
pub struct Setup {
    /// The environment's variables.
    pub env: Arc<BTreeMap<String, String>>,
    /// Tells the time.
    pub clock: Clock,
    /// The way to AWS.
    pub aws: Aws,
    /// The way to everybody else.
    pub web: Arc<dyn Web>,
}

impl Setup {
    /// A variable that the function has declared; empty if it has not.
    pub fn var(&self, name: &str) -> String {
        self.env.get(name).cloned().unwrap_or_default()
    }

    /// The store on the tables that the function has declared.
    pub fn store(&self) -> Store {
        let aws = match &self.aws {
            Aws::Sdk(aws) => aws,
            Aws::StandIn(other) => return Store::on(other.database()),
        };
        let tables = Tables {
            orders: self.var("ORDERS_TABLE"),
            stock: self.var("STOCK_TABLE"),
            reference: self.var("REFERENCE_TABLE"),
            places: self.var("PLACES_TABLE"),
        };
        Store::new(aws, tables)
    }

    /// The queues that the function has declared: those of the steps, and its own for what it gives
    /// up on.
    pub fn queues(&self) -> Arc<dyn Queues> {
        let aws = match &self.aws {
            Aws::Sdk(aws) => aws,
            Aws::StandIn(other) => return other.queues(),
        };
        let url = |step: domain::Step| (step, self.var(STEP_QUEUES[step as usize]));
        let urls = domain::Step::ALL.into_iter().map(url).collect();
        Arc::new(Sqs::new(aws, urls, self.var("DEAD_LETTERS_QUEUE")))
    }

    /// The way to the steps' queues.
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.queues())
    }

    /// The event bus that the function has declared.
    pub fn bus(&self) -> Arc<dyn Bus> {
        match &self.aws {
            Aws::Sdk(aws) => Arc::new(EventBridge::new(aws, self.var("EVENT_BUS"))),
            Aws::StandIn(other) => other.bus(),
        }
    }

    /// What the steps gave up on, and the way back to their queues.
    pub fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        let aws = match &self.aws {
            Aws::Sdk(aws) => aws,
            Aws::StandIn(other) => return other.dead_letters(),
        };
        let urls = |step: domain::Step| {
            let (from, to) = (STEP_DEAD_LETTERS[step as usize], STEP_QUEUES[step as usize]);
            (step, (self.var(from), self.var(to)))
        };
        let urls = domain::Step::ALL.into_iter().map(urls).collect();
        Arc::new(SqsDeadLetters::new(aws, urls))
    }

    /// Secrets whose names begin with the prefix that the function has declared: what webhooks are signed with.
    pub fn secrets(&self) -> Secrets {
        self.secrets_under(self.var("SECRETS_PREFIX"))
    }

    /// What opens channels' APIs: secrets that no prefix of the others begins, so that a role can have the ones
    /// without the others.
    pub fn accesses(&self) -> Secrets {
        self.secrets_under(format!("{ACCESS_PREFIX}{}", self.var("SECRETS_PREFIX")))
    }

    /// What opens payment providers' APIs, apart from the others in the same way.
    pub fn payment_accesses(&self) -> Secrets {
        self.secrets_under(format!("{PAYMENTS_PREFIX}{}", self.var("SECRETS_PREFIX")))
    }

    /// What subscribers' events are signed with, apart from the others in the same way.
    pub fn signing_secrets(&self) -> Secrets {
        self.secrets_under(format!("{SIGNING_PREFIX}{}", self.var("SECRETS_PREFIX")))
    }

    fn secrets_under(&self, prefix: String) -> Secrets {
        let vault = match &self.aws {
            Aws::Sdk(aws) => crate::secrets::manager(aws),
            Aws::StandIn(other) => other.vault(),
        };
        Secrets::new(vault, prefix, self.clock.clone())
    }
}
