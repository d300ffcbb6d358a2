//! The timeline of an order, over all its pages.

use domain::Event;
use domain::event::Entry;
use domain::owed::Notice;

use super::{Hold, ensure};
use crate::measure::thousandths_of;
use crate::observed::StoredOrder;

/// Events are numbered from 1 to the version, without a gap.
pub(super) fn has_no_gap(stored: &StoredOrder) -> Hold {
    let mut next = 1;
    for timeline in stored.pages.iter().chain([&stored.order.timeline]) {
        let first = timeline.first;
        ensure(first == next, "timeline-gap", &stored.order.id, || {
            format!(
                "expected the next page of the timeline to begin with event {next}, found {first}"
            )
        })?;
        next += timeline.entries.len() as u64;
    }
    Ok(())
}

/// All events, oldest first.
pub(super) fn events(stored: &StoredOrder) -> impl Iterator<Item = &Event> {
    entries(stored).map(|entry| &entry.event)
}

/// The same, each with its time.
pub(super) fn entries(stored: &StoredOrder) -> impl Iterator<Item = &Entry> {
    let timelines = stored.pages.iter().chain([&stored.order.timeline]);
    timelines.flat_map(|timeline| &timeline.entries)
}

/// How much was set aside and how much nobody had, in thousandths, of an event that says that goods were looked for.
pub(super) fn looked_for(event: &Event) -> Option<(i64, i64)> {
    match event {
        Event::Allocated(found, missing) | Event::AllocatedReserved(found, missing, _) => {
            Some((thousandths_of(*found), thousandths_of(*missing)))
        }
        _ => None,
    }
}

/// The notice that an event says was sent, or could not be.
pub(super) fn noted(event: &Event) -> Option<&Notice> {
    match event {
        Event::Notified(notice) | Event::NotNotified(notice, _) => Some(notice),
        _ => None,
    }
}
