//! What the world outside asks for over HTTP.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::OrderId;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::channel::{GO_ON, Webhook};
use crate::observed::Deed;

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The function that answers it.
    pub function: &'static str,
    /// Method and path pattern, as in the template.
    pub route: &'static str,
    /// The parts of the path.
    pub path: Vec<(&'static str, String)>,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// What it comes to if it is taken; numbers and ids that only the answer knows are still empty.
    pub deed: Deed,
    /// Whose webhook it is, if it is one that is signed as it is sent.
    pub webhook: Option<Webhook>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: i64,
    /// Its body.
    pub body: String,
}

/// What an answer names.
#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Ask {
    /// The event that API Gateway makes of it.
    pub fn event(&self) -> ApiGatewayV2httpRequest {
        let mut event = ApiGatewayV2httpRequest::default();
        event.version = Some("2.0".into());
        event.route_key = Some(self.route.into());
        let path = self.path.iter();
        event.path_parameters = path.map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        event.headers = headers;
        event.body = Some(self.body.clone());
        event
    }

    /// What has come of it, by the answer; `None` if it was not taken.
    pub fn deed(&self, reply: &Reply) -> Option<Deed> {
        if !(200..300).contains(&reply.status) {
            return None;
        }
        let mut deed = self.deed.clone();
        // The id that the answer names, and its number: `{order}-R{n}`, `{order}-F{n}`.
        let id = || -> Option<String> {
            let named: Named = serde_json::from_str(&reply.body).ok()?;
            Some(named.id)
        };
        match &mut deed {
            // Whoever is answered in his own words knows which order he spoke of.
            _ if reply.body == GO_ON => {}
            Deed::Ordered { id: order, .. }
            | Deed::Restated { id: order, .. }
            | Deed::ReturnedInChannel { id: order, .. }
            | Deed::RefundedByChannel(order, _) => *order = OrderId::parse(&id()?)?,
            Deed::Counted { fact, .. } | Deed::ShelfCounted { fact, .. } => *fact = id()?,
            Deed::ReturnAnnounced(_, _, n, _) => *n = OrderId::parse_part(&id()?, "R")?.1,
            Deed::RefundRequested(_, _, n) => *n = OrderId::parse_part(&id()?, "F")?.1,
            Deed::Reported { .. }
            | Deed::Cancelled(_)
            | Deed::Hinted
            | Deed::Expected(_)
            | Deed::TransferSent(_)
            | Deed::TransferReceived(..)
            | Deed::DiscrepancyResolved(_)
            | Deed::Reserved { .. }
            | Deed::ReservationExtended(_)
            | Deed::ReservationReleased(_)
            | Deed::Released(..)
            | Deed::Resolved(_)
            | Deed::ReturnReceived(..)
            | Deed::ReturnCancelled(..)
            | Deed::RefundConfirmed(..)
            | Deed::RefundRepeated(..)
            | Deed::Settled
            | Deed::RestockChecked
            | Deed::ListingsTold
            | Deed::StockReconciled
            | Deed::Redriven
            | Deed::Entered(_)
            | Deed::Replayed(_) => {}
        }
        Some(deed)
    }
}
