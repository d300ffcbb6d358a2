//! The dated price table, and what an order costs by it. These are estimates of a bill, not money that
//! anybody is charged: fractions of units call for floating point.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The price table, `prices.json`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day on which these prices held.
    pub as_of: String,
    region: String,
    currency: String,
    notes: Vec<String>,
    dynamodb_write_units_per_million: f64,
    dynamodb_read_units_per_million: f64,
    sqs_requests_per_million: f64,
    /// A larger request counts as several of this size.
    sqs_request_bytes: usize,
    lambda_requests_per_million: f64,
    lambda_gb_second_arm64: f64,
    lambda_memory_mb: f64,
    /// What a function is assumed to wait for one AWS call.
    lambda_aws_call_ms: f64,
    http_api_requests_per_million: f64,
    secrets_manager_calls_per_million: f64,
    ses_mails_per_million: f64,
}

/// What one order consumes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Consumption {
    /// DynamoDB write units.
    pub write_units: f64,
    /// DynamoDB read units.
    pub read_units: f64,
    /// Requests to SQS, by functions and by the event source.
    pub sqs_requests: f64,
    /// The largest payload of any of them, in bytes.
    pub sqs_most_bytes: usize,
    /// Invocations of functions.
    pub invocations: f64,
    /// Milliseconds that functions ran, each invocation rounded up as it is billed.
    pub function_ms: f64,
    /// AWS calls that functions waited for.
    pub awaited_calls: f64,
    /// Requests to the HTTP API.
    pub http_requests: f64,
    /// Calls to Secrets Manager.
    pub secret_calls: f64,
    /// Mails.
    pub mails: f64,
}

/// Dollars per million orders, by what they are paid for.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bill {
    /// Everything but mail.
    pub total: f64,
    /// DynamoDB writes.
    pub dynamodb_writes: f64,
    /// DynamoDB reads.
    pub dynamodb_reads: f64,
    /// SQS.
    pub sqs: f64,
    /// Invocations.
    pub lambda_requests: f64,
    /// Computing, at the measured times.
    pub lambda_seconds: f64,
    /// Computing while waiting for AWS calls, at the assumed time.
    pub lambda_waiting: f64,
    /// The HTTP API.
    pub http_api: f64,
    /// Secrets Manager.
    pub secrets: f64,
    /// SES; not in the total.
    pub mail: f64,
}

impl Prices {
    /// The table that was compiled in.
    pub fn read() -> Result<Self> {
        serde_json::from_str(include_str!("../prices.json")).context("prices.json")
    }

    /// What a million orders cost that each consume this.
    pub fn bill(&self, order: &Consumption) -> Bill {
        let chunks = order.sqs_most_bytes.div_ceil(self.sqs_request_bytes).max(1);
        let gb = self.lambda_memory_mb / 1024.0;
        // A million orders, a thousandth of a second: a factor of a thousand.
        let seconds = |ms: f64| ms * 1_000.0 * gb * self.lambda_gb_second_arm64;
        let mut bill = Bill {
            total: 0.0,
            dynamodb_writes: order.write_units * self.dynamodb_write_units_per_million,
            dynamodb_reads: order.read_units * self.dynamodb_read_units_per_million,
            sqs: order.sqs_requests * chunks as f64 * self.sqs_requests_per_million,
            lambda_requests: order.invocations * self.lambda_requests_per_million,
            lambda_seconds: seconds(order.function_ms),
            lambda_waiting: seconds(order.awaited_calls * self.lambda_aws_call_ms),
            http_api: order.http_requests * self.http_api_requests_per_million,
            secrets: order.secret_calls * self.secrets_manager_calls_per_million,
            mail: order.mails * self.ses_mails_per_million,
        };
        bill.total = bill.dynamodb_writes
            + bill.dynamodb_reads
            + bill.sqs
            + bill.lambda_requests
            + bill.lambda_seconds
            + bill.lambda_waiting
            + bill.http_api
            + bill.secrets;
        bill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_by_hand() {
        let prices = Prices::read().unwrap();
        let bill = prices.bill(&Consumption {
            write_units: 10.0,
            read_units: 8.0,
            sqs_requests: 5.0,
            sqs_most_bytes: 65_537,
            invocations: 6.0,
            function_ms: 0.0,
            awaited_calls: 0.0,
            http_requests: 3.0,
            secret_calls: 0.0,
            mails: 3.0,
        });
        // 6.25 of writes, 1 of reads, 5 x 2 chunks at 0.40, 6 invocations at 0.20, 3 requests at 1.
        assert!((bill.total - (6.25 + 1.0 + 4.0 + 1.2 + 3.0)).abs() < 1e-9);
        assert!((bill.mail - 300.0).abs() < 1e-9);
    }
}
