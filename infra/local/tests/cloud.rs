//! A whole cloud of two small functions: requests, queues, failures, schedules, the end.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http_body_util::BodyExt;
use local::cloud::{Cloud, Options};
use runtime::{Aws, Function, Handler, Setup};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TEMPLATE: &str = r#"
Parameters:
  Test: {Type: String, Default: none}
  Window: {Type: Number, Default: 0}
Resources:
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 2
      RedrivePolicy: {deadLetterTargetArn: {Fn::GetAtt: [Dead, Arn]}, maxReceiveCount: 2}
  Dead:
    Type: AWS::SQS::Queue
  Accept:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/accept
      Timeout: 2
      Environment: {Variables: {WORK_QUEUE: {Ref: Work}}}
  Process:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/process
      Timeout: 1
      Environment: {Variables: {TEST: {Ref: Test}}}
  Events:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: {Fn::GetAtt: [Work, Arn]}
      FunctionName: {Ref: Process}
      BatchSize: 10
      MaximumBatchingWindowInSeconds: {Ref: Window}
      FunctionResponseTypes: [ReportBatchItemFailures]
      ScalingConfig: {MaximumConcurrency: 2}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {IntegrationUri: {Fn::GetAtt: [Accept, Arn]}}
  PostRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {RouteKey: 'POST /things/{id}', Target: {Fn::Sub: 'integrations/${Integration}'}}
  GetRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {RouteKey: 'GET /things/{id}', Target: {Fn::Sub: 'integrations/${Integration}'}}
"#;

/// The queue events that `process` has seen, by test.
static SEEN: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());

fn seen(test: &str) -> Vec<Value> {
    SEEN.lock().unwrap().get(test).cloned().unwrap_or_default()
}

/// Answers with the event it got; a POST sends the body on.
fn accept(setup: Setup) -> BoxFuture<'static, Result<Handler, runtime::Error>> {
    Box::pin(async move {
        let Aws::Sdk(aws) = &setup.aws else {
            return Err("expected the SDK".into());
        };
        let client = aws_sdk_sqs::Client::new(aws);
        let queue = setup.env["WORK_QUEUE"].clone();
        let handler = Handler::Event(Arc::new(move |event: Value| {
            let (client, queue) = (client.clone(), queue.clone());
            Box::pin(async move {
                if event["requestContext"]["http"]["method"] == "POST" {
                    let body = event["body"].as_str().unwrap_or("nothing");
                    let send = client.send_message().queue_url(queue).message_body(body);
                    send.send().await.unwrap();
                }
                Ok(json!({
                    "statusCode": 202,
                    "headers": {"x-test": "yes"},
                    "cookies": ["a=1", "b=2"],
                    "body": event.to_string(),
                }))
            })
        }));
        Ok(handler)
    })
}

/// Fails in every way that a message names.
fn process(setup: Setup) -> BoxFuture<'static, Result<Handler, runtime::Error>> {
    Box::pin(async move {
        let test = setup.env["TEST"].clone();
        let handler = Handler::Event(Arc::new(move |event: Value| {
            let test = test.clone();
            Box::pin(async move {
                SEEN.lock()
                    .unwrap()
                    .entry(test)
                    .or_default()
                    .push(event.clone());
                let mut failures = Vec::new();
                for record in event["Records"].as_array().unwrap() {
                    match record["body"].as_str().unwrap() {
                        "fail" => failures.push(json!({"itemIdentifier": record["messageId"]})),
                        "error" => return Err(std::io::Error::other("as told").into()),
                        "panic" => panic!("as told"),
                        "sleep" => tokio::time::sleep(Duration::from_secs(9)).await,
                        "rest" => tokio::time::sleep(Duration::from_millis(300)).await,
                        "nonsense" => failures.push(json!({"itemIdentifier": "nobody"})),
                        _ => {}
                    }
                }
                Ok(json!({"batchItemFailures": failures}))
            })
        }));
        Ok(handler)
    })
}

fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "accept",
            variables: &["WORK_QUEUE"],
            init: accept,
        },
        Function {
            name: "process",
            variables: &["TEST"],
            init: process,
        },
    ]
}

async fn start(test: &str, window: u32) -> Cloud {
    let mut options = Options::new(TEMPLATE, functions());
    options.http = Some(0);
    options.parameters.insert("Test".into(), test.into());
    options
        .parameters
        .insert("Window".into(), window.to_string());
    Cloud::start(options).await.unwrap()
}

fn send(cloud: &Cloud, body: &str) {
    let sqs = &cloud.services().sqs;
    let outgoing = local::services::sqs::Outgoing {
        body: body.into(),
        ..Default::default()
    };
    sqs.send(&sqs.queue("Work").unwrap(), outgoing).unwrap();
}

/// One HTTP request, as bytes; the status and the whole answer.
async fn request(cloud: &Cloud, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(cloud.http_address().unwrap())
        .await
        .unwrap();
    let head = format!(
        "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_request_becomes_an_event_and_its_answer_a_response() {
    let cloud = start("request", 0).await;
    let (status, answer) = request(
        &cloud,
        "POST /things/a%20b?x=1&x=2&y=%C3%A4 HTTP/1.1\r\nX-One: a\r\nX-One: b\r\nCookie: c=1; d=2",
        "grüße".as_bytes(),
    )
    .await;
    assert_eq!(status, 202);
    assert!(answer.contains("x-test: yes\r\n"));
    assert!(answer.contains("set-cookie: a=1\r\nset-cookie: b=2\r\n"));
    let event = body(&answer);
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /things/{id}");
    assert_eq!(event["rawPath"], "/things/a%20b");
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=%C3%A4");
    assert_eq!(
        event["queryStringParameters"],
        json!({"x": "1,2", "y": "ä"})
    );
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    assert_eq!(event["headers"]["x-one"], "a,b");
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
    assert!(event["headers"].get("cookie").is_none());
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["body"], "grüße");
    assert_eq!(event["isBase64Encoded"], false);

    let (_, answer) = request(&cloud, "GET /things/1 HTTP/1.1", b"\xff\xfe").await;
    let event = body(&answer);
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("//4="), &json!(true))
    );

    cloud.idle().await;
    assert_eq!(seen("request").len(), 1);
    cloud.stop().await;
}

#[tokio::test]
async fn what_no_route_takes_gets_problem_details() {
    let cloud = start("problems", 0).await;
    let (status, answer) = request(&cloud, "GET /nothing HTTP/1.1", b"").await;
    assert_eq!(status, 404);
    assert!(answer.contains("content-type: application/problem+json\r\n"));
    assert_eq!(body(&answer)["title"], "Not Found");
    let (status, answer) = request(&cloud, "PUT /things/1 HTTP/1.1", b"").await;
    assert_eq!(status, 405);
    assert!(answer.contains("allow: GET, POST\r\n"));
    let large = vec![b'x'; 10 * 1024 * 1024 + 1];
    let (status, _) = request(&cloud, "POST /things/1 HTTP/1.1", &large).await;
    assert_eq!(status, 413);
    let (status, _) = request(&cloud, "GET /things/1 HTTP/1.1", &large[1..]).await;
    assert_eq!(status, 202);
    cloud.stop().await;
}

#[tokio::test]
async fn a_queue_invokes_its_function_with_lambdas_event() {
    let cloud = start("event", 0).await;
    send(&cloud, "one");
    cloud.idle().await;
    let event = &seen("event")[0];
    let record = &event["Records"][0];
    assert_eq!(record["body"], "one");
    assert_eq!(record["md5OfBody"], "f97c5d29941bfb1b2fdab0874906ab82");
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:sqs:us-east-1:000000000000:Work"
    );
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["messageAttributes"], json!({}));
    for name in ["messageId", "receiptHandle"] {
        assert!(record[name].as_str().is_some_and(|text| !text.is_empty()));
    }
    for name in [
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    ] {
        assert!(record["attributes"][name].is_string());
    }
    let received = cloud
        .services()
        .counters
        .total(|call| &*call.caller == "event-source");
    assert_eq!(received.calls, 2);
    cloud.stop().await;
}

#[tokio::test]
async fn a_reported_failure_comes_back_alone_and_ends_in_the_dead_letter_queue() {
    let cloud = start("failures", 0).await;
    for body in ["good", "fail", "good"] {
        send(&cloud, body);
    }
    cloud.idle().await;
    let events = seen("failures");
    let bodies: Vec<Vec<&str>> = events
        .iter()
        .map(|event| {
            let records = event["Records"].as_array().unwrap();
            records
                .iter()
                .map(|record| record["body"].as_str().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(bodies, [vec!["good", "fail", "good"], vec!["fail"]]);
    assert_eq!(cloud.queue_depths()["Dead"].visible, 1);
    cloud.stop().await;
}

#[tokio::test]
async fn an_invocation_that_fails_returns_its_whole_batch() {
    let fail = async |how: &'static str| {
        let cloud = start(how, 0).await;
        send(&cloud, "good");
        send(&cloud, how);
        cloud.idle().await;
        assert_eq!(seen(how).len(), 2, "{how}");
        assert_eq!(cloud.queue_depths()["Dead"].visible, 2, "{how}");
        cloud.stop().await;
    };
    tokio::join!(
        fail("error"),
        fail("panic"),
        fail("sleep"),
        fail("nonsense")
    );
}

#[tokio::test]
async fn a_batch_waits_for_its_window() {
    let cloud = start("window", 1).await;
    let start = Instant::now();
    send(&cloud, "one");
    tokio::time::sleep(Duration::from_millis(100)).await;
    send(&cloud, "two");
    cloud.idle().await;
    assert_eq!(seen("window").len(), 1);
    assert!((950..1_500).contains(&start.elapsed().as_millis()));
    cloud.stop().await;
}

#[tokio::test]
async fn no_more_run_at_a_time_than_the_mapping_allows() {
    let cloud = start("concurrency", 0).await;
    let start = Instant::now();
    for _ in 0..4 {
        send(&cloud, "rest");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cloud.idle().await;
    // The first two run at once and the other two, as one batch, after one of them.
    assert_eq!(seen("concurrency").len(), 3);
    assert!(start.elapsed() >= Duration::from_millis(900));
    cloud.stop().await;
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way() {
    let cloud = start("stop", 0).await;
    send(&cloud, "rest");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(cloud.queue_depths()["Work"].in_flight, 1);
    cloud.stop().await;
    assert_eq!(cloud.queue_depths()["Work"].total(), 0);
    send(&cloud, "late");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(cloud.queue_depths()["Work"].visible, 1);
}

#[tokio::test]
async fn functions_may_run_elsewhere() {
    // What `cargo lambda watch` offers: a POST for each function.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = |request: axum::extract::Request| async move {
        let path = request.uri().path().to_owned();
        let event = request.into_body().collect().await.unwrap().to_bytes();
        json!({"path": path, "event": event.len()}).to_string()
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let mut options = Options::new(TEMPLATE, vec![]);
    options.functions_url = Some(url);
    let cloud = Cloud::start(options).await.unwrap();
    let answer = cloud.invoke("accept", json!({})).await.unwrap();
    assert_eq!(answer["path"], "/2015-03-31/functions/accept/invocations");
    assert_eq!(answer["event"], 2);
    cloud.stop().await;
}

#[tokio::test]
async fn what_cannot_start_says_so_in_one_line() {
    let problem = async |options| {
        Cloud::start(options)
            .await
            .err()
            .map(|error| format!("{error:#}"))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let busy = Options {
        http: Some(port),
        ..Options::new(TEMPLATE, functions())
    };
    let busy = problem(busy).await.unwrap();
    assert!(
        busy.starts_with(&format!("cannot listen on port {port} of 127.0.0.1: ")),
        "{busy}"
    );
    let file = Options {
        data: Some("/dev/null/data".into()),
        ..Options::new(TEMPLATE, functions())
    };
    let file = problem(file).await.unwrap();
    assert!(
        file.starts_with("cannot keep data in /dev/null/data: "),
        "{file}"
    );
    let broken = problem(Options::new("Resources: 1", functions()))
        .await
        .unwrap();
    assert_eq!(broken, "template: there are no Resources");
    let missing = problem(Options::new(TEMPLATE, vec![])).await.unwrap();
    assert_eq!(missing, "function accept is in the template only");
}

#[tokio::test]
async fn a_data_directory_is_found_again() {
    let directory = std::env::temp_dir().join(format!("waybill-cloud-{}", std::process::id()));
    for _ in 0..2 {
        let options = Options {
            data: Some(directory.clone()),
            ..Options::new(TEMPLATE, functions())
        };
        Cloud::start(options).await.unwrap().stop().await;
    }
    let other = TEMPLATE.replace("{AttributeName: pk,", "{AttributeName: key,");
    let options = Options {
        data: Some(directory.clone()),
        ..Options::new(other, functions())
    };
    let error = format!("{:#}", Cloud::start(options).await.err().unwrap());
    let shown = directory.display();
    let why = "the data directory holds it with other keys or indexes than the template's";
    assert_eq!(
        error,
        format!("cannot keep data in {shown}: table Items: {why}")
    );
    std::fs::remove_dir_all(&directory).unwrap();
}
