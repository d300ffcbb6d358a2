//! What goes to queues and by mail, and from there to the simulator's own queues.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::Step;
use http::{Request, Response};
use local::services::sqs::{MessageAttribute, Outgoing, Queue, Received};
use runtime::Hint;
use serde_json::{Value, json};

use super::call::Call;
use super::{Ground, names};
use crate::faults::Fate;
use crate::observed::SentMail;
use crate::queues::DeadLetter;
use crate::sim::Mailed;

/// For how long the local SQS hides what the simulator has taken from it: longer than any run.
const HIDDEN: Duration = Duration::from_secs(43_200);
/// Messages that are taken at a time: more than there are.
const ALL: usize = 10_000;

/// A receipt that says which message it is for: the local SQS knows one for each message that was
/// sent, and the simulator may hand one out twice.
pub(super) fn receipt(number: u64, handle: &str) -> String {
    format!("{number}/{handle}")
}

/// The number and the handle of a receipt.
fn receipted(body: &Value) -> Option<(u64, &str)> {
    let (number, handle) = body["ReceiptHandle"].as_str()?.split_once('/')?;
    Some((number.parse().ok()?, handle))
}

/// Takes the delay out of a message that is to be sent: all of one call have the same.
fn take_delay(message: &mut Value) -> i32 {
    let delay_s = message
        .as_object_mut()
        .and_then(|m| m.remove("DelaySeconds"));
    let delay_s = delay_s.as_ref().and_then(Value::as_i64).unwrap_or(0);
    i32::try_from(delay_s).unwrap_or(0)
}

fn ok(answer: &Response<Bytes>) -> bool {
    answer.status().is_success()
}

impl Ground {
    /// All that a queue has.
    pub(super) async fn receive(&self, queue: &Queue) -> Option<Vec<Received>> {
        let (sqs, at_once) = (&self.services.sqs, Some(Duration::ZERO));
        sqs.receive(queue, ALL, Some(HIDDEN), at_once).await.ok()
    }

    fn queue_of(&self, step: Step, dead: bool) -> Option<Arc<Queue>> {
        let (queue, dead_letters) = names().ok()?.queues.get(&step)?;
        self.services
            .sqs
            .queue(if dead { dead_letters } else { queue })
    }

    async fn handle(&self, request: Request<Bytes>, body: &Value) -> Response<Bytes> {
        let request = request.map(|_| Bytes::from(body.to_string()));
        self.services.handle(&self.caller, request).await
    }

    /// A request about the queue of a step.
    pub(super) async fn to_queue(
        &self,
        call: &Call,
        step: Step,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        if call.operation == "ChangeMessageVisibility" {
            let mut body = call.body.clone();
            let seconds = body["VisibilityTimeout"].as_i64().unwrap_or(0);
            if let Some((number, handle)) = receipted(&call.body) {
                body["ReceiptHandle"] = handle.into();
                let state = &mut *self.sim.state();
                let at_ms = state.now_ms + seconds * 1_000;
                state.queues.show_at(number, at_ms);
            }
            // The local SQS has a clock of its own: on a slow machine the message would come back to it.
            body["VisibilityTimeout"] = HIDDEN.as_secs().into();
            return self.handle(request, &body).await;
        }
        // The same for what is sent with a delay.
        let mut body = call.body.clone();
        let mut delay_s = take_delay(&mut body);
        for entry in body["Entries"].as_array_mut().into_iter().flatten() {
            delay_s = delay_s.max(take_delay(entry));
        }
        let answer = match delay_s {
            0 => self.services.handle(&self.caller, request).await,
            _ => self.handle(request, &body).await,
        };
        self.must(ok(&answer), format!("{} has failed", call.operation));
        let arrived = match self.queue_of(step, false) {
            Some(queue) => self.receive(&queue).await,
            None => None,
        };
        for received in arrived.into_iter().flatten() {
            let body = received.message.body.clone();
            match Hint::parse(&body) {
                Ok(hint) => {
                    self.sim
                        .state()
                        .send(step, hint, delay_s, body, received.receipt_handle)
                }
                Err(why) => self.must(false, format!("a hint cannot be read: {why}")),
            }
        }
        answer
    }

    /// A request about what was given up on. The simulator knows what there is and who can see it;
    /// the local SQS is told before it is asked.
    pub(super) async fn to_dead_letters(
        &self,
        call: &Call,
        step: Step,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        let Some(queue) = self.queue_of(step, true) else {
            self.must(false, "there is no dead-letter queue");
            return Response::new(Bytes::new());
        };
        let mut body = call.body.clone();
        let seconds = body["VisibilityTimeout"].as_i64().unwrap_or(0);
        let number = receipted(&call.body).map(|(number, handle)| {
            body["ReceiptHandle"] = handle.into();
            number
        });
        match call.operation {
            "SendMessage" => {
                let answer = self.services.handle(&self.caller, request).await;
                self.must(ok(&answer), "a message cannot be parked");
                self.collect_parked(step, &queue).await;
                answer
            }
            "ReceiveMessage" => {
                let shown = self.show_dead_letters(step, &queue);
                body["WaitTimeSeconds"] = json!(0);
                let answer = self.handle(request, &body).await;
                self.number(answer, &shown, seconds)
            }
            "ChangeMessageVisibility" => {
                {
                    let state = &mut *self.sim.state();
                    let visible_ms = state.now_ms + seconds * 1_000;
                    let letters = state.queues.dead_letters.iter_mut();
                    for letter in letters.filter(|l| Some(l.number) == number) {
                        letter.visible_ms = visible_ms;
                    }
                }
                self.handle(request, &body).await
            }
            _ => {
                let keep = |letter: &DeadLetter| Some(letter.number) != number;
                self.sim.state().queues.dead_letters.retain(keep);
                self.handle(request, &body).await
            }
        }
    }

    /// Moves what was parked to the simulator.
    async fn collect_parked(&self, step: Step, queue: &Queue) {
        let parked = self.receive(queue).await;
        for received in parked.into_iter().flatten() {
            let reason = received.message.attributes.get("reason");
            let reason = reason.and_then(|reason| reason.string_value.clone());
            match Hint::parse(&received.message.body) {
                Ok(hint) => self.sim.state().queues.park(step, &hint, reason),
                Err(why) => self.must(false, format!("a parked hint cannot be read: {why}")),
            }
        }
        self.services.sqs.purge(queue);
    }

    /// Puts the dead letters of a step that can be seen now into its queue, and nothing else; their
    /// numbers, in order.
    fn show_dead_letters(&self, step: Step, queue: &Queue) -> Vec<u64> {
        self.services.sqs.purge(queue);
        let state = self.sim.state();
        let letters = state.queues.dead_letters.iter();
        let visible = letters.filter(|l| l.step == step && l.visible_ms <= state.now_ms);
        let mut shown = Vec::new();
        for letter in visible {
            let reason = letter.reason.clone().map(|reason| MessageAttribute {
                data_type: "String".into(),
                string_value: Some(reason),
                binary_value: None,
            });
            let outgoing = Outgoing {
                body: letter.hint.to_body(),
                attributes: reason
                    .map(|r| ("reason".to_owned(), r))
                    .into_iter()
                    .collect(),
                ..Outgoing::default()
            };
            if self.services.sqs.send(queue, outgoing).is_ok() {
                shown.push(letter.number);
            }
        }
        shown
    }

    /// Gives the messages of an answer the simulator's numbers, and hides them.
    fn number(&self, answer: Response<Bytes>, shown: &[u64], seconds: i64) -> Response<Bytes> {
        let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) else {
            return answer;
        };
        let state = &mut *self.sim.state();
        let until_ms = state.now_ms + seconds * 1_000;
        let messages = body["Messages"].as_array_mut().into_iter().flatten();
        for (message, number) in messages.zip(shown) {
            let handle = message["ReceiptHandle"].as_str().unwrap_or_default();
            message["ReceiptHandle"] = receipt(*number, handle).into();
            message["MessageId"] = number.to_string().into();
            let letters = state.queues.dead_letters.iter_mut();
            for letter in letters.filter(|letter| letter.number == *number) {
                letter.visible_ms = until_ms;
            }
        }
        answer.map(|_| Bytes::from(body.to_string()))
    }

    /// Moves what was put on buses to the simulator.
    pub(super) fn collect_events(&self) {
        let events = self.services.events.take();
        let state = &mut *self.sim.state();
        for event in events {
            let detail = event.detail.to_string();
            state.listeners.overhear(&event.detail_type, &detail);
        }
    }

    /// Moves what was mailed to the simulator.
    pub(super) fn collect_mail(&self, fate: Fate) {
        let mails = self.services.ses.mails();
        self.services.ses.clear();
        let state = &mut *self.sim.state();
        let Some(task) = state.current else {
            return;
        };
        for mail in mails {
            let key = mail
                .tags
                .into_iter()
                .find(|(name, _)| name == "waybill-key");
            state.mails.push(Mailed {
                mail: SentMail {
                    to: mail.to.into_iter().next().unwrap_or_default(),
                    key: key.map(|(_, key)| key).unwrap_or_default(),
                    undisturbed: fate == Fate::Done,
                },
                task,
            });
        }
    }
}
