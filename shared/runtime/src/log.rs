//! Logs: JSON lines, and one closing line per message that carries its metrics along.

use serde_json::{Value, json};

/// The target of the closing lines, to switch them on or off by.
pub const CLOSING: &str = "closing";

/// Sends logs to standard output as JSON lines, from the level that the variable `LOG` names.
pub fn start() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        // Lambda stamps every line itself.
        .without_time()
        .finish();
    // A second start in one process keeps the first: the lines are the same.
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logs were started before");
    }
}

/// One message's end: who it was for, what came of it, how long it took. Never a body, a name, an
/// address or an e-mail. CloudWatch reads the metrics out of the same line (embedded metric format).
#[derive(Debug)]
pub struct Closing<'a> {
    /// The function.
    pub step: &'a str,
    /// The order, or the article, that it was about.
    pub subject: &'a str,
    /// The queue's id of the message, or the route of the request.
    pub message: &'a str,
    /// Which delivery of the message it was, from 1.
    pub attempt: u32,
    /// What came of it: a word.
    pub outcome: &'a str,
    /// Why, where there is a reason.
    pub reason: Option<&'a str>,
    /// Milliseconds that it took.
    pub duration_ms: u64,
}

impl Closing<'_> {
    /// Writes the line.
    pub fn write(&self) {
        if tracing::enabled!(target: "closing", tracing::Level::INFO) {
            println!("{}", self.line(jiff::Timestamp::now()));
        }
    }

    fn line(&self, at: jiff::Timestamp) -> Value {
        json!({
            "_aws": {
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": "Waybill",
                    "Dimensions": [["step", "outcome"]],
                    "Metrics": [
                        {"Name": "messages", "Unit": "Count"},
                        {"Name": "duration", "Unit": "Milliseconds"},
                    ],
                }],
            },
            "step": self.step,
            "outcome": self.outcome,
            "messages": 1,
            "duration": self.duration_ms,
            "subject": self.subject,
            "message": self.message,
            "attempt": self.attempt,
            "reason": self.reason,
        })
    }
}

/// A number that a function finds out, as a metric of its own; the template has an alarm on it.
#[derive(Debug)]
pub struct Gauge {
    /// The function.
    pub step: &'static str,
    /// What is counted.
    pub name: &'static str,
}

/// Faults of the books of stock that a run of `reconcile-stock` has come upon and nobody has closed.
pub const DISCREPANCIES: Gauge = Gauge {
    step: "reconcile-stock",
    name: "discrepancies",
};

/// Deliveries of events that were given up, and subscribers that were switched off because they are gone.
pub const UNDELIVERED: Gauge = Gauge {
    step: "publish-events",
    name: "undelivered",
};

impl Gauge {
    /// Writes the line.
    pub fn write(&self, value: u64) {
        if tracing::enabled!(target: "closing", tracing::Level::INFO) {
            println!("{}", self.line(value, jiff::Timestamp::now()));
        }
    }

    fn line(&self, value: u64, at: jiff::Timestamp) -> Value {
        json!({
            "_aws": {
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": "Waybill",
                    "Dimensions": [["step"]],
                    "Metrics": [{"Name": self.name, "Unit": "Count"}],
                }],
            },
            "step": self.step,
            self.name: value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_embedded_metric_format() {
        let closing = Closing {
            step: "ship-order",
            subject: "AD4OVS4KRET6JAPB",
            message: "m-1",
            attempt: 2,
            outcome: "done",
            reason: None,
            duration_ms: 7,
        };
        sound(&closing.line(jiff::Timestamp::UNIX_EPOCH));
        let line = DISCREPANCIES.line(3, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(line["discrepancies"], 3);
        sound(&line);
    }

    fn sound(line: &Value) {
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in metrics["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number());
        }
        for dimension in metrics["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
    }
}
