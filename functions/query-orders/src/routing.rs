//! Why these warehouses send an order, as the API shows it: in words and in numbers.

use domain::decision::{Considered, Decision, Verdict, carried_out};
use domain::{Currency, OrderId};
use runtime::http::Answer;
use serde_json::{Value, json};

use crate::Desk;

impl Desk {
    /// The decisions that were carried out, the oldest first.
    pub(crate) async fn routing(&self, id: &OrderId) -> Result<Answer, Answer> {
        let unknown = || Answer::not_found(&format!("order {id}"));
        let story = self.store.load_story(id).await?.ok_or_else(unknown)?;
        let decisions = self.store.decisions(id).await?;
        let decisions = carried_out(decisions, &story.order, &story.timeline);
        let decisions: Vec<Value> = decisions.iter().map(shown).collect();
        Answer::json(200, &json!({"order": id, "decisions": decisions}))
    }
}

fn shown(decision: &Decision) -> Value {
    let currency = decision.currency;
    let runner_up = decision.runner_up.as_ref();
    json!({
        "sequence": decision.of_version,
        "at": decision.at,
        "objective": decision.objective,
        "currency": currency.map(Currency::code),
        "wanted": decision.quantity(decision.wanted),
        "sent": decision.quantity(decision.sent),
        "withheld": decision.quantity(decision.withheld),
        "max_shipments": decision.most,
        "proved_best": decision.gap.is_none(),
        "summary": decision.summary(),
        "runner_up": runner_up.map(|runner_up| &runner_up.locations),
        "considered": decision
            .considered
            .iter()
            .map(|considered| location(decision, considered))
            .collect::<Vec<_>>(),
        "not_listed": decision.others,
    })
}

fn location(decision: &Decision, considered: &Considered) -> Value {
    let (verdict, units) = match &considered.verdict {
        Verdict::Sends(units) => ("sends", *units),
        Verdict::Excluded(_) => ("excluded", 0),
        Verdict::Nothing => ("has_nothing", 0),
        Verdict::Has(units) => ("has_part", *units),
        Verdict::All(_) => ("lost", decision.wanted),
    };
    let cost = considered.cost.zip(decision.currency);
    let cost = cost.and_then(|(cost, currency)| Some(currency.format(i64::try_from(cost).ok()?)));
    let excluded = matches!(considered.verdict, Verdict::Excluded(_));
    json!({
        "location": considered.location,
        "verdict": verdict,
        "units": decision.quantity(units),
        "distance_km": (!excluded).then(|| considered.metres.div_ceil(1_000)),
        "cost": cost,
        "arrives": considered.arrives,
        "late": considered.late,
        "text": decision.tell(considered),
    })
}
