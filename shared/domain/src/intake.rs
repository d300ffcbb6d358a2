//! An order as a channel's adapter hands it in, and the decision to accept it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::change::LineUnits;
use crate::event::{Event, Timeline};
use crate::geo::{Located, is_country, point};
use crate::kit::KitPart;
use crate::limits::{
    DEFAULT_PROMISE_DAYS, MAX_LINES, MAX_MINOR, MAX_NAME_CHARS, MAX_QUANTITY, MAX_SKU_CHARS,
    MAX_TEXT_CHARS, MAX_TITLE_CHARS,
};
use crate::money::{Currency, split};
use crate::order::{
    Address, Buckets, Contact, Destination, Difference, Hold, HoldReason, Line, LineMoney,
    LocatedBy, NamedReservation, Order, Payment, Source,
};
use crate::owed::{Notice, owed};
use crate::payment::PaidThrough;
use crate::{OrderId, Problem, Product, Quantity, restate};

/// An order in the house's terms, not yet checked. Amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    /// Where it came from.
    pub source: Source,
    /// What people call it.
    pub number: String,
    /// When the customer bought.
    pub placed_at: Timestamp,
    /// The channel's own time of the state that this is; `None` if it gives none.
    pub as_of: Option<Timestamp>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// The total that the customer saw, where it was in another currency.
    pub presentment: Option<(i64, Currency)>,
    /// Whether prices contain the tax.
    pub taxes_included: bool,
    /// The reservation whose goods it is to get.
    pub reservation: Option<String>,
    /// What was bought.
    pub lines: Vec<NewLine>,
    /// JSON pointer of the list of lines in the channel's document.
    pub lines_pointer: &'static str,
    /// Discounts that no line bears yet.
    pub discount: i64,
    /// Tax that no line bears yet.
    pub tax: i64,
    /// Shipping, tips, duties and fees after their discounts, with their tax unless prices contain it.
    pub extras: i64,
    /// The total that the channel states, to check ours against.
    pub stated_total: Option<i64>,
    /// What has been paid, or promised.
    pub payments: Vec<Payment>,
    /// Its payment at a provider that pays refunds by itself.
    pub paid_through: Option<PaidThrough>,
    /// What the channel has given back.
    pub refunds: Vec<ChannelRefund>,
    /// Who gets it.
    pub contact: Contact,
    /// JSON pointer of the address in the channel's document.
    pub address_pointer: &'static str,
    /// Degrees north and east of the address, if the channel knows them.
    pub point: Option<(f64, f64)>,
    /// Where its address was found to be; the channel's own coordinates go before it.
    pub located: Option<Located>,
    /// Whether the channel leaves it to us to write to the customer.
    pub mailed: bool,
    /// Whether the channel is told what becomes of it.
    pub told: bool,
    /// Whether the channel, if it is told anything, waits for word that it has come in.
    pub awaited: bool,
    /// The day by which it should arrive, if the channel says.
    pub deliver_by: Option<Date>,
    /// The channel calls it a test.
    pub test: bool,
    /// It was cancelled before it reached us.
    pub cancelled: bool,
    /// The channel says that all of it has been shipped.
    pub shipped: bool,
}

/// Money that the channel itself has given back: it is not paid out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRefund {
    /// The channel's id of it.
    pub id: String,
    /// Minor units.
    pub amount: i64,
    /// The units that it is for, by the channel's ids of the lines, if it says.
    pub lines: Vec<LineUnits>,
}

/// What a channel says of goods that a customer sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelReturn {
    /// The channel's id of the return.
    pub id: String,
    /// Whether the goods are not expected any more.
    pub cancelled: bool,
    /// What comes back, by the channel's ids of the lines.
    pub lines: Vec<LineUnits>,
}

/// A line of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewLine {
    /// The channel's id of the line.
    pub id: String,
    /// What is to be taken from stock.
    pub sku: Option<String>,
    /// What it is called.
    pub title: String,
    /// How much.
    pub quantity: Quantity,
    /// How much of it the channel has taken off the order since: it is paid for no longer, or paid back.
    pub cancelled: Quantity,
    /// Decimals that its product's quantities have, as far as that is known.
    pub decimals: u8,
    /// Nothing to ship.
    pub intangible: bool,
    /// Price of a whole one.
    pub unit_price: i64,
    /// Discounts on the whole line.
    pub discount: i64,
    /// Tax on the whole line.
    pub tax: i64,
    /// The kit that it is a part of.
    pub kit: Option<KitPart>,
}

impl NewLine {
    /// The price of its goods after its own discounts.
    pub fn goods(&self) -> i64 {
        let price = self.quantity.cost_at(self.unit_price);
        price.saturating_sub(self.discount)
    }

    /// Its units: at least one, at most [`MAX_QUANTITY`].
    ///
    /// # Errors
    ///
    /// There are fewer, or more, or there is no such part of its product; what was expected, in words.
    pub fn units(&self) -> Result<u32, String> {
        self.quantity.count(self.counted_in(), 1, MAX_QUANTITY)
    }

    /// Those of its units that are cancelled: at most all.
    ///
    /// # Errors
    ///
    /// There are more, or there is no such part of its product; what was expected, in words.
    pub fn cancelled_units(&self) -> Result<u32, String> {
        self.cancelled.count(self.counted_in(), 0, self.units()?)
    }

    /// Decimals. As long as its product is not known, it is counted as it was written.
    fn counted_in(&self) -> u8 {
        match self.decimals {
            0 => self.quantity.decimals(),
            known => known,
        }
    }

    /// Whether something of it is left to be sent.
    fn goes_out(&self) -> bool {
        !self.intangible && self.cancelled < self.quantity
    }
}

impl NewOrder {
    /// Notes what the products that it names are measured in, and gives the quantities that they cannot
    /// have, each with its place.
    pub fn measure(&mut self, products: &[Product]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (n, line) in self.lines.iter_mut().enumerate() {
            let of = |product: &&Product| Some(&product.sku) == line.sku.as_ref();
            let Some(product) = products.iter().find(of).filter(|_| !line.intangible) else {
                continue;
            };
            line.decimals = product.decimals;
            let whole = line.quantity.units(product.decimals);
            if let Err(detail) = whole.and_then(|_| line.cancelled_units()) {
                let pointer = format!("{}/{n}/quantity", self.lines_pointer);
                problems.push(Problem::at(pointer, detail));
            }
        }
        Problem::first_of(problems)
    }

    /// The id that the order will have.
    pub fn id(&self) -> OrderId {
        let Source {
            channel,
            account,
            external_id,
        } = &self.source;
        OrderId::of(channel, account, external_id)
    }

    /// The SKUs that have to be in the catalogue.
    pub fn skus(&self) -> BTreeSet<&str> {
        let tangible = self.lines.iter().filter(|line| !line.intangible);
        tangible.filter_map(|line| line.sku.as_deref()).collect()
    }

    /// The address that has to be looked up for it to be known where the order goes: there is something
    /// to ship, and the channel gave no place on earth.
    pub fn unlocated(&self) -> Option<&Address> {
        let address = self.contact.address.as_ref()?;
        (self.ships() && self.given().is_none()).then_some(address)
    }

    fn ships(&self) -> bool {
        self.lines.iter().any(|line| !line.intangible)
    }

    /// The channel's own coordinates; what is no place on earth tells nothing.
    fn given(&self) -> Option<Located> {
        let (north, east) = self.point?;
        Some(Located {
            point: point(north, east)?,
            by: LocatedBy::Coordinates,
        })
    }

    /// Everything that makes it impossible to take, each with its place.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let lines_at = self.lines_pointer;
        if self.lines.is_empty() || self.lines.len() > MAX_LINES {
            problems.push(Problem::at(
                lines_at,
                format!(
                    "expected 1 to {MAX_LINES} lines, found {}",
                    self.lines.len()
                ),
            ));
            return problems;
        }
        let mut ids = BTreeSet::new();
        for (n, line) in self.lines.iter().enumerate() {
            let mut problem = |field: &str, detail: String| {
                problems.push(Problem::at(format!("{lines_at}/{n}{field}"), detail));
            };
            if let Err(detail) = line.units().and_then(|_| line.cancelled_units()) {
                problem("/quantity", detail);
            }
            let sku_chars = line.sku.as_deref().map_or(1, str::len);
            if !(1..=MAX_SKU_CHARS).contains(&sku_chars) {
                let expected = format!("expected 1 to {MAX_SKU_CHARS} characters");
                problem("/sku", format!("{expected}, found {sku_chars}"));
            }
            if line
                .sku
                .as_deref()
                .is_some_and(|s| s.contains(['#', '\n', '\r']))
            {
                problem("/sku", "expected no '#' and no line break".into());
            }
            if line.id.is_empty() || line.id.len() > MAX_NAME_CHARS {
                problem("/id", format!("expected 1 to {MAX_NAME_CHARS} characters"));
            }
            if !ids.insert(line.id.as_str()) {
                problem(
                    "/id",
                    format!(
                        "expected a different id for each line, found {:?} twice",
                        line.id
                    ),
                );
            }
            if line.title.chars().count() > MAX_TITLE_CHARS {
                problem(
                    "/title",
                    format!("expected at most {MAX_TITLE_CHARS} characters"),
                );
            }
            let amounts = [line.unit_price, line.discount, line.tax];
            let goods = line.quantity.cost_at(line.unit_price);
            if amounts.iter().any(|a| *a < 0) {
                problem("", "expected no negative price, discount or tax".into());
            } else if goods > MAX_MINOR || line.tax > MAX_MINOR {
                let most = self.currency.display(MAX_MINOR);
                problem(
                    "",
                    format!("expected quantity times price, and tax, to be at most {most}"),
                );
            } else if line.discount > goods {
                let (discount, goods) = (
                    self.currency.display(line.discount),
                    self.currency.display(goods),
                );
                problem(
                    "",
                    format!("expected a discount of at most {goods}, found {discount}"),
                );
            }
        }
        // The sum is within bounds only if every line is.
        if problems.is_empty() && self.discount > self.lines.iter().map(NewLine::goods).sum() {
            let found = self.currency.display(self.discount);
            problems.push(Problem::at(
                "",
                format!("expected discounts of at most the goods' price, found {found}"),
            ));
        }
        if self.discount < 0 || self.tax < 0 || self.extras < 0 {
            problems.push(Problem::at(
                "",
                "expected no negative discount, tax or shipping".to_owned(),
            ));
        }
        if self.tax > MAX_MINOR || self.extras > MAX_MINOR {
            let most = self.currency.display(MAX_MINOR);
            problems.push(Problem::at(
                "",
                format!("expected tax and shipping of at most {most}"),
            ));
        }
        for (name, text) in [("number", &self.number), ("id", &self.source.external_id)] {
            if text.is_empty() || text.chars().count() > MAX_NAME_CHARS {
                problems.push(Problem::at(
                    format!("/{name}"),
                    format!("expected 1 to {MAX_NAME_CHARS} characters"),
                ));
            }
        }
        if let Some(id) = &self.reservation
            && !(1..=MAX_NAME_CHARS).contains(&id.chars().count())
        {
            let detail = format!("expected 1 to {MAX_NAME_CHARS} characters");
            problems.push(Problem::at("/reservation", detail));
        }
        problems.extend(self.paid_through.iter().flat_map(PaidThrough::problems));
        for (pointer, text) in [
            ("/email", &self.contact.email),
            ("/phone", &self.contact.phone),
        ] {
            if text
                .as_ref()
                .is_some_and(|text| text.len() > MAX_TEXT_CHARS)
            {
                let detail = format!("expected at most {MAX_TEXT_CHARS} characters");
                problems.push(Problem::at(pointer, detail));
            }
        }
        if let Some(address) = &self.contact.address {
            problems.extend(self.address_problems(address));
        }
        problems
    }

    fn address_problems(&self, address: &Address) -> Vec<Problem> {
        let at = self.address_pointer;
        let mut problems = Vec::new();
        if !is_country(&address.country) {
            let found = &address.country;
            let detail = format!("expected an ISO 3166-1 alpha-2 country code, found {found:?}");
            problems.push(Problem::at(format!("{at}/country"), detail));
        }
        let fields = [
            ("name", &address.name),
            ("company", &address.company),
            ("line1", &address.line1),
            ("line2", &address.line2),
            ("city", &address.city),
            ("region", &address.region),
            ("postal_code", &address.postal_code),
        ];
        for (field, text) in fields {
            if text.chars().count() > MAX_TEXT_CHARS {
                let detail = format!("expected at most {MAX_TEXT_CHARS} characters");
                problems.push(Problem::at(format!("{at}/{field}"), detail));
            }
        }
        problems
    }

    /// The order, accepted: its money frozen on its lines, and on hold where somebody has to look.
    /// Only for an order without [`problems`](Self::problems). `known` are the SKUs of the catalogue.
    pub fn accept(self, known: &BTreeSet<String>, now: Timestamp) -> (Order, Contact) {
        let holds = self.holds(known);
        let lines = self.freeze();
        let ships = self.ships();
        let located = self.given().or(self.located);
        let destination = match &self.contact.address {
            Some(address) if ships => Some(Destination {
                country: address.country.clone(),
                point: located.map(|located| located.point),
                located_by: located.map(|located| located.by).unwrap_or_default(),
            }),
            _ => None,
        };
        let mut order = Order {
            id: self.id(),
            version: 1,
            open_at: None,
            number: self.number,
            currency: self.currency,
            taxes_included: self.taxes_included,
            // As exact as they are stored: the same statement again is not newer than itself.
            placed_at: Timestamp::from_second(self.placed_at.as_second()).unwrap_or(self.placed_at),
            as_of: self
                .as_of
                .and_then(|at| Timestamp::from_millisecond(at.as_millisecond()).ok()),
            presentment: self.presentment,
            deliver_by: self.deliver_by.unwrap_or_else(|| promised(self.placed_at)),
            destination,
            mailed: self.mailed && self.contact.email.is_some() && !self.test,
            told: self.told && !self.test,
            reservation: self
                .reservation
                .map(|id| NamedReservation { id, used: false }),
            lines,
            holds: Vec::new(),
            forgiven: 0,
            may_wait: false,
            look_again: false,
            heeded: Vec::new(),
            fulfillments: Vec::new(),
            paid_through: self.paid_through,
            payments: self.payments,
            refunds: Vec::new(),
            returns: Vec::new(),
            moves: Vec::new(),
            notices: Vec::new(),
            untold: Vec::new(),
            published: None,
            timeline: Timeline {
                first: 1,
                entries: Vec::new(),
            },
            source: self.source,
        };
        order.timeline.push(now, Event::Accepted);
        let total = order.total();
        let mut reasons = holds;
        if let Some(stated) = self.stated_total.filter(|stated| *stated != total) {
            reasons.push(HoldReason::Totals {
                stated,
                computed: total,
            });
        }
        if ships && order.destination.is_none() {
            reasons.push(HoldReason::Address);
        }
        if order.promised_payments() < total {
            reasons.push(HoldReason::Payment);
        }
        // What has gone back before it came in.
        restate::settle(&mut order, &self.refunds);
        let excess = restate::excess(&order, &self.refunds);
        let shipped = (self.shipped && ships).then_some(Difference::Shipped);
        let differences: Vec<Difference> = excess.into_iter().chain(shipped).collect();
        if !differences.is_empty() {
            reasons.push(HoldReason::Channel(differences));
        }
        if self.cancelled {
            for line in &mut order.lines {
                line.units.cancelled += std::mem::take(&mut line.units.open);
            }
        }
        if !restate::is_cancelled(&order) {
            if order.told && self.awaited {
                order.notices.push(Notice::Acknowledged);
            }
            let hold = |reason| Hold { reason, since: now };
            order.holds = reasons.into_iter().map(hold).collect();
        }
        if !owed(&order).is_empty() {
            order.open_at = Some(now);
        }
        (order, self.contact)
    }

    fn holds(&self, known: &BTreeSet<String>) -> Vec<HoldReason> {
        let mut reasons = Vec::new();
        if self.test {
            reasons.push(HoldReason::Test);
        }
        let unknown = |line: &NewLine| match &line.sku {
            _ if !line.goes_out() => false,
            Some(sku) => !known.contains(sku),
            None => true,
        };
        if self.lines.iter().any(unknown) {
            reasons.push(HoldReason::UnknownSku);
        }
        reasons
    }

    /// Spreads what belongs to the whole order over its lines, by the price of their goods.
    fn freeze(&self) -> Vec<Line> {
        let weights: Vec<i64> = self.lines.iter().map(NewLine::goods).collect();
        let discounts = split(self.discount, &weights);
        let taxes = split(self.tax, &weights);
        let extras = split(self.extras, &weights);
        let frozen = self.lines.iter().enumerate().map(|(n, line)| {
            let units = line.units().unwrap_or(0);
            let cancelled = line.cancelled_units().unwrap_or(0);
            Line {
                id: line.id.clone(),
                sku: line.sku.clone(),
                intangible: line.intangible,
                decimals: line.decimals.max(line.quantity.decimals()),
                units: Buckets {
                    ordered: units,
                    open: units - cancelled,
                    cancelled,
                    ..Buckets::default()
                },
                money: LineMoney {
                    unit_price: line.unit_price,
                    discount: line.discount + discounts[n],
                    tax: line.tax + taxes[n],
                    extras: extras[n],
                },
                refunded_units: 0,
                kit: line.kit.clone(),
            }
        });
        frozen.collect()
    }
}

fn promised(placed_at: Timestamp) -> Date {
    let day = placed_at.to_zoned(TimeZone::UTC).date();
    day.saturating_add(DEFAULT_PROMISE_DAYS.days())
}
