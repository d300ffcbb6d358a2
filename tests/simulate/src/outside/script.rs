//! The load of a run that leaves nothing to chance: the life of one order.

use std::sync::Arc;

use domain::{Order, Step};
use jiff::Timestamp;

use super::changes::{confirm, refund};
use super::purchases::place;
use super::returns::{announce, receive};
use super::stock::count;
use super::warehouse::handle;
use super::{Act, Outside, redrive};
use crate::retailer::Retailer;
use crate::tape::Tape;
use crate::vendor::Happening;

/// What comes next in a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scripted {
    Count,
    Place,
    Handle,
    Announce,
    Receive,
    Refund,
    Confirm,
    Buy,
    Poison,
    Redrive,
    Sweep,
}

impl Outside {
    /// The life of one order of two lines, of which one has to wait for its goods: packed, delivered,
    /// sent back and refunded by its payment provider, with a cent on top for the trouble, which a person sees go back; and around it what makes every
    /// function take part: a receipt of goods, an order that a shop only hints at and is told of in the end, a
    /// message to nobody that is parked and sent back, a sweep.
    pub fn script() -> Self {
        use Scripted::*;
        let mut script = vec![
            Place, Count, Handle, Handle, Handle, Handle, Refund, Confirm, Announce, Receive, Buy,
            Poison, Redrive, Sweep,
        ];
        script.reverse();
        Self {
            script,
            ..Self::default()
        }
    }

    /// The next of the script.
    pub fn next_of_script(
        &mut self,
        orders: &[Arc<Order>],
        retailer: &Retailer,
        now: Timestamp,
    ) -> Option<Act> {
        let next = self.script.pop()?;
        self.named += 1;
        let named = format!("s{}", self.named);
        let plain = &mut Tape::of_choices(Vec::new());
        let ask = match next {
            // Two lines: two of the first article, one of the second.
            Scripted::Place => {
                let lines = vec![1, 0, 0, 1, 0, 0, 1, 0, 0, 1];
                Some(place(1, retailer, now, &[], &mut Tape::of_choices(lines)).0)
            }
            // One of the second article comes in.
            Scripted::Count => count(retailer, named, &mut Tape::of_choices(vec![1])),
            // One of the first.
            Scripted::Buy => {
                let product = retailer.products.first()?;
                let bought = Happening::Bought(product.sku.clone(), 1, product.decimals, 1_000);
                return Some(Act::InShop(bought, true));
            }
            Scripted::Poison => return Some(Act::Poison(Step::AllocateWarehouse)),
            Scripted::Redrive => Some(redrive()),
            Scripted::Sweep => return Some(Act::Schedule("sweep-orders")),
            Scripted::Handle => handle(orders, plain),
            Scripted::Announce => announce(orders, named, plain),
            Scripted::Receive => receive(orders, plain),
            Scripted::Refund => refund(orders, named, plain),
            Scripted::Confirm => confirm(orders, plain),
        };
        Some(ask.map_or(Act::Nothing, |ask| Act::Ask(Box::new(ask))))
    }
}
