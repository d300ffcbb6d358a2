//! What AWS answers when it does not do what it was asked for.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use local::services::Failure;
use serde_json::{Value, json};

use super::call::Service;

/// Throttled: without any effect.
pub(super) fn refused(service: Service) -> Response<Bytes> {
    const SLOWER: &str = "Rate exceeded";
    let json = "application/x-amz-json-1.0";
    match service {
        Service::DynamoDb => {
            let code = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
            Failure::bad(code, SLOWER).json(json)
        }
        Service::Queue(_) | Service::DeadLetters(_) => {
            let code = "com.amazonaws.sqs#RequestThrottled";
            let mut answer = Failure::bad(code, SLOWER).json(json);
            let query = HeaderValue::from_static("RequestThrottled;Sender");
            answer.headers_mut().insert("x-amzn-query-error", query);
            answer
        }
        Service::Secrets | Service::Events => {
            Failure::bad("ThrottlingException", SLOWER).json("application/x-amz-json-1.1")
        }
        Service::Mail => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            Failure::new(status, "TooManyRequestsException", SLOWER).json("application/json")
        }
    }
}

/// A transaction of so many actions has met another one, in its middle: at an order or at a level.
pub(super) fn in_the_way(actions: usize) -> Response<Bytes> {
    let codes = |n| match n == actions / 2 {
        true => "TransactionConflict",
        false => "None",
    };
    let reasons = (0..actions).map(|n| match codes(n) {
        "None" => json!({"Code": "None"}),
        code => json!({"Code": code, "Message": "Transaction is ongoing for the item"}),
    });
    let reasons: Vec<Value> = reasons.collect();
    let listed: Vec<&str> = (0..actions).map(codes).collect();
    let listed = listed.join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": reasons,
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]"
        ),
    });
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    answer.headers_mut().insert("content-type", json);
    answer
}

/// The answer to a batch of which only the first entry was passed on.
pub(super) fn partly(answer: Response<Bytes>, left_out: &[Value]) -> Option<Response<Bytes>> {
    let mut body: Value = serde_json::from_slice(answer.body()).ok()?;
    let failed = left_out.iter().map(|entry| {
        json!({
            "Id": entry["Id"],
            "SenderFault": false,
            "Code": "InternalError",
            "Message": "We encountered an internal error. Please try again.",
        })
    });
    body["Failed"] = failed.collect();
    Some(answer.map(|_| Bytes::from(body.to_string())))
}
