use domain::Order;
use domain::order::RefundStatus;
use domain::payment::{PaidThrough, Provider};

use super::rest::{breaks, keeps};
use crate::check::sample::SENT;
use crate::observed::{Observed, Repaid};

fn through() -> PaidThrough {
    PaidThrough {
        provider: Provider::Stripe,
        account: "main".into(),
        reference: "pi_1".into(),
    }
}

/// The order that is sent was paid through the provider, which has paid its refund.
fn repaid(w: &mut Observed) {
    let order = &mut w.orders[SENT].order;
    order.paid_through = Some(through());
    order.refunds[0].external = Some("re_1".into());
    pays(w, "re_1");
}

fn pays(w: &mut Observed, id: &str) {
    w.repaid.push(Repaid {
        id: id.into(),
        payment: "pi_1".into(),
        refund: format!("{}-F1", w.orders[SENT].order.id),
        repeats: "0".into(),
        amount: 1100,
        status: "succeeded",
    });
}

#[test]
fn a_provider_pays_too_much_or_too_little() {
    keeps(repaid);
    keeps(|w| {
        repaid(w);
        pays(w, "re_2");
        w.repaid[1].status = "failed";
    });
    // A person had confirmed it before.
    keeps(|w| {
        repaid(w);
        w.repaid[0].status = "failed";
    });
    breaks("refund-paid-otherwise", |w| {
        repaid(w);
        pays(w, "re_2");
    });
    breaks("refund-paid-otherwise", |w| {
        repaid(w);
        w.repaid.clear();
    });
    breaks("refund-paid-otherwise", |w| {
        repaid(w);
        w.repaid[0].amount += 1;
    });
    breaks("refund-paid-otherwise", |w| {
        repaid(w);
        w.orders[SENT].order.refunds[0].external = None;
    });
    breaks("repaid-unasked", |w| {
        repaid(w);
        pays(w, "re_2");
        w.repaid[1].refund = "AAAAAAAAAAAAAAAA-F1".into();
    });
    breaks("paid-unnoted", |w| {
        let mut orders = w.orders.iter_mut().map(|stored| &mut stored.order);
        let waits = |order: &&mut Order| {
            let first = order.refunds.first();
            first.is_some_and(|refund| refund.status == RefundStatus::AwaitingConfirmation)
        };
        let order = orders.find(waits).unwrap();
        order.paid_through = Some(through());
        order.refunds[0].external = Some("re_1".into());
        let (refund, amount) = (format!("{}-F1", order.id), order.refunds[0].amount);
        pays(w, "re_1");
        (w.repaid[0].refund, w.repaid[0].amount) = (refund, amount);
    });
}
