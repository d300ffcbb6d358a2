//! Rules for queues and for what feeds functions from them.

use serde_json::{Value, json};

use crate::template::{Template, fault, target};

const QUEUE: &str = "AWS::SQS::Queue";
const MAPPING: &str = "AWS::Lambda::EventSourceMapping";
const FOURTEEN_DAYS: u64 = 14 * 24 * 60 * 60;

/// A receive can be counted that no consumer saw, so fewer chances would lose work to the dead letters.
const LEAST_RECEIVES: u64 = 5;

/// Queues that others write to, and the functions that take what they say.
const OF_OTHERS: [(&str, &str); 1] = [("AmazonNotificationsQueue", "FetchOrder")];

/// The function that is to take from a queue: the one of its name, if it is not a queue of others.
pub(crate) fn taker(queue: &str) -> &str {
    let of_others = OF_OTHERS.iter().find(|(id, _)| *id == queue);
    let own = queue.strip_suffix("Queue").unwrap_or(queue);
    of_others.map_or(own, |(_, function)| *function)
}

/// Each queue sends what fails for good to the dead-letter queue of its function, which keeps it for as long as SQS can.
pub fn every_queue_has_dead_letters(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, queue) in template.work_queues() {
        let policy = &queue["RedrivePolicy"];
        let own = format!("{}DeadLetters", taker(id));
        let letters = target(&policy["deadLetterTargetArn"]);
        faults.extend(fault(
            letters == Some(&own) && template.has(QUEUE, &own),
            || format!("{id} has to redrive to a queue {own}"),
        ));
        faults.extend(fault(
            policy["maxReceiveCount"].as_u64() >= Some(LEAST_RECEIVES),
            || format!("{id} gives up before {LEAST_RECEIVES} receives"),
        ));
        let kept = &template.value["Resources"][own.as_str()]["Properties"];
        faults.extend(fault(
            kept["MessageRetentionPeriod"] == FOURTEEN_DAYS,
            || format!("{own} does not keep messages for 14 days"),
        ));
    }
    faults
}

/// No dead-letter queue without its queue.
pub fn every_dead_letter_queue_has_its_queue(template: &Template) -> Vec<String> {
    template
        .resources(QUEUE)
        .filter_map(|(id, _)| id.strip_suffix("DeadLetters"))
        .filter_map(|name| {
            fault(template.has(QUEUE, &format!("{name}Queue")), || {
                format!("{name}DeadLetters belongs to no queue")
            })
        })
        .collect()
}

/// Somebody is told of every dead letter. The metric counts what is there: `NumberOfMessagesSent` leaves out what SQS
/// itself redrives.
pub fn every_dead_letter_queue_has_an_alarm(template: &Template) -> Vec<String> {
    template
        .resources(QUEUE)
        .filter(|(id, _)| id.ends_with("DeadLetters"))
        .filter_map(|(id, _)| {
            let watched = alarm(template, "ApproximateNumberOfMessagesVisible", id, Some(0));
            fault(watched, || {
                format!("{id} needs an alarm at the first message, on ApproximateNumberOfMessagesVisible")
            })
        })
        .collect()
}

/// Somebody is told when work stands still.
pub fn every_queue_has_an_alarm_on_age(template: &Template) -> Vec<String> {
    template
        .work_queues()
        .filter_map(|(id, _)| {
            let watched = alarm(template, "ApproximateAgeOfOldestMessage", id, None);
            fault(watched, || {
                format!("{id} needs an alarm on ApproximateAgeOfOldestMessage")
            })
        })
        .collect()
}

fn alarm(template: &Template, metric: &str, queue: &str, threshold: Option<u64>) -> bool {
    let dimension = json!([{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]);
    template
        .resources("AWS::CloudWatch::Alarm")
        .any(|(_, alarm)| {
            alarm["Namespace"] == "AWS/SQS"
                && alarm["MetricName"] == metric
                && alarm["Dimensions"] == dimension
                && alarm["ComparisonOperator"] == "GreaterThanThreshold"
                && threshold.is_none_or(|threshold| alarm["Threshold"] == threshold)
                && reaches_somebody(template, alarm)
        })
}

/// Whether an alarm goes to a topic of the template.
pub(crate) fn reaches_somebody(template: &Template, alarm: &Value) -> bool {
    target(&alarm["AlarmActions"][0]).is_some_and(|topic| template.has("AWS::SNS::Topic", topic))
}

/// A message stays hidden for six runs of its function and the longest wait for a batch: shorter, and a slow run sees its
/// messages handed out again.
pub fn messages_stay_hidden_long_enough(template: &Template) -> Vec<String> {
    let default = &template.value["Globals"]["Function"]["Timeout"];
    mappings(template)
        .filter_map(|(id, mapping)| {
            let resources = &template.value["Resources"];
            let function = &resources[target(&mapping["FunctionName"])?]["Properties"];
            let timeout = function.get("Timeout").unwrap_or(default).as_u64()?;
            let window = &mapping["MaximumBatchingWindowInSeconds"];
            let window = template.bounds(window).map_or(0, |(_, most)| most);
            let queue = target(&mapping["EventSourceArn"])?;
            let hidden = resources[queue]["Properties"]["VisibilityTimeout"].as_u64();
            let needed = 6 * timeout + window;
            fault(hidden >= Some(needed), || {
                format!("{queue} hides messages for {hidden:?} s, {id} needs {needed}")
            })
        })
        .collect()
}

/// One bad message does not bring back its whole batch.
pub fn mappings_report_single_failures(template: &Template) -> Vec<String> {
    mappings(template)
        .filter_map(|(id, mapping)| {
            fault(
                mapping["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]),
                || format!("{id} does not report failures message by message"),
            )
        })
        .collect()
}

/// Ten messages at a time, or as many as a transaction has actions where the function waits for them (Lambda takes
/// more than ten only then); and a bound on how many copies of a function a flood can start.
pub fn mappings_have_bounds(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, mapping) in mappings(template) {
        let window = template.bounds(&mapping["MaximumBatchingWindowInSeconds"]);
        let waits = window.is_some_and(|(least, _)| least >= 1);
        let (least, most) = template.bounds(&mapping["BatchSize"]).unwrap_or_default();
        let sound = least == 10 && (most == 10 || most <= 100 && waits);
        faults.extend(fault(sound, || {
            format!("{id} takes other than 10 messages at a time, or up to 100 and waits for them")
        }));
        let concurrency = template.bounds(&mapping["ScalingConfig"]["MaximumConcurrency"]);
        faults.extend(fault(
            concurrency.is_some_and(|(least, most)| least >= 2 && most <= 1000),
            || format!("{id} has no maximum concurrency from 2 to 1000"),
        ));
    }
    faults
}

/// Each queue feeds its function, once; and dead letters feed nothing.
pub fn every_queue_feeds_its_function(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, _) in template.work_queues() {
        let function = taker(id);
        let fed: Vec<_> = mappings(template)
            .filter(|(_, mapping)| target(&mapping["EventSourceArn"]) == Some(id))
            .filter_map(|(_, mapping)| target(&mapping["FunctionName"]))
            .collect();
        faults.extend(fault(fed == [function], || {
            format!("{id} has to feed {function} and nothing else, it feeds {fed:?}")
        }));
    }
    for (id, mapping) in mappings(template) {
        let queue = target(&mapping["EventSourceArn"]).unwrap_or_default();
        faults.extend(fault(
            template.work_queues().any(|(id, _)| id == queue),
            || format!("{id} takes from {queue}, which is no queue of work"),
        ));
    }
    faults
}

/// Queues hold references to orders: they are encrypted like everything else.
pub fn queues_are_encrypted(template: &Template) -> Vec<String> {
    template
        .resources(QUEUE)
        .filter_map(|(id, queue)| {
            fault(queue["SqsManagedSseEnabled"] == true, || {
                format!("{id} is not encrypted")
            })
        })
        .collect()
}

fn mappings(template: &Template) -> impl Iterator<Item = (&str, &Value)> {
    template.resources(MAPPING)
}
