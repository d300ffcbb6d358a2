//! Everything that is wrong with a document, so that its sender hears of it at once.

use std::cell::RefCell;

use domain::Problem;
use domain::intake::NewOrder;
use domain::limits::MAX_MINOR;

use crate::Unreadable;

/// What is wrong with a document, as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct Faults(RefCell<Vec<Problem>>);

impl Faults {
    /// Records a fault.
    pub(crate) fn add(&self, pointer: &str, detail: impl Into<String>) {
        self.0.borrow_mut().push(Problem::at(pointer, detail));
    }

    /// The faults so far, when nothing can be made of the document.
    pub(crate) fn unreadable(&self) -> Unreadable {
        let mut problems = self.0.take();
        if problems.is_empty() {
            problems.push(Problem::at("", "expected a document of this channel"));
        }
        Unreadable::Problems(Problem::first_of(problems))
    }

    /// The faults so far, if there are any.
    pub(crate) fn found(&self) -> Option<Unreadable> {
        let any = !self.0.borrow().is_empty();
        any.then(|| self.unreadable())
    }

    /// Adds what the house finds wrong with an order, under the names of the sender's document, and
    /// gives the order only if all is well.
    pub(crate) fn check(
        &self,
        mut order: NewOrder,
        rename: impl Fn(Problem) -> Problem,
    ) -> Result<NewOrder, Unreadable> {
        let mut problems = self.0.take();
        problems.extend(defuse_excessive_lines(&mut order));
        let found = order.problems().into_iter().map(rename);
        // Where something could not be read, what follows from its absence is no news.
        let found: Vec<Problem> = found
            .filter(|found| !problems.iter().any(|known| same_place(known, found)))
            .collect();
        problems.extend(found);
        if !problems.is_empty() {
            return Err(Unreadable::Problems(Problem::first_of(problems)));
        }
        order.contact.titles = order.lines.iter().map(|line| line.title.clone()).collect();
        Ok(order)
    }
}

/// Refuses lines that are worth more than an amount can be. They and lines of an impossible quantity
/// lose their amounts, so that the goods of any document can be added up and nothing follows from them.
fn defuse_excessive_lines(order: &mut NewOrder) -> Vec<Problem> {
    let most = order.currency.display(MAX_MINOR);
    let mut problems = Vec::new();
    for (n, line) in order.lines.iter_mut().enumerate() {
        let possible = line.units().is_ok();
        if possible && line.quantity.cost_at(line.unit_price) <= MAX_MINOR {
            continue;
        }
        line.unit_price = 0;
        line.discount = 0;
        if possible {
            let pointer = format!("{}/{n}", order.lines_pointer);
            let detail = format!("expected quantity times price to be at most {most}");
            problems.push(Problem::at(pointer, detail));
        }
    }
    problems
}

/// Whether one of them is at the place of the other or beneath it.
fn same_place(one: &Problem, other: &Problem) -> bool {
    let beneath = |lower: &str, upper: &str| {
        let rest = lower.strip_prefix(upper);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    beneath(&one.pointer, &other.pointer) || beneath(&other.pointer, &one.pointer)
}
