//! The console: where is this order, and why? Pages for a person, on this machine only.
//!
//! It reads the tables as any client would, and changes nothing but for the buttons on the page of
//! dead letters, which ask the API. Its calls are counted under a name of its own, so that what the
//! functions cost is not blurred by whoever watches them.

mod filters;
mod mail;
mod orders;
mod parked;
mod stock;
mod subscribers;
mod tables;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};
use store::{Store, Tables};

use crate::client::sdk_config;
use crate::cloud::Cloud;
use tables::Scans;

/// The name that the console's calls are counted under.
const CALLER: &str = "console";

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "dead-letters.html",
    "layout.html",
    "mail.html",
    "mails.html",
    "missing.html",
    "order.html",
    "orders.html",
    "parts.html",
    "stock.html",
    "style.css",
    "subscribers.html",
];

/// What every page may be given by its reader's browser: its own style, its own script, and
/// nothing from anywhere else. A mail that is shown inside inherits it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; \
     connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The console's pages.
pub fn pages(cloud: Cloud) -> Router {
    let console = Arc::new(Console::new(cloud));
    Router::new()
        .route("/", get(orders::list))
        .route("/console", get(|| async { Redirect::permanent("/") }))
        .route("/console/orders/{id}", get(orders::one))
        .route("/console/mail", get(mail::list))
        .route("/console/mail/{id}", get(mail::one))
        .route("/console/stock", get(stock::list))
        .route("/console/subscribers", get(subscribers::list))
        .route(
            "/console/dead-letters",
            get(parked::list).post(parked::redrive),
        )
        .route("/console/refresh.js", get(script))
        .route("/console/{*path}", get(unknown))
        // On these routes only: the API beside them has keys, and may be called by any name.
        .route_layer(from_fn(guard))
        .with_state(console)
}

/// What the pages are made from.
struct Console {
    cloud: Cloud,
    store: Store,
    scans: Scans,
    templates: Environment<'static>,
}

type Shared = State<Arc<Console>>;

/// A page to show.
struct Page {
    status: StatusCode,
    template: &'static str,
    facts: Value,
}

impl Page {
    fn new(template: &'static str, facts: Value) -> Self {
        Self {
            status: StatusCode::OK,
            template,
            facts,
        }
    }

    /// In place of a thing that is not there.
    fn missing(what: String) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            template: "missing.html",
            facts: json!({"title": "Not found", "what": what}),
        }
    }
}

impl Console {
    fn new(cloud: Cloud) -> Self {
        let aws = sdk_config(cloud.services(), CALLER);
        let functions = cloud.template().functions.values();
        let variables: BTreeMap<&str, &str> = functions
            .flat_map(|function| &function.environment)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        // The functions know the tables by these variables; they all name the same ones.
        let table = |name| variables.get(name).copied().unwrap_or_default().to_owned();
        let tables = Tables {
            orders: table("ORDERS_TABLE"),
            stock: table("STOCK_TABLE"),
            reference: table("REFERENCE_TABLE"),
            places: table("PLACES_TABLE"),
        };
        Self {
            scans: Scans::new(&aws, tables.orders.clone()),
            store: Store::new(&aws, tables),
            templates: templates(),
            cloud,
        }
    }

    /// The page, or one that says why there is none.
    fn show(&self, page: Result<Page>) -> Response {
        let page = page.unwrap_or_else(|error| {
            tracing::error!(error = format!("{error:#}"), "a page cannot be made");
            Page {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                template: "missing.html",
                facts: json!({"title": "This page cannot be made", "what": format!("{error:#}")}),
            }
        });
        let status = page.status;
        match self.render(page) {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a page cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response()
            }
        }
    }

    fn render(&self, page: Page) -> Result<String> {
        let template = self.templates.get_template(page.template)?;
        let mut facts = page.facts;
        // What the frame around every page says.
        facts["page"] = json!(page.template);
        facts["mail_count"] = json!(self.cloud.services().ses.count());
        facts["dead_letter_count"] = json!(parked::count(&self.cloud));
        facts["aws"] = json!(self.cloud.aws_address().map(|address| address.port()));
        let html = template.render(minijinja::Value::from(Serde(facts)));
        html.with_context(|| format!("template {}", page.template))
    }
}

fn templates() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_loader(|wanted| {
        let found = TEMPLATES.iter().find(|(name, _)| *name == wanted);
        Ok(found.map(|(_, source)| (*source).to_owned()))
    });
    filters::add(&mut templates);
    templates
}

async fn script() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("templates/refresh.js"))
}

async fn unknown(State(console): Shared, Path(path): Path<String>) -> Response {
    console.show(Ok(Page::missing(format!("a page /console/{path}"))))
}

/// Keeps pages of other sites out: the console asks for no key, and a site whose name is pointed
/// at this machine (DNS rebinding) would otherwise be let read it.
async fn guard(request: Request, next: Next) -> Response {
    if !is_local(request.headers()) {
        let why = "The console answers to localhost, 127.0.0.1 and [::1] only.\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Under `no-referrer` a form of our own would come with the origin `null`.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the request was made to this machine by one of its own names.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    host.is_some_and(|host| {
        let name = host.host();
        name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
    })
}

/// Whether a form was sent by a page of ours. A page of another site can send one as well, and its
/// reader's browser says so: nearly all by this first header, older ones by the second.
fn is_own_form(headers: &HeaderMap) -> bool {
    let text = |header: Option<&HeaderValue>| header?.to_str().ok().map(str::to_owned);
    match text(headers.get("sec-fetch-site")) {
        Some(site) => site == "same-origin",
        None => {
            let host = text(headers.get(HOST)).map(|host| format!("http://{host}"));
            host.is_some() && text(headers.get(ORIGIN)) == host
        }
    }
}

/// A parameter of the query, if it is given and not empty.
fn query(uri: &Uri, wanted: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name == wanted && !value.trim().is_empty())
        .map(|(_, value)| value.trim().to_owned())
}
