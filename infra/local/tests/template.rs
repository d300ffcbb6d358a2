//! Reading templates: the project's own, and broken ones.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use std::time::Duration;

use local::cloud::{Cloud, Options};
use local::template::{Setting, Template};

const OWN: &str = include_str!("../../template.yaml");

/// A template in which everything occurs once; `%` is where a test breaks it.
fn small(replace: &str, by: &str) -> String {
    let text = r#"
Parameters:
  Window: {Type: Number, Default: 1}
Globals:
  Function:
    Timeout: 20
    Environment: {Variables: {LOG_LEVEL: info}}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: {Fn::Sub: '${AWS::StackName}-orders'}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work
      VisibilityTimeout: 120
      RedrivePolicy: {deadLetterTargetArn: {Fn::GetAtt: [Dead, Arn]}, maxReceiveCount: 5}
  Dead:
    Type: AWS::SQS::Queue
  Ship:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/ship-order
      Environment:
        Variables: {TABLE: {Ref: Orders}, QUEUE: {Ref: Work}, ARN: {Fn::Sub: '${Work.Arn}!'}}
  Work2Ship:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: {Fn::GetAtt: [Work, Arn]}
      FunctionName: {Ref: Ship}
      MaximumBatchingWindowInSeconds: {Ref: Window}
      FunctionResponseTypes: [ReportBatchItemFailures]
      ScalingConfig: {MaximumConcurrency: 3}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {IntegrationUri: {Fn::GetAtt: [Ship, Arn]}}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {RouteKey: 'POST /ship/{id}', Target: {Fn::Sub: 'integrations/${Integration}'}}
  Nightly:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(2 hours)
      Target: {Arn: {Fn::GetAtt: [Ship, Arn]}, Input: '{"sweep": true}'}
"#;
    assert!(text.contains(replace));
    text.replace(replace, by)
}

#[test]
fn everything_is_read_and_references_are_resolved() {
    let mut setting = Setting::default();
    setting.parameters.insert("Window".into(), "7".into());
    let template = Template::read(&small("", ""), &setting).unwrap();

    assert_eq!(template.tables[0].name, "waybill-orders");
    assert_eq!(template.tables[0].expires_by.as_deref(), Some("expires_at"));
    let ship = &template.functions["ship-order"];
    assert_eq!(ship.timeout, Duration::from_secs(20));
    assert_eq!(ship.environment["LOG_LEVEL"], "info");
    assert_eq!(ship.environment["TABLE"], "waybill-orders");
    assert_eq!(
        ship.environment["QUEUE"],
        "http://localhost:4566/000000000000/work"
    );
    assert_eq!(
        ship.environment["ARN"],
        "arn:aws:sqs:us-east-1:000000000000:work!"
    );
    let work = template
        .queues
        .iter()
        .find(|queue| queue.name == "work")
        .unwrap();
    assert_eq!(work.attributes["VisibilityTimeout"], "120");
    assert_eq!(
        work.attributes["RedrivePolicy"],
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:Dead","maxReceiveCount":5}"#
    );
    let mapping = &template.mappings[0];
    assert_eq!(
        (mapping.queue.as_str(), mapping.function.as_str()),
        ("work", "ship-order")
    );
    assert_eq!(mapping.window, Duration::from_secs(7));
    assert_eq!((mapping.batch_size, mapping.max_concurrency), (10, 3));
    assert!(mapping.reports_failures);
    let route = &template.routes[0];
    assert_eq!(
        (route.method.as_str(), route.path.as_str()),
        ("POST", "/ship/{id}")
    );
    assert_eq!(template.schedules[0].every, Duration::from_secs(7_200));
    assert_eq!(template.schedules[0].input["sweep"], true);
}

#[test]
fn a_problem_is_one_line_that_names_the_resource() {
    for (replace, by, expected) in [
        (
            "{Ref: Work}",
            "{Ref: Wrok}",
            "resource Ship: there is no parameter or resource Wrok",
        ),
        (
            "{Ref: Orders}",
            "{Fn::Join: ['', []]}",
            "resource Ship: Fn::Join is not understood here in this form",
        ),
        (
            "CodeUri:",
            "CodeURI:",
            "resource Ship: missing field `CodeUri`",
        ),
        (
            "VisibilityTimeout: 120",
            "VisibilityTimeout: long",
            "resource Work: invalid type: string \"long\", expected u64",
        ),
        (
            "QueueName: work",
            "FifoQueue: true",
            "resource Work: FIFO queues are not offered here",
        ),
        (
            "'POST /ship/{id}'",
            "$default",
            "resource Route: the RouteKey \"$default\" is not a method and a path",
        ),
        (
            "rate(2 hours)",
            "cron(0 3 * * ? *)",
            "resource Nightly: cron(0 3 * * ? *) is not understood here: only rate(...) is",
        ),
        (
            "MaximumConcurrency: 3",
            "MaximumConcurrency: 1",
            "resource Work2Ship: a MaximumConcurrency of 1 is not from 2 to 1000",
        ),
        (
            "{Ref: Ship}",
            "Shop",
            "resource Work2Ship: Shop is not a function of this template",
        ),
        (
            "'${AWS::StackName}-orders'",
            "'${Orders}'",
            "resource Ship: its references lead in a circle",
        ),
        ("Default: 1", "Max: 1", "parameter Window has no default"),
        ("Resources:", "Things:", "there are no Resources"),
    ] {
        let error = Template::read(&small(replace, by), &Setting::default()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let error = Template::read("a: [", &Setting::default()).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1);
}

#[tokio::test]
async fn the_own_template_starts_with_every_function() {
    let options = Options::new(OWN, local::built_in::functions());
    let cloud = Cloud::start(options).await.unwrap();
    let tables = cloud.template().tables.iter();
    // Whether the parser keeps the order of the resources depends on what else is built with it.
    let tables: BTreeSet<_> = tables.map(|table| table.name.as_str()).collect();
    let expected = [
        "waybill-orders",
        "waybill-places",
        "waybill-reference",
        "waybill-stock",
    ];
    assert_eq!(tables, BTreeSet::from(expected));
    cloud.stop().await;
}
