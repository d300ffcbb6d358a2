//! The rules that `infra/template.yaml` is held to.
//!
//! A rule takes the template and names every fault that it finds, in a sentence that says where. Linters know what
//! CloudFormation accepts; these rules know what this project promises.

mod functions;
mod http;
mod properties;
mod queues;
mod roles;
mod tables;
mod template;
mod watch;

pub use functions::*;
pub use http::*;
pub use properties::*;
pub use queues::*;
pub use roles::*;
pub use tables::*;
pub use template::{Template, kebab, target};
pub use watch::*;

/// Says what is wrong with a template; nothing, if it keeps the rule.
pub type Rule = fn(&Template) -> Vec<String>;
