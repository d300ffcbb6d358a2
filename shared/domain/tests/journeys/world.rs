//! An order in a world that acts on it, and what has to hold after every change.

use std::collections::{BTreeMap, BTreeSet};

use domain::allocation::{Available, allocate};
use domain::change::{
    Disposition, LineUnits, announce_return, cancel, cancel_return, receive_return, release_hold,
};
use domain::event::Timeline;
use domain::fulfillment::{Report, report};
use domain::limits::MAX_TIMELINE_TAIL;
use domain::order::{FulfillmentStatus as S, Order};
use domain::owed::{Notice, Step, Work, newly_owed, notified, owed};
use domain::refund::{Request, confirm, request, submitted};
use domain::shipping::{leave_unrated, ship};
use domain::stock::{Changes, LevelChange, gather_moves, moved};
use proptest::sample::Index;

use crate::Act;
use crate::common::*;

const SKUS: [&str; 2] = ["A", "B"];
const PLACES: [&str; 3] = ["ber", "muc", "nyc"];

/// An order, and all that its changes left behind elsewhere.
pub struct World {
    pub order: Order,
    /// Hints under way.
    hints: BTreeSet<Step>,
    /// The step at work, whose hint is not acknowledged yet.
    at_work: Option<Step>,
    /// Pick lists that have left and are not noted.
    in_the_mail: Vec<Notice>,
    /// Every notice that was ever called for.
    pub called_for: Vec<Notice>,
    /// Units set aside, by SKU and location, as stock knows it.
    pub allocated: BTreeMap<(String, String), i64>,
    pub pages: Vec<Timeline>,
    appeased: bool,
}

impl World {
    pub fn new(order: Order) -> Self {
        let mut world = World {
            hints: BTreeSet::new(),
            at_work: None,
            in_the_mail: Vec::new(),
            called_for: Vec::new(),
            allocated: BTreeMap::new(),
            pages: Vec::new(),
            appeased: false,
            order,
        };
        world
            .hints
            .extend(owed(&world.order).iter().map(Work::step));
        world.check();
        world
    }

    fn commit(&mut self, mut next: Order) {
        assert_eq!(next.version, self.order.version + 1);
        self.hints.extend(newly_owed(&self.order, &next));
        for notice in &next.notices {
            if !self.order.notices.contains(notice) {
                assert!(!self.called_for.contains(notice), "{notice:?} again");
                self.called_for.push(notice.clone());
            }
        }
        self.pages.extend(next.timeline.take_page());
        self.order = next;
        self.check();
    }

    fn commit_if(&mut self, next: Option<Order>) {
        if let Some(next) = next {
            self.commit(next);
        }
    }

    fn count(&mut self, changes: &[LevelChange]) {
        for change in changes {
            let level = (change.sku.clone(), change.location.clone());
            let units = self.allocated.entry(level).or_default();
            *units += change.delta().allocated;
            assert!(*units >= 0, "{change:?}");
        }
    }

    /// What has to hold after every change.
    fn check(&self) {
        let order = &self.order;
        // Units: in balance, and where the fulfillment orders say.
        for (place, line) in (0_u16..).zip(&order.lines) {
            assert!(line.units.balanced(), "{:?}", line.units);
            assert!(line.refunded_units <= line.units.ordered);
            let of = |states: &[S]| -> u32 {
                let those = order
                    .fulfillments
                    .iter()
                    .filter(|f| states.contains(&f.status));
                let units = those.flat_map(|f| &f.units).filter(|u| u.0 == place);
                units.map(|u| u.1).sum()
            };
            assert_eq!(line.units.allocated, of(&[S::Released, S::Accepted]));
            assert_eq!(line.units.packed, of(&[S::Packed]));
            if !line.intangible {
                assert_eq!(line.units.shipped, of(&[S::Shipped, S::Delivered]));
                let arrived = of(&[S::Delivered]).max(line.units.returned);
                assert_eq!(line.units.delivered, arrived);
            }
        }
        // Money: never more back than came in, and to the minor unit what the units bore.
        assert!(order.refunded() <= order.refunds_promised());
        assert!(order.refunds_promised() <= order.captured());
        if order.captured() == order.total() && !self.appeased {
            let borne = order.lines.iter().map(|line| {
                let whole = domain::Line {
                    refunded_units: 0,
                    kit: None,
                    ..line.clone()
                };
                whole.refund_of(line.refunded_units, order.taxes_included)
            });
            assert_eq!(order.refunds_promised(), borne.sum::<i64>());
        }
        // The timeline has no gap.
        let mut number = 1;
        for page in self.pages.iter().chain([&order.timeline]) {
            assert_eq!(page.first, number);
            number += page.entries.len() as u64;
        }
        assert_eq!(number - 1, order.version);
        assert!(order.timeline.entries.len() <= MAX_TIMELINE_TAIL);
        // Stock: what it has set aside is what is to be picked, once it knows what is due.
        let mut known = self.allocated.clone();
        let mut changes = Changes::default();
        gather_moves(order, order.moves.len(), &mut changes, now());
        for change in changes.into_vec() {
            *known
                .entry((change.sku.clone(), change.location.clone()))
                .or_default() += change.delta().allocated;
        }
        for f in &order.fulfillments {
            if matches!(f.status, S::Released | S::Accepted | S::Packed) {
                for &(place, units) in &f.units {
                    let sku = order.line(place).sku.clone().unwrap();
                    *known.get_mut(&(sku, f.location.clone())).unwrap() -= i64::from(units);
                }
            }
        }
        assert!(known.values().all(|units| *units == 0), "{known:?}");
        // Nobody is told twice, and no work is forgotten.
        let distinct: BTreeSet<&Notice> = order.notices.iter().collect();
        assert_eq!(distinct.len(), order.notices.len());
        for work in owed(order) {
            let step = work.step();
            let known = self.hints.contains(&step) || self.at_work == Some(step);
            assert!(known, "nobody knows of {work:?}");
        }
        assert_eq!(order.open_at.is_some(), !owed(order).is_empty());
        // What people read can be said.
        let _ = (
            order.status(),
            order.payment_status(),
            order.fulfillment_status(),
        );
    }

    fn allocate(&mut self, levels: [u8; 6]) {
        let mut available = Available::default();
        let places = SKUS
            .iter()
            .flat_map(|sku| PLACES.iter().map(move |at| (sku, at)));
        let offered: Vec<_> = places.zip(levels).collect();
        for ((sku, place), units) in &offered {
            available.set(sku, place, i64::from(*units));
        }
        let mut changes = Changes::default();
        let found = allocate(
            &self.order,
            &network(locations()),
            &[],
            &mut available,
            &mut changes,
            now(),
        );
        let changes = changes.into_vec();
        for change in &changes {
            let level = offered
                .iter()
                .find(|((sku, at), _)| (**sku, **at) == (&change.sku, &change.location));
            assert!(change.needs() <= i64::from(level.unwrap().1), "oversold");
        }
        let Some(found) = found else {
            assert_eq!(changes, []);
            return;
        };
        self.count(&changes);
        self.commit(found.order);
    }

    fn drive(&mut self, step: Step, levels: [u8; 6], succeeds: bool) {
        if !self.hints.remove(&step) {
            return;
        }
        let works: Vec<Work> = owed(&self.order)
            .into_iter()
            .filter(|w| w.step() == step)
            .collect();
        self.at_work = Some(step);
        for work in works {
            match work {
                Work::Allocate(_) => self.allocate(levels),
                // Whoever holds the claim is at it: this hint comes again.
                Work::Notify(notice) if self.in_the_mail.contains(&notice) => {
                    self.hints.insert(step);
                }
                Work::Notify(notice) => {
                    let failure = (!succeeds).then(|| "bounced".to_owned());
                    self.commit_if(notified(&self.order, &notice, failure, now()));
                }
                Work::Ship(n) => {
                    let next = match succeeds {
                        true => ship(&self.order, n, parcel("T"), now()),
                        false => leave_unrated(&self.order, n, now()),
                    };
                    self.commit_if(next);
                }
                Work::Publish => unreachable!("nobody hears of these orders"),
                Work::MoveStock(due) => {
                    let moves = if succeeds { due } else { 1 };
                    let mut changes = Changes::default();
                    gather_moves(&self.order, moves, &mut changes, now());
                    let next = moved(&self.order, moves, now());
                    self.count(&changes.into_vec());
                    self.commit(next);
                }
                Work::Refund(n) => self.commit_if(submitted(&self.order, n, now())),
            }
        }
        self.at_work = None;
        self.check();
    }

    fn line_units(&self, units: &[(Index, u32)]) -> Vec<LineUnits> {
        let lines = &self.order.lines;
        let named = units
            .iter()
            .map(|(line, n)| (line.get(lines).id.clone(), i64::from(*n).into()));
        named.collect()
    }

    fn report(&mut self, n: Index, of: u8, packed: &[u8]) {
        if self.order.fulfillments.is_empty() {
            return;
        }
        let fulfillment = n.get(&self.order.fulfillments);
        let n = fulfillment.n;
        let some = fulfillment
            .units
            .iter()
            .zip(packed)
            .map(|(&(place, asked), found)| {
                let id = self.order.line(place).id.clone();
                (id, i64::from(asked.min(u32::from(*found))).into())
            });
        let of = match of {
            0 => Report::Accepted,
            1 => Report::Packed(None),
            2 => Report::Packed(Some(some.collect())),
            3 => shipped_by_hand(),
            4 => Report::Rejected("flood".into()),
            _ => Report::Delivered,
        };
        self.commit_if(report(&self.order, n, &of, now()).ok().flatten());
    }

    pub fn act(&mut self, act: &Act) {
        match act {
            Act::Drive(step, levels, succeeds) => self.drive(*step, *levels, *succeeds),
            Act::Wake(levels) => self.allocate(*levels),
            Act::Send => {
                let pick = |n: &&Notice| matches!(n, Notice::Pick(_));
                let due = self.order.notices.iter().find(pick);
                let due = due.filter(|n| !self.in_the_mail.contains(n)).cloned();
                self.in_the_mail.extend(due);
            }
            Act::Note => {
                if let Some(notice) = self.in_the_mail.pop() {
                    self.commit_if(notified(&self.order, &notice, None, now()));
                }
            }
            Act::Report(n, of, packed) => self.report(*n, *of, packed),
            Act::Cancel => self.commit_if(cancel(&self.order, "no", now()).ok().flatten()),
            Act::ReleaseHold => {
                for hold in ["payment", "rejections"] {
                    let next = release_hold(&self.order, hold, now());
                    self.commit_if(next.unwrap());
                }
            }
            Act::Announce(key, units) => {
                let units = self.line_units(units);
                let made = announce_return(&self.order, &key.to_string(), &units, now());
                self.commit_if(made.ok().and_then(|(next, _)| next));
            }
            Act::CallOff(n) => {
                let n = 1 + n.index(self.order.returns.len() + 1) as u32;
                self.commit_if(cancel_return(&self.order, n, now()).ok().flatten());
            }
            Act::Receive(n, units) => {
                let n = 1 + n.index(self.order.returns.len() + 1) as u32;
                let dispositions = [
                    Disposition::Restock,
                    Disposition::Quarantine,
                    Disposition::ReturnToVendor,
                    Disposition::Scrap,
                ];
                let came = units.iter().map(|(line, units, how)| {
                    let line = line.get(&self.order.lines);
                    (
                        line.id.clone(),
                        i64::from(*units).into(),
                        dispositions[usize::from(*how)],
                    )
                });
                let came: Vec<_> = came.collect();
                let next = receive_return(&self.order, n, "muc", &came, now());
                self.commit_if(next.ok().flatten());
            }
            Act::RefundUnits(key, units) => {
                let of = Request::Units(self.line_units(units));
                let made = request(&self.order, &format!("r{key}"), &of, now());
                self.commit_if(made.ok().and_then(|(next, _)| next));
            }
            Act::RefundAmount(key, amount) => {
                let of = Request::Amount(*amount);
                let made = request(&self.order, &format!("r{key}"), &of, now());
                let next = made.ok().and_then(|(next, _)| next);
                self.appeased |= next.is_some();
                self.commit_if(next);
            }
            Act::Confirm(n) => {
                let n = 1 + n.index(self.order.refunds.len() + 1) as u32;
                self.commit_if(confirm(&self.order, n, now()).ok().flatten());
            }
        }
    }

    /// Delivers hints until none is left.
    pub fn settle(&mut self) {
        while !self.in_the_mail.is_empty() {
            self.act(&Act::Note);
        }
        for _ in 0..100 {
            let Some(step) = self.hints.iter().next().copied() else {
                assert_eq!(owed(&self.order), [], "at rest");
                return;
            };
            self.drive(step, [0; 6], true);
        }
        assert!(self.hints.is_empty(), "no rest: {:?}", self.hints);
    }

    /// Everything outside ends well: what is set aside leaves, what cannot be had is cancelled.
    pub fn finish(&mut self) {
        self.act(&Act::ReleaseHold);
        self.settle();
        for n in 1..=self.order.fulfillments.len() as u32 {
            for of in [shipped_by_hand(), Report::Delivered] {
                self.commit_if(report(&self.order, n, &of, now()).ok().flatten());
            }
        }
        self.act(&Act::Cancel);
        self.settle();
        for n in 1..=self.order.refunds.len() as u32 {
            self.commit_if(confirm(&self.order, n, now()).unwrap());
        }
        self.settle();
    }
}
