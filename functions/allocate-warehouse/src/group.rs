//! Orders that are allocated together: as many as a transaction takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::allocation::{Allocation, Available, allocate};
use domain::decision::Decision;
use domain::reservation::ReservationStatus;
use domain::stock::Changes;
use domain::{Order, OrderId};
use jiff::Timestamp;
use store::{Commit, Ending, Waiting};

use crate::view::{Facts, View};

/// Orders that are to be committed together, the oldest first.
pub(crate) struct Group {
    pub(crate) commit: Commit,
    pub(crate) before: Vec<Arc<Order>>,
    pub(crate) decisions: Vec<(OrderId, Decision)>,
    /// The SKUs of which each of them gives something back.
    pub(crate) given_back: Vec<(OrderId, BTreeSet<String>)>,
    /// What is left for those after them.
    pub(crate) available: Available,
}

/// As many of the oldest orders as a transaction takes, at most so many. Those for which nothing is to
/// be done as they were seen are moved to `singly`: the store is asked about them.
pub(crate) fn gather(
    rest: &mut Vec<Arc<Order>>,
    most: usize,
    view: &View,
    facts: &Facts,
    now: Timestamp,
    singly: &mut Vec<OrderId>,
) -> Group {
    let available = view.available.clone();
    let group = gather_from(available, view, rest, most, facts, now, singly);
    match group.commit.fits() {
        true => group,
        // One order that would take from too many shares: what it does not get of one now, it does then.
        false => {
            let one_each = view.available.of_one_share_each();
            gather_from(one_each, view, rest, 1, facts, now, singly)
        }
    }
}

fn gather_from(
    available: Available,
    view: &View,
    rest: &mut Vec<Arc<Order>>,
    most: usize,
    facts: &Facts,
    now: Timestamp,
    singly: &mut Vec<OrderId>,
) -> Group {
    let Facts { network, products } = facts;
    let mut group = Group {
        commit: Commit::default(),
        before: Vec::new(),
        decisions: Vec::new(),
        given_back: Vec::new(),
        available,
    };
    while let Some(order) = rest.get(group.before.len())
        && group.before.len() < most
    {
        let mut available = group.available.clone();
        let mut changes = Changes::from(group.commit.changes.clone());
        let ended = &group.commit.ended;
        let reservation = order.unused_reservation().and_then(|id| {
            let mut held = view.reservations.iter().filter(|known| known.is_held());
            held.find(|held| held.id == id && !ended.iter().any(|ending| ending.id == id))
        });
        if let Some(reservation) = reservation {
            available.note_kept(&reservation.kept);
            for kept in &reservation.kept {
                changes.take_up(kept, order, now);
            }
        }
        let plan = allocate(order, network, products, &mut available, &mut changes, now);
        let Some(plan) = plan else {
            singly.push(rest.remove(group.before.len()).id.clone());
            continue;
        };
        let (waiting, unchanged) = (group.commit.waiting.len(), changes.into_vec());
        let unchanged = std::mem::replace(&mut group.commit.changes, unchanged);
        let (loads, ended) = (group.commit.loads.clone(), group.commit.ended.len());
        if let Some(reservation) = reservation {
            let given_back = reservation.given_back(order, &plan.order).into_iter();
            let given_back = given_back.map(str::to_owned).collect();
            group.given_back.push((order.id.clone(), given_back));
            group.commit.ended.push(Ending {
                id: reservation.id.clone(),
                status: ReservationStatus::Committed,
                order: Some(order.id.clone()),
                at: now,
                held_until: None,
            });
        }
        group.commit.waiting.extend(waits(order, &plan));
        group.commit.orders.push((order.version, plan.order));
        for load in plan.loads {
            group.commit.add_load(load);
        }
        if !group.commit.fits() && !group.before.is_empty() {
            // The order opens the next transaction.
            group.commit.orders.pop();
            group.commit.waiting.truncate(waiting);
            group.commit.changes = unchanged;
            group.commit.loads = loads;
            group.commit.ended.truncate(ended);
            break;
        }
        // Where nothing is sent the timeline says all.
        let decision = plan.decision.filter(|decision| decision.sent > 0);
        let decision = decision.map(|decision| (order.id.clone(), decision));
        group.decisions.extend(decision);
        group.available = available;
        group.before.push(Arc::clone(order));
    }
    group
}

/// Who begins to wait with an allocation, or for another number, and who no longer does.
fn waits(before: &Order, plan: &Allocation) -> Vec<Waiting> {
    let starts = plan.starts_waiting.iter();
    let starts = starts.map(|(sku, units)| waiting(before, sku, *units));
    let stops = plan.stops_waiting.iter();
    starts
        .chain(stops.map(|sku| waiting(before, sku, 0)))
        .collect()
}

pub(crate) fn waiting(order: &Order, sku: &str, units: u32) -> Waiting {
    Waiting {
        sku: sku.to_owned(),
        placed_at: order.placed_at,
        order: order.id.clone(),
        units,
    }
}
