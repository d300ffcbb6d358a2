//! What a channel is told of an order that it has sold, and how: that it has come in, and what of it has left.
//!
//! Pure, as fetching is: who sends the requests is somebody else's. A request may have been taken although its answer
//! was lost, or whoever sent it has died before he noted that. So a vendor that does not know a request by its name
//! is asked first whether it knows already.

use domain::Order;
use domain::change::LineUnits;
use domain::owed::Notice;
use domain::telling::{is_complete, sent_lines};
use jiff::Timestamp;

use crate::vendor::{Request, Vendor};
use crate::{Secret, Unreadable};

/// What a channel is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The channel's own id of the order.
    pub order: String,
    /// What the order is called here.
    pub reference: String,
    /// What this update is called, the same whenever it is sent.
    pub key: String,
    /// What has become of the order.
    pub what: What,
}

/// What has become of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It has come in, and is worked on.
    Accepted,
    /// Something of it has left.
    Sent(Shipment),
}

/// What has left together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Its number within the order, from 1.
    pub n: u32,
    /// When it left.
    pub at: Timestamp,
    /// Who carries it.
    pub carrier: String,
    /// What to ask the carrier for.
    pub tracking_number: String,
    /// The channel's ids of the lines, and how much of each. Never empty.
    pub lines: Vec<LineUnits>,
    /// How many others of the order the channel has been told of that have the same number and a line in common:
    /// parcels that left together.
    pub alike: usize,
    /// Whether with it all has left that is to be sent of the order.
    pub completes: bool,
}

/// What to do next to tell a channel something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling<T = ()> {
    /// Ask this, or say it.
    Ask(Request),
    /// It knows.
    Told(T),
    /// It does not take this, however often it is told: why.
    Refused(String),
    /// It may take it later: why not now.
    Again(String),
    /// What was to open its API does not open this.
    Locked(String),
}

/// How a vendor's API is told what becomes of its orders.
pub trait Updates: Vendor {
    /// Whether it waits for word that an order has come in.
    fn waits(&self) -> bool {
        false
    }

    /// What to do next to tell it this, after these answers.
    fn tell(
        &self,
        access: &Secret,
        update: &Update,
        answers: &[Vec<u8>],
    ) -> Result<Telling, Unreadable>;
}

impl Update {
    /// What an order's notice to its channel says; `None` if there is nothing to say: of a kit only a part
    /// has left.
    pub fn of(order: &Order, notice: &Notice) -> Option<Self> {
        let what = match notice {
            Notice::Acknowledged => What::Accepted,
            Notice::Sent(n) => What::Sent(Shipment::of(order, *n)?),
            _ => return None,
        };
        Some(Self {
            order: order.source.external_id.clone(),
            reference: order.id.to_string(),
            key: format!("{}-{}", order.id, notice.key()),
            what,
        })
    }
}

impl Shipment {
    fn of(order: &Order, n: u32) -> Option<Self> {
        let fulfillment = order.fulfillment(n).ok()?;
        let parcel = fulfillment.parcel.as_ref()?;
        let lines = sent_lines(order, n);
        let alike = order.fulfillments.iter().filter(|other| {
            let number = other.parcel.as_ref().map(|parcel| &parcel.tracking_number);
            let theirs = sent_lines(order, other.n);
            let shared = theirs
                .iter()
                .any(|(id, _)| lines.iter().any(|(own, _)| own == id));
            let notice = Notice::Sent(other.n);
            let told = !order.notices.contains(&notice) && !order.untold.contains(&notice);
            other.n != n && number == Some(&parcel.tracking_number) && shared && told
        });
        let alike = alike.count();
        (!lines.is_empty()).then(|| Self {
            n,
            at: fulfillment.shipped_at.unwrap_or(order.placed_at),
            carrier: parcel.carrier.clone(),
            tracking_number: parcel.tracking_number.clone(),
            lines,
            alike,
            completes: is_complete(order),
        })
    }

    /// What the vendor calls its carrier, if the access says so: under `carrier:` and the carrier's name here.
    pub(crate) fn carrier_in<'a>(&self, access: &'a Secret) -> Option<&'a str> {
        access.part(&format!("carrier:{}", self.carrier))
    }

    /// Whether one that the vendor knows is like it: it has this number, and these lines, as far as they are named.
    pub(crate) fn is_like(&self, tracking_number: &str, lines: &[String]) -> bool {
        let own = |line: &String| self.lines.iter().any(|(id, _)| id == line);
        tracking_number == self.tracking_number && lines.iter().any(own)
    }

    /// Whether it is among so many that the vendor knows and that are like it.
    pub(crate) fn is_among(&self, like: usize) -> bool {
        like > self.alike
    }

    /// Its lines in whole pieces, for vendors that know no parts of them.
    pub(crate) fn pieces(&self) -> Result<Vec<(&str, u32)>, Telling> {
        let piece = |(id, quantity): &'_ LineUnits| match quantity.count(0, 1, u32::MAX) {
            Ok(pieces) => Ok(pieces),
            Err(why) => Err(Telling::Refused(format!("line {id}: {why}"))),
        };
        let lines = self.lines.iter();
        lines
            .map(|line| Ok((line.0.as_str(), piece(line)?)))
            .collect()
    }
}

/// What is said of an update that a channel has no word for.
pub(crate) fn no_word(channel: &str) -> Telling {
    Telling::Refused(format!("{channel} has no word for it"))
}
