//! What Stripe says by itself of refunds: a webhook, signed over the time and the body.

use data_encoding::HEXLOWER;
use domain::intake::NewOrder;
use domain::refund::Answer;
use jiff::Timestamp;

use super::{Known, Stripe};
use crate::document::{self, Object};
use crate::faults::Faults;
use crate::payments::Wish;
use crate::signature::{hmac_sha256_matches, with_any};
use crate::standard::{MAX_SIGNATURES, TOLERANCE};
use crate::{Channel, Delivery, Said, Secret, Unreadable};

/// What events are called that are about a refund.
const TYPES: [&str; 4] = [
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refund.updated",
];

/// The webhook comes where those of channels do, and is checked and kept as they are; orders it brings none. The secret is
/// that of the endpoint (`whsec_...`), as a whole; while it is changed a delivery has several signatures.
impl Channel for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool {
        let Some(header) = delivery.header("stripe-signature") else {
            return false;
        };
        let of = |name: &'static str| {
            let fields = header.split(',').filter_map(|field| field.split_once('='));
            fields
                .filter(move |field| field.0 == name)
                .map(|field| field.1)
        };
        let Some(timestamp) = of("t").next() else {
            return false;
        };
        let sent_at = timestamp.parse().ok();
        let sent_at = sent_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let message = [timestamp.as_bytes(), b".", delivery.raw_body];
        let signatures = of("v1").take(MAX_SIGNATURES);
        let signatures: Vec<Vec<u8>> = signatures
            .filter_map(|signature| HEXLOWER.decode(signature.as_bytes()).ok())
            .collect();
        let signed = with_any(secrets, |secret| {
            let key = secret.key()?.as_bytes();
            Some(signatures.iter().fold(false, |passed, signature| {
                hmac_sha256_matches(key, &message, signature) | passed
            }))
        });
        let in_time = |sent_at| now.duration_since(sent_at).abs() <= TOLERANCE;
        signed && sent_at.is_some_and(in_time)
    }

    fn read(&self, delivery: &Delivery<'_>, _: &str) -> Result<Said, Unreadable> {
        let faults = Faults::default();
        let Some(mut refund) = refund(delivery.raw_body, &faults)? else {
            return Ok(Said::Nothing("it is not about a refund"));
        };
        let metadata = refund.inner("metadata");
        Ok(
            match metadata.map(|mut metadata| metadata.words("refund")) {
                Some(name) if !name.is_empty() => Said::Repaid(name),
                _ => Said::Nothing("it is about a refund that was made at the payment provider"),
            },
        )
    }

    fn parse(&self, _: &[u8], _: &str) -> Result<NewOrder, Unreadable> {
        Err(Faults::default().unreadable())
    }
}

/// The refund that an event is about, if it is about one.
fn refund<'a>(raw_body: &'a [u8], faults: &'a Faults) -> Result<Option<Object<'a>>, Unreadable> {
    let mut event = document::object(raw_body, faults)?;
    let kind = event.require("type").and_then(|kind| kind.text());
    let kind = kind.ok_or_else(|| faults.unreadable())?;
    if !TYPES.contains(&&*kind) {
        return Ok(None);
    }
    let data = event.require("data").and_then(|data| data.object());
    let refund = data.and_then(|mut data| data.require("object")?.object());
    refund.map(Some).ok_or_else(|| faults.unreadable())
}

/// What an event says of a refund of ours: how often a person had had it asked for anew, and what has become of it; `None`:
/// it is of another payment, or another refund.
pub(crate) fn told(raw_body: &[u8], wish: &Wish) -> Result<Option<(u32, Answer)>, Unreadable> {
    let faults = Faults::default();
    let refund = refund(raw_body, &faults)?;
    let mut refund = refund.ok_or_else(|| faults.unreadable())?;
    let payment = refund.words("payment_intent");
    let known = Known::read(refund, wish).ok_or_else(|| faults.unreadable())?;
    let ours = payment == wish.payment && known.refund == wish.refund;
    let repeats = known.repeats.parse().ok();
    Ok(repeats
        .filter(|_| ours)
        .map(|repeats| (repeats, known.answer)))
}

#[cfg(test)]
mod tests {
    use domain::Currency;
    use domain::refund::Outcome;

    use super::*;

    // stripe 23.1.0 (npm): webhooks.generateTestHeaderString({payload: BODY, secret: "whsec_new", timestamp: SENT_AT}),
    // and the same with "whsec_old".
    const BODY: &[u8] = "{\"id\": \"evt_1\", \"note\": \"Grüße\"}\n".as_bytes();
    const SENT_AT: i64 = 1_772_614_800;
    const BY_NEW: &str = "4e1d4f150d240f588c0e02d36f597a3dfa4fab1a51d29cb32dde08a85c912881";
    const BY_OLD: &str = "791230d6d358a9fdb0cc8effc66b4257fa11780b2b015e028a33bb65e5d51aa8";

    fn delivery_of<T>(
        header: Option<&str>,
        body: &[u8],
        look: impl FnOnce(&Delivery<'_>) -> T,
    ) -> T {
        let headers = |name: &str| header.filter(|_| name == "stripe-signature");
        look(&Delivery {
            method: "POST",
            url: "https://oms.example/webhooks/stripe/main",
            headers: &headers,
            query: &|_| None,
            raw_body: body,
        })
    }

    fn passes(header: &str, body: &[u8], secrets: &[&str], late_s: i64) -> bool {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
        let now = Timestamp::from_second(SENT_AT + late_s).unwrap();
        delivery_of(Some(header), body, |delivery| {
            Stripe.verify(delivery, &secrets, now)
        })
    }

    #[test]
    fn what_stripe_signs_is_right_for_five_minutes() {
        let signed = format!("t={SENT_AT},v1={BY_NEW}");
        for late_s in [0, 300, -300] {
            assert!(passes(&signed, BODY, &["whsec_new"], late_s), "{late_s}");
        }
        for late_s in [301, -301] {
            assert!(!passes(&signed, BODY, &["whsec_new"], late_s), "{late_s}");
        }
        // While the secret is changed: two signatures there, or two secrets here.
        let both = format!("t={SENT_AT},v1={BY_NEW},v1={BY_OLD},v0=00");
        for secret in ["whsec_new", "whsec_old"] {
            assert!(passes(&both, BODY, &[secret], 0), "{secret}");
        }
        assert!(passes(&signed, BODY, &["whsec_old", "whsec_new"], 0));
    }

    #[test]
    fn anything_else_is_wrong() {
        let signed = format!("t={SENT_AT},v1={BY_NEW}");
        assert!(!passes(&signed, BODY, &["whsec_old"], 0));
        assert!(!passes(&signed, BODY, &[], 0));
        assert!(!passes(&signed, BODY, &[""], 0), "no secret, no trust");
        assert!(!passes(&signed, &BODY[..BODY.len() - 1], &["whsec_new"], 0));
        let later = format!("t={},v1={BY_NEW}", SENT_AT + 1);
        let half = format!("t={SENT_AT},v1={}", &BY_NEW[..32]);
        let other = format!("t={SENT_AT},v0={BY_NEW}");
        let many = "v1=00,".repeat(MAX_SIGNATURES);
        let many = format!("t={SENT_AT},{many}v1={BY_NEW}");
        for header in ["", "t=,v1=", "v1", &later, &half, &other, &many, BY_NEW] {
            assert!(!passes(header, BODY, &["whsec_new"], 0), "{header:?}");
        }
        let unsigned = delivery_of(None, BODY, |delivery| {
            Stripe.verify(
                delivery,
                &[Secret::read("whsec_new")],
                Timestamp::UNIX_EPOCH,
            )
        });
        assert!(!unsigned);
    }

    fn event(kind: &str, refund: &str) -> String {
        format!(r#"{{"id":"evt_1","object":"event","type":"{kind}","data":{{"object":{refund}}}}}"#)
    }

    const PAID: &str = r#"{"id":"re_1","object":"refund","amount":700,"currency":"eur","status":"succeeded",
        "payment_intent":"pi_1","metadata":{"order":"AD4OVS4KRET6JAPB","refund":"AD4OVS4KRET6JAPB-F1","repeats":"1"}}"#;

    #[test]
    fn it_tells_of_refunds_and_nothing_else() {
        let read =
            |body: &str| delivery_of(None, body.as_bytes(), |said| Stripe.read(said, "main"));
        for kind in TYPES {
            let said = read(&event(kind, PAID));
            assert_eq!(
                said,
                Ok(Said::Repaid("AD4OVS4KRET6JAPB-F1".into())),
                "{kind}"
            );
        }
        let nothing = |body: &str| matches!(read(body), Ok(Said::Nothing(_)));
        assert!(nothing(&event("charge.refunded", PAID)));
        assert!(nothing(&event(
            "refund.updated",
            r#"{"id":"re_9","metadata":{}}"#
        )));
        assert!(nothing(&event("refund.updated", r#"{"id":"re_9"}"#)));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"type":"refund.updated"}"#,
            &event("refund.updated", "7"),
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_it_tells_is_of_this_refund_or_of_none() {
        let wish = |payment: &str, n: u32| Wish {
            payment: payment.into(),
            order: "AD4OVS4KRET6JAPB".into(),
            refund: format!("AD4OVS4KRET6JAPB-F{n}"),
            repeats: 3,
            amount: 700,
            currency: Currency::from_code("EUR").unwrap(),
            again: false,
        };
        let event = event("refund.updated", PAID);
        let told = |wish: &Wish| told(event.as_bytes(), wish);
        let answer = Answer {
            external: Some("re_1".into()),
            outcome: Outcome::Paid,
        };
        assert_eq!(told(&wish("pi_1", 1)), Ok(Some((1, answer))));
        assert_eq!(told(&wish("pi_2", 1)), Ok(None));
        assert_eq!(told(&wish("pi_1", 2)), Ok(None));
        assert!(super::told(b"{}", &wish("pi_1", 1)).is_err());
    }
}
