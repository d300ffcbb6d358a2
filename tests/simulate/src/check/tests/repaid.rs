use domain::order::RefundStatus;
use domain::payment::{PaidThrough, Provider};

use super::rest::{breaks, keeps};
use crate::check::sample::SENT;
use crate::observed::{Observed, Repaid};

/// The order that is sent was paid through the provider, which has paid its refund.
fn repaid(w: &mut Observed) {
    let order = &mut w.orders[SENT].order;
    order.paid_through = Some(PaidThrough {
        provider: Provider::Stripe,
        account: "main".into(),
        reference: "pi_1".into(),
    });
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
        repaid(w);
        let order = &mut w.orders[SENT].order;
        order.refunds[0].status = RefundStatus::AwaitingConfirmation;
        order.payments.pop();
        order.notices.clear();
    });
}
