//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;

/// Runs Waybill on this machine: its functions, and what they use of AWS.
#[derive(Debug, Parser)]
#[command(name = "waybill", version)]
pub struct Arguments {
    /// Port of the HTTP API and the console, on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub http: u16,
    /// Port of the AWS services, on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub aws: u16,
    /// Directory to keep tables in; in memory without it
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Run the demo (the default)
    #[arg(long, overrides_with = "no_demo")]
    demo: bool,
    /// Do not run the demo
    #[arg(long)]
    no_demo: bool,
    /// Run the demo, print a summary and end: 0 if every order reached the state it should
    #[arg(long, conflicts_with = "no_demo")]
    pub once: bool,
    /// Print the summary as one JSON object on the last line
    #[arg(long)]
    pub json: bool,
    /// Call functions here, as `cargo lambda watch` offers them, instead of in process
    #[arg(long, value_name = "URL")]
    pub functions: Option<String>,
    /// Add a channel account with its webhook secret (repeatable)
    #[arg(long = "account", value_name = "CHANNEL/NAME=SECRET")]
    pub accounts: Vec<Account>,
    /// Add what opens the API of a channel or payment account, a JSON object (repeatable)
    #[arg(long = "api", value_name = "CHANNEL/NAME=ACCESS")]
    pub accesses: Vec<Account>,
    /// Have a channel account be told what becomes of its orders (repeatable)
    #[arg(long = "tell", value_name = "CHANNEL/NAME")]
    pub told: Vec<Told>,
    /// Add an API key (repeatable)
    #[arg(long = "key", value_name = "ROLE=KEY")]
    pub keys: Vec<Key>,
    /// The template to run
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"))]
    pub template: PathBuf,
}

impl Arguments {
    /// Whether to run the demo.
    pub fn demo(&self) -> bool {
        !self.no_demo
    }
}

/// A channel account to add.
#[derive(Clone)]
pub struct Account {
    /// The channel, for instance `shopify`.
    pub channel: String,
    /// The account's name in the webhook's path.
    pub name: String,
    /// The secret that its webhooks are signed with, or what opens its API.
    pub secret: String,
}

impl FromStr for Account {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=').and_then(|(account, secret)| {
            let (channel, name) = account.split_once('/')?;
            let whole = [channel, name, secret].iter().all(|part| !part.is_empty());
            whole.then_some((channel, name, secret))
        });
        let (channel, name, secret) = parts.ok_or("not of the form CHANNEL/NAME=SECRET")?;
        Ok(Self {
            channel: channel.to_owned(),
            name: name.to_owned(),
            secret: secret.to_owned(),
        })
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}=...", self.channel, self.name)
    }
}

/// A channel account to be told.
#[derive(Debug, Clone)]
pub struct Told {
    /// The channel.
    pub channel: String,
    /// The account's name.
    pub name: String,
}

impl FromStr for Told {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((channel, name)) if !channel.is_empty() && !name.is_empty() => Ok(Self {
                channel: channel.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err("not of the form CHANNEL/NAME"),
        }
    }
}

/// An API key to add.
#[derive(Clone)]
pub struct Key {
    /// Its role, as written.
    pub role: String,
    /// The key itself.
    pub key: String,
}

impl FromStr for Key {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (role, key) = text
            .split_once('=')
            .filter(|(role, key)| !role.is_empty() && !key.is_empty())
            .ok_or("not of the form ROLE=KEY")?;
        Ok(Self {
            role: role.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}=...", self.role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["waybill"], arguments].concat())
    }

    #[test]
    fn the_demo_runs_unless_told_otherwise() {
        assert!(parse(&[]).unwrap().demo());
        assert!(parse(&["--demo"]).unwrap().demo());
        assert!(!parse(&["--no-demo"]).unwrap().demo());
        assert!(parse(&["--once", "--no-demo"]).is_err());
    }

    #[test]
    fn accounts_and_keys_are_taken_apart_at_the_first_separator() {
        let arguments = ["--account", "shopify/eu=a=b/c", "--key", "operator=x=y"];
        let arguments = parse(&arguments).unwrap();
        let account = &arguments.accounts[0];
        assert_eq!(
            (&*account.channel, &*account.name, &*account.secret),
            ("shopify", "eu", "a=b/c")
        );
        assert_eq!(
            (&*arguments.keys[0].role, &*arguments.keys[0].key),
            ("operator", "x=y")
        );
        assert!(!format!("{arguments:?}").contains("a=b"));
        for wrong in ["shopify=x", "shopify/=x", "/eu=x", "shopify/eu="] {
            assert!(parse(&["--account", wrong]).is_err());
        }
    }
}
