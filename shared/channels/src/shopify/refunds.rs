//! What Shopify says has gone back: refunds, in the shop's currency, and the units of each line that nobody
//! wants any more.

use std::collections::BTreeMap;

use domain::intake::ChannelRefund;
use domain::{Currency, Quantity};

use super::exact_id;
use crate::document::{self, Object, Value};
use crate::faults::Faults;
use crate::{Hint, Said, Unreadable};

/// What has gone back. What was paid out in another currency than the shop's is told by the order alone, which
/// `orders/updated` restates.
pub(super) fn webhook(raw_body: &[u8]) -> Result<Said, Unreadable> {
    let faults = Faults::default();
    let mut refund = document::object(raw_body, &faults)?;
    let order = refund.require("order_id").and_then(|id| id.digits());
    let own = shop_currency(&mut refund);
    let paid_out = refund.peek("transactions").and_then(|list| list.list());
    let paid_in = paid_out.unwrap_or_default().into_iter().find_map(|value| {
        let currency = value.object()?.take("currency")?;
        currency.currency()
    });
    let abroad = own.is_some() && paid_in.is_some() && own != paid_in;
    let refund = read(refund, Shop::default());
    match (order, faults.found()) {
        (Some(external_id), None) if abroad => {
            let as_of = None;
            Ok(Said::Changed(vec![Hint { external_id, as_of }]))
        }
        (Some(order), None) => Ok(Said::Refunded(order, refund)),
        (_, found) => Err(found.unwrap_or_else(|| faults.unreadable())),
    }
}

/// The shop's currency, where a refund has an amount in both.
fn shop_currency(refund: &mut Object<'_>) -> Option<Currency> {
    let mut duties = refund.inner("total_duties_set")?.inner("shop_money")?;
    duties.take("currency_code")?.currency()
}

/// What an order's refunds are counted in.
#[derive(Clone, Copy, Default)]
pub(super) struct Shop {
    /// The shop's currency, and the order's total in it.
    pub(super) total: Option<(i64, Currency)>,
    /// The total in the currency that the customer paid in.
    pub(super) shown: Option<(i64, Currency)>,
}

impl Shop {
    /// The shop's side of what was paid out: its share of the total. It is rounded down, so that the parts never
    /// come to more than all of it.
    fn side_of(&self, amount: &Value<'_>, paid_in: Option<Currency>) -> Option<i64> {
        match (self.total, self.shown) {
            (Some((total, own)), Some((shown, theirs)))
                if paid_in == Some(theirs) && own != theirs && shown > 0 =>
            {
                let amount = i128::from(amount.amount(paid_in)?);
                i64::try_from(amount * i128::from(total) / i128::from(shown)).ok()
            }
            (own, _) => amount.amount(own.map(|(_, own)| own).or(paid_in)),
        }
    }
}

/// A refund: its successful transactions.
pub(super) fn read(mut refund: Object<'_>, shop: Shop) -> ChannelRefund {
    let transactions = refund.objects("transactions").into_iter();
    let paid_out = transactions.filter_map(|mut transaction| {
        let kind = transaction.words("kind");
        let failed = matches!(
            transaction.words("status").as_str(),
            "failure" | "error" | "pending"
        );
        if kind != "refund" || failed {
            return None;
        }
        let own = transaction
            .take("currency")
            .and_then(|code| code.currency());
        let amount = transaction.take("amount")?;
        shop.side_of(&amount, own)
    });
    let amount = paid_out.fold(0, i64::saturating_add);
    let lines = refund.objects("refund_line_items").into_iter();
    let lines = lines.filter_map(|mut line| {
        let quantity = line.take("quantity")?.units()?;
        Some((line.take("line_item_id")?.digits()?, quantity))
    });
    ChannelRefund {
        lines: lines.collect(),
        id: exact_id(&mut refund).unwrap_or_default(),
        amount,
    }
}

/// Units, by the id of their line.
type ByLine = BTreeMap<String, Quantity>;

fn by_line(units: impl IntoIterator<Item = (String, Quantity)>) -> ByLine {
    let mut sums = ByLine::new();
    for (line, more) in units {
        let sum = sums.entry(line).or_default();
        *sum = *sum + more;
    }
    sums
}

/// What of an order's lines has been given back, and what has left.
pub(super) struct Moved {
    refunded: ByLine,
    sent: ByLine,
}

impl Moved {
    pub(super) fn of(order: &mut Object<'_>, refunds: &[ChannelRefund]) -> Self {
        let refunded = refunds.iter().flat_map(|refund| refund.lines.clone());
        let mut sent = Vec::new();
        for mut fulfillment in order.objects("fulfillments") {
            let status = fulfillment.words("status");
            if matches!(status.as_str(), "cancelled" | "error" | "failure") {
                continue;
            }
            for mut line in fulfillment.objects("line_items") {
                let id = exact_id(&mut line).unwrap_or_default();
                sent.push((id, line.units_if_any("quantity")));
            }
        }
        Self {
            refunded: by_line(refunded),
            sent: by_line(sent),
        }
    }

    /// The units of a line that nobody wants any more: what is refunded or removed is not in
    /// `current_quantity`, and what has left is not cancelled by that. Versions before 2024-01 tell of refunds
    /// alone.
    pub(super) fn cancelled(
        &self,
        id: &str,
        quantity: Quantity,
        line: &mut Object<'_>,
    ) -> Quantity {
        let of = |units: &ByLine| units.get(id).copied().unwrap_or_default();
        let current = line.take("current_quantity").and_then(|left| left.units());
        let gone = match current {
            Some(current) => quantity.without(current),
            None => of(&self.refunded),
        };
        gone.min(quantity.without(of(&self.sent)))
    }
}

#[cfg(test)]
mod tests {
    use crate::shopify::Shopify;
    use crate::testing::sent;
    use crate::{Channel, Said};
    use domain::intake::NewOrder;

    /// Three of one line and one of another, shown and paid in francs.
    fn order(line: &str, more: &str) -> NewOrder {
        let document = format!(
            r#"{{"id": 71, "name": "K-71", "created_at": "2026-03-04T05:06:07Z", "currency": "EUR",
              "total_price": "90.00", "financial_status": "paid",
              "total_price_set": {{
                "shop_money": {{"amount": "90.00", "currency_code": "EUR"}},
                "presentment_money": {{"amount": "81.00", "currency_code": "CHF"}}}},
              "line_items": [
                {{"id": 711, "sku": "KETTLE", "title": "Kettle", "quantity": 3, "price": "20.00"{line}}},
                {{"id": 712, "sku": "CUP", "title": "Cup", "quantity": 1, "price": "30.00"}}]{more}}}"#
        );
        Shopify.parse(document.as_bytes(), "main").unwrap()
    }

    fn cancelled(line: &str, more: &str) -> Vec<String> {
        let lines = order(line, more).lines.into_iter();
        lines.map(|line| line.cancelled.to_string()).collect()
    }

    #[test]
    fn what_is_removed_or_refunded_before_it_has_left_is_cancelled() {
        assert_eq!(cancelled("", ""), ["0", "0"]);
        assert_eq!(cancelled(r#", "current_quantity": 3"#, ""), ["0", "0"]);
        assert_eq!(cancelled(r#", "current_quantity": 1"#, ""), ["2", "0"]);
        let refunds = r#", "refunds": [{"id": 9, "transactions": [], "refund_line_items": [
            {"line_item_id": 711, "quantity": 1, "restock_type": "cancel"},
            {"line_item_id": 712, "quantity": 1, "restock_type": "no_restock"}]}]"#;
        assert_eq!(cancelled("", refunds), ["1", "1"], "an older version");
        // The newer field counts where it is.
        assert_eq!(cancelled(r#", "current_quantity": 3"#, refunds), ["0", "1"]);
    }

    #[test]
    fn what_has_left_comes_back_by_a_return() {
        let sent = |status: &str, count: u8| {
            format!(
                r#", "fulfillments": [{{"status": "{status}",
                   "line_items": [{{"id": 711, "quantity": {count}}}]}}]"#
            )
        };
        let one_left = r#", "current_quantity": 1"#;
        assert_eq!(cancelled(one_left, &sent("success", 3)), ["0", "0"]);
        assert_eq!(cancelled(one_left, &sent("success", 2)), ["1", "0"]);
        assert_eq!(cancelled(one_left, &sent("cancelled", 3)), ["2", "0"]);
    }

    #[test]
    fn what_was_paid_out_in_the_customers_currency_is_counted_in_the_shops() {
        let refunded = |amount: &str, currency: &str| {
            let refund = format!(
                r#", "refunds": [{{"id": 9, "transactions": [
                   {{"kind": "refund", "status": "success", "amount": "{amount}", "currency": "{currency}"}}]}}]"#
            );
            order("", &refund).refunds[0].amount
        };
        assert_eq!(refunded("81.00", "CHF"), 9000, "all of it");
        assert_eq!(refunded("10.00", "CHF"), 1111, "11.11 and a little");
        assert_eq!(refunded("10.00", "EUR"), 1000);
    }

    #[test]
    fn a_refund_in_another_currency_than_the_shops_waits_for_the_order() {
        let said = |paid_in: &str| {
            let body = format!(
                r#"{{"id": 9, "order_id": 71, "refund_line_items": [],
                  "total_duties_set": {{"shop_money": {{"amount": "0.00", "currency_code": "EUR"}}}},
                  "transactions": [
                    {{"kind": "refund", "status": "success", "amount": "10.00", "currency": "{paid_in}"}}]}}"#
            );
            let delivery = sent(body).header("x-shopify-topic", "refunds/create");
            delivery.read(&Shopify)
        };
        let Ok(Said::Refunded(order, refund)) = said("EUR") else {
            panic!("expected a refund");
        };
        assert_eq!((order.as_str(), refund.amount), ("71", 1000));
        let Ok(Said::Changed(hints)) = said("CHF") else {
            panic!("expected word of the order");
        };
        assert_eq!(hints[0].external_id, "71");
    }
}
