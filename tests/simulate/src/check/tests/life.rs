//! An order's life, as the steps decide it.

use domain::allocation::{Available, allocate};
use domain::candidates::Network;
use domain::change::{self, Disposition};
use domain::fulfillment::{Report, report};
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Contact, Order, Parcel, Payment, Source};
use domain::owed::notified;
use domain::stock::{Changes, moved};
use domain::{Currency, Location, refund, shipping};

use crate::check::order_written;
use crate::check::sample::at;

/// The states of an order, as the steps decide them and as they are stored.
pub struct Life(pub Vec<Order>);

impl Life {
    /// An order of 3 A, 1 B and a download: 40.00, of which so much is captured.
    pub fn begin(captured: i64) -> Self {
        let line = |id: &str, sku: Option<&str>, quantity: i64, unit_price| NewLine {
            id: id.into(),
            sku: sku.map(Into::into),
            quantity: quantity.into(),
            unit_price,
            intangible: sku.is_none(),
            ..NewLine::default()
        };
        let new = NewOrder {
            source: Source {
                channel: "api".into(),
                account: "default".into(),
                external_id: "1".into(),
            },
            number: "1".into(),
            placed_at: at(0),
            currency: Currency::from_code("EUR").unwrap(),
            taxes_included: true,
            reservation: None,
            lines: vec![
                line("1", Some("A"), 3, 1000),
                line("2", Some("B"), 1, 500),
                line("3", None, 1, 100),
            ],
            lines_pointer: "/lines",
            discount: 1,
            tax: 0,
            extras: 401,
            stated_total: None,
            payments: vec![Payment::Authorised(4000), Payment::Captured(captured)],
            paid_through: None,
            contact: Contact {
                email: Some("ada@example.com".into()),
                address: Some(Address {
                    country: "DE".into(),
                    ..Address::default()
                }),
                ..Contact::default()
            },
            address_pointer: "/address",
            point: None,
            located: None,
            mailed: true,
            told: false,
            awaited: false,
            deliver_by: None,
            test: false,
            cancelled: false,
            shipped: false,
            as_of: None,
            presentment: None,
            refunds: Vec::new(),
        };
        let known = ["A", "B"].map(String::from).into();
        let (order, _) = new.accept(&known, at(0));
        assert_eq!(order_written(None, &order), None);
        Self(vec![order])
    }

    pub fn now(&self) -> &Order {
        self.0.last().unwrap()
    }

    pub fn go(&mut self, mut next: Order) {
        // As a store does: what is too old for the item goes to a page.
        drop(next.timeline.take_page());
        assert_eq!(order_written(self.0.last(), &next), None);
        self.0.push(next);
    }

    pub fn allocate(&mut self, units: &[(&str, &str, i64)]) {
        let mut available = Available::default();
        for (sku, location, units) in units {
            available.set(sku, location, *units);
        }
        let (locations, mut changes) = (["north", "south"].map(location), Changes::default());
        let order = self.now();
        let plan = allocate(
            order,
            &Network::new(locations.to_vec(), Vec::new(), Vec::new()),
            &[],
            &mut available,
            &mut changes,
            at(10),
        )
        .unwrap();
        self.go(plan.order);
    }

    pub fn tell(&mut self) {
        while let Some(notice) = self.now().notices.first().cloned() {
            self.go(notified(self.now(), &notice, None, at(20)).unwrap());
        }
    }

    pub fn report(&mut self, n: u32, said: Report) {
        self.go(report(self.now(), n, &said, at(30)).unwrap().unwrap());
    }

    pub fn move_stock(&mut self) {
        self.go(moved(self.now(), self.now().moves.len(), at(40)));
    }

    /// From acceptance to the last refund: found short, sent from two places, returned.
    pub fn whole(captured: i64) -> Self {
        let mut life = Self::begin(captured);
        life.allocate(&[("A", "north", 3), ("B", "north", 1)]);
        life.tell();
        life.report(1, Report::Accepted);
        life.report(
            1,
            Report::Packed(Some(vec![("1".into(), 2.into()), ("2".into(), 1.into())])),
        );
        life.allocate(&[("A", "south", 1)]);
        life.move_stock();
        let parcel = Parcel {
            carrier: "Bike".into(),
            service: "slow".into(),
            tracking_number: "1".into(),
            label: None,
            cost: None,
        };
        life.go(shipping::leave_unrated(life.now(), 1, at(50)).unwrap());
        life.go(shipping::ship(life.now(), 1, parcel, at(50)).unwrap());
        let by_hand = Report::Shipped {
            carrier: "Bike".into(),
            tracking_number: "2".into(),
        };
        life.report(2, by_hand);
        life.move_stock();
        life.tell();
        life.report(1, Report::Delivered);
        let one = [("1".to_owned(), 1.into())];
        let (next, _) = refund::request(
            life.now(),
            "r",
            &refund::Request::Units(one.to_vec()),
            at(60),
        )
        .unwrap();
        life.go(next.unwrap());
        let (next, _) =
            refund::request(life.now(), "sorry", &refund::Request::Amount(50), at(60)).unwrap();
        life.go(next.unwrap());
        let (next, n) = change::announce_return(
            life.now(),
            "rma",
            &[("1".into(), 3.into()), ("2".into(), 1.into())],
            at(60),
        )
        .unwrap();
        life.go(next.unwrap());
        let came = [
            ("1".to_owned(), 2.into(), Disposition::Restock),
            ("1".to_owned(), 1.into(), Disposition::Scrap),
            ("2".to_owned(), 1.into(), Disposition::Restock),
        ];
        let next = change::receive_return(life.now(), n, "south", &came, at(70)).unwrap();
        life.go(next.unwrap());
        life.move_stock();
        life.go(refund::submitted(life.now(), 1, at(80)).unwrap());
        for n in 1..=life.now().refunds.len() as u32 {
            life.go(refund::confirm(life.now(), n, at(80)).unwrap().unwrap());
        }
        life.tell();
        life
    }
}

fn location(id: &str) -> Location {
    Location {
        id: id.into(),
        name: id.into(),
        country: "DE".into(),
        latitude: 53.0,
        longitude: 10.0,
        time_zone: "Europe/Berlin".into(),
        cut_off: jiff::civil::time(15, 0, 0, 0),
        email: format!("{id}@example.com"),
        serves: Vec::new(),
        currency: Currency::from_code("EUR").unwrap(),
        closed: false,
        working_days: Vec::new(),
        closed_on: Vec::new(),
        handling_days: 0,
        daily_orders: None,
        priority: 0,
    }
}
