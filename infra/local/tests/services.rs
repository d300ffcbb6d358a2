//! The services as the AWS SDK's own clients see them, in process and over TCP.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, Put, ReturnValuesOnConditionCheckFailure,
    ScalarAttributeType, TransactWriteItem, Update,
};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, RawMessage};
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use aws_types::SdkConfig;
use local::client::sdk_config;
use local::services::Services;

/// Both ways to the services: in process and over TCP.
async fn seams() -> Vec<(Arc<Services>, SdkConfig)> {
    let services = Services::in_memory().unwrap();
    let in_process = sdk_config(&services, "accept-order");
    let remote = Services::in_memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(local::endpoint::serve(
        remote.clone(),
        listener,
        std::future::pending(),
    ));
    let over_tcp = in_process
        .to_builder()
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    vec![(services, in_process), (remote, over_tcp)]
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
        .unwrap()
}

async fn create_table(client: &aws_sdk_dynamodb::Client) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    client
        .create_table()
        .table_name("orders")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::S))
        .global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name("number")
                .key_schema(key("number", KeyType::Hash))
                .projection(
                    Projection::builder()
                        .projection_type(ProjectionType::KeysOnly)
                        .build(),
                )
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn dynamodb_conditions_and_transactions_fail_as_on_aws() {
    for (_, config) in seams().await {
        let client = aws_sdk_dynamodb::Client::new(&config);
        create_table(&client).await;
        let put = || {
            client
                .put_item()
                .table_name("orders")
                .item("pk", text("ORDER#1"))
                .item("sk", text("ORDER"))
                .condition_expression("attribute_not_exists(pk)")
        };
        put().send().await.unwrap();

        let error = put().send().await.unwrap_err().into_service_error();
        assert!(error.is_conditional_check_failed_exception());
        let error = put()
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        match error {
            aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(error) => {
                assert_eq!(error.item.unwrap()["sk"], text("ORDER"));
            }
            error => panic!("{error:?}"),
        }

        let other = Put::builder()
            .table_name("orders")
            .item("pk", text("ORDER#2"))
            .item("sk", text("ORDER"))
            .build()
            .unwrap();
        let taken = Update::builder()
            .table_name("orders")
            .key("pk", text("ORDER#1"))
            .key("sk", text("ORDER"))
            .update_expression("SET version = :one")
            .condition_expression("attribute_not_exists(pk)")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .unwrap();
        let error = client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(other).build())
            .transact_items(TransactWriteItem::builder().update(taken).build())
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        match error {
            aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(error) => {
                let reasons = error.cancellation_reasons.unwrap();
                let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap()).collect();
                assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
                assert_eq!(reasons[1].item.as_ref().unwrap()["pk"], text("ORDER#1"));
            }
            error => panic!("{error:?}"),
        }

        let error = client
            .get_item()
            .table_name("nothing")
            .key("pk", text("1"))
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert!(error.is_resource_not_found_exception());
    }
}

#[tokio::test]
async fn dynamodb_units_follow_the_published_rules() {
    let services = Services::in_memory().unwrap();
    let client = aws_sdk_dynamodb::Client::new(&sdk_config(&services, "accept-order"));
    create_table(&client).await;
    let units = || {
        let total = services.counters.total(|call| call.service == "dynamodb");
        services.counters.reset();
        (total.write_units, total.read_units)
    };
    let item = |id: &str, size: usize| {
        HashMap::from([
            ("pk".to_owned(), text(id)),
            ("sk".to_owned(), text("ORDER")),
            ("text".to_owned(), text(&"x".repeat(size))),
        ])
    };
    let put = |item| client.put_item().table_name("orders").set_item(Some(item));
    let get = |id: &str| {
        client
            .get_item()
            .table_name("orders")
            .key("pk", text(id))
            .key("sk", text("ORDER"))
    };
    units();

    // One unit per KB begun.
    put(item("a", 900)).send().await.unwrap();
    assert_eq!(units(), (1.0, 0.0));
    put(item("b", 1100)).send().await.unwrap();
    assert_eq!(units(), (2.0, 0.0));
    // Overwriting counts the larger of both items.
    put(item("b", 10)).send().await.unwrap();
    assert_eq!(units(), (2.0, 0.0));

    // A copy in an index counts for itself, and moving it counts twice.
    let mut numbered = item("c", 2500);
    numbered.insert("number".into(), text("1001"));
    put(numbered.clone()).send().await.unwrap();
    assert_eq!(units(), (4.0, 0.0));
    put(numbered.clone()).send().await.unwrap();
    assert_eq!(units(), (3.0, 0.0));
    numbered.insert("number".into(), text("1002"));
    put(numbered).send().await.unwrap();
    assert_eq!(units(), (5.0, 0.0));

    // Reads go by 4 KB; eventually consistent ones cost half; nothing found costs as much as something small.
    put(item("d", 4200)).send().await.unwrap();
    units();
    let answer = get("d").send().await.unwrap();
    assert!(answer.consumed_capacity.is_none());
    assert_eq!(units(), (0.0, 1.0));
    get("d").consistent_read(true).send().await.unwrap();
    assert_eq!(units(), (0.0, 2.0));
    get("z").send().await.unwrap();
    assert_eq!(units(), (0.0, 0.5));
    let query = client
        .query()
        .table_name("orders")
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text("d"));
    query.consistent_read(true).send().await.unwrap();
    assert_eq!(units(), (0.0, 2.0));

    // Transactions cost double.
    let action = |id: &str, size| {
        let put = Put::builder()
            .table_name("orders")
            .set_item(Some(item(id, size)))
            .build()
            .unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    client
        .transact_write_items()
        .transact_items(action("e", 100))
        .transact_items(action("f", 1500))
        .send()
        .await
        .unwrap();
    assert_eq!(units(), (6.0, 0.0));

    // A failed condition costs what the write would have, by the item that stood in the way.
    let refused = put(item("f", 10))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    match refused {
        aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(
            error,
        ) => assert!(error.item.is_none()),
        error => panic!("{error:?}"),
    }
    assert_eq!(units(), (2.0, 0.0));
}

async fn create_queue(
    client: &aws_sdk_sqs::Client,
    name: &str,
    set: &[(QueueAttributeName, &str)],
) -> String {
    let mut create = client.create_queue().queue_name(name);
    for (name, value) in set {
        create = create.attributes(name.clone(), *value);
    }
    create.send().await.unwrap().queue_url.unwrap()
}

#[tokio::test]
async fn sqs_receives_hides_and_gives_up() {
    for (_, config) in seams().await {
        let client = aws_sdk_sqs::Client::new(&config);
        let dead = create_queue(&client, "steps-dead", &[]).await;
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:steps-dead","maxReceiveCount":2}"#;
        let url = create_queue(
            &client,
            "steps",
            &[
                (QueueAttributeName::VisibilityTimeout, "1"),
                (QueueAttributeName::RedrivePolicy, policy),
            ],
        )
        .await;
        let sent = client
            .send_message()
            .queue_url(&url)
            .message_body("order 1")
            .message_attributes(
                "step",
                MessageAttributeValue::builder()
                    .data_type("String")
                    .string_value("ship")
                    .build()
                    .unwrap(),
            )
            .send()
            .await
            .unwrap();
        assert_eq!(
            sent.md5_of_message_body.as_deref(),
            Some("99a233e67156812c9681c22c78e91aaa")
        );

        let receive = |url: &str| {
            client
                .receive_message()
                .queue_url(url)
                .wait_time_seconds(3)
                .max_number_of_messages(10)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
        };
        for count in ["1", "2"] {
            // The second receive waits for the visibility timeout of the first.
            let messages = receive(&url).send().await.unwrap().messages.unwrap();
            let message = &messages[0];
            assert_eq!(message.body(), Some("order 1"));
            assert_eq!(
                message.md5_of_message_attributes(),
                sent.md5_of_message_attributes()
            );
            let attributes = message.attributes.as_ref().unwrap();
            assert_eq!(
                attributes[&MessageSystemAttributeName::ApproximateReceiveCount],
                count
            );
        }
        let third = receive(&url).wait_time_seconds(2).send().await.unwrap();
        assert!(third.messages.is_none());
        let buried = receive(&dead).send().await.unwrap().messages.unwrap();
        assert_eq!(buried[0].message_id, sent.message_id);

        client
            .delete_message()
            .queue_url(&dead)
            .receipt_handle(buried[0].receipt_handle().unwrap())
            .send()
            .await
            .unwrap();
        let attributes = client
            .get_queue_attributes()
            .queue_url(&dead)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap()
            .attributes
            .unwrap();
        assert_eq!(
            attributes[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible],
            "0"
        );
    }
}

#[tokio::test]
async fn sqs_batches_have_limits() {
    for (_, config) in seams().await {
        let client = aws_sdk_sqs::Client::new(&config);
        let url = create_queue(&client, "steps", &[]).await;
        let entry = |id: &str, body: &str| {
            SendMessageBatchRequestEntry::builder()
                .id(id)
                .message_body(body)
                .build()
                .unwrap()
        };
        let send = |entries: Vec<SendMessageBatchRequestEntry>| {
            client
                .send_message_batch()
                .queue_url(&url)
                .set_entries(Some(entries))
                .send()
        };
        let eleven = (0..11).map(|id| entry(&id.to_string(), "x")).collect();
        let error = send(eleven).await.unwrap_err().into_service_error();
        assert!(error.is_too_many_entries_in_batch_request(), "{error:?}");
        let twice = vec![entry("a", "x"), entry("a", "y")];
        let error = send(twice).await.unwrap_err().into_service_error();
        assert!(error.is_batch_entry_ids_not_distinct(), "{error:?}");
        let error = send(vec![]).await.unwrap_err().into_service_error();
        assert!(error.is_empty_batch_request(), "{error:?}");
        let large = "x".repeat(600 * 1024);
        let error = send(vec![entry("a", &large), entry("b", &large)])
            .await
            .unwrap_err()
            .into_service_error();
        assert!(error.is_batch_request_too_long(), "{error:?}");
        let error = send(vec![entry("a b", "x")])
            .await
            .unwrap_err()
            .into_service_error();
        assert!(error.is_invalid_batch_entry_id(), "{error:?}");

        // One bad entry does not harm the others.
        let answer = send(vec![entry("good", "x"), entry("bad", "\u{1}")])
            .await
            .unwrap();
        assert_eq!(answer.successful()[0].id(), "good");
        assert_eq!(answer.failed()[0].id(), "bad");

        let too_large = "x".repeat(1024 * 1024 + 1);
        let single = client.send_message().queue_url(&url);
        let error = single.message_body(too_large).send().await.unwrap_err();
        assert_eq!(
            error.into_service_error().code(),
            Some("InvalidParameterValue")
        );
        let error = client
            .send_message()
            .queue_url("http://localhost/000000000000/none")
            .message_body("x")
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert_eq!(
            error.code(),
            Some("AWS.SimpleQueueService.NonExistentQueue")
        );
        let error = client
            .get_queue_url()
            .queue_name("none")
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert!(error.is_queue_does_not_exist(), "{error:?}");
        let error = client
            .delete_message()
            .queue_url(&url)
            .receipt_handle("nonsense")
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert!(error.is_receipt_handle_is_invalid(), "{error:?}");
    }
}

#[tokio::test]
async fn sqs_wakes_who_waits() {
    for (_, config) in seams().await {
        let client = aws_sdk_sqs::Client::new(&config);
        let url = create_queue(&client, "steps", &[]).await;
        let waiting = tokio::spawn(
            client
                .receive_message()
                .queue_url(&url)
                .wait_time_seconds(20)
                .send(),
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        let start = Instant::now();
        let send = client.send_message().queue_url(&url).message_body("x");
        send.send().await.unwrap();
        let messages = waiting.await.unwrap().unwrap().messages.unwrap();
        assert_eq!(messages.len(), 1);
        assert!(start.elapsed() < Duration::from_secs(1));

        // A delayed message wakes who was waiting before it was sent.
        let waiting = client
            .receive_message()
            .queue_url(&url)
            .wait_time_seconds(20);
        let waiting = tokio::spawn(waiting.send());
        let start = Instant::now();
        let send = client.send_message().queue_url(&url).message_body("later");
        send.delay_seconds(1).send().await.unwrap();
        let messages = waiting.await.unwrap().unwrap().messages.unwrap();
        assert_eq!(messages[0].body(), Some("later"));
        assert!((900..2_000).contains(&start.elapsed().as_millis()));
    }
}

#[tokio::test]
async fn ses_keeps_what_was_sent() {
    for (services, config) in seams().await {
        let client = aws_sdk_sesv2::Client::new(&config);
        let content = |data: &str| Content::builder().data(data).build().unwrap();
        let message = Message::builder()
            .subject(content("Your order"))
            .body(
                Body::builder()
                    .text(content("packed"))
                    .html(content("<b>packed</b>"))
                    .build(),
            )
            .build();
        let send = |recipients: usize| {
            let to = (0..recipients).map(|number| format!("{number}@example.com"));
            client
                .send_email()
                .from_email_address("shop@example.com")
                .destination(
                    Destination::builder()
                        .set_to_addresses(Some(to.collect()))
                        .build(),
                )
                .content(EmailContent::builder().simple(message.clone()).build())
                .configuration_set_name("waybill")
                .send()
        };
        let id = send(50).await.unwrap().message_id.unwrap();
        for wrong in [0, 51] {
            let error = send(wrong).await.unwrap_err().into_service_error();
            assert!(error.is_bad_request_exception(), "{error:?}");
        }
        let mails = services.ses.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].id, id);
        assert_eq!(mails[0].html.as_deref(), Some("<b>packed</b>"));
        assert_eq!(mails[0].configuration_set.as_deref(), Some("waybill"));

        let raw = "From: shop@example.com\r\nTo: team@example.com\r\nSubject: Pick =?utf-8?q?list_=E2=9C=93?=\r\n\
                   Content-Type: text/plain; charset=utf-8\r\n\r\nthree boxes";
        let raw = RawMessage::builder()
            .data(aws_sdk_sesv2::primitives::Blob::new(raw))
            .build()
            .unwrap();
        client
            .send_email()
            .content(EmailContent::builder().raw(raw).build())
            .send()
            .await
            .unwrap();
        let mail = services.ses.mails().remove(1);
        assert_eq!(mail.to, ["team@example.com"]);
        assert_eq!(mail.subject, "Pick list ✓");
        assert_eq!(mail.text.as_deref(), Some("three boxes"));
        services.ses.clear();
        assert_eq!(services.ses.count(), 0);
    }
}

#[tokio::test]
async fn secrets_have_a_current_and_a_previous_version() {
    for (services, config) in seams().await {
        let client = aws_sdk_secretsmanager::Client::new(&config);
        let get = || client.get_secret_value().secret_id("waybill/shopify/eu");
        let error = get().send().await.unwrap_err().into_service_error();
        assert!(error.is_resource_not_found_exception());
        services.secrets.put("waybill/shopify/eu", "old");
        services.secrets.put("waybill/shopify/eu", "new");
        let current = get().send().await.unwrap();
        assert_eq!(current.secret_string(), Some("new"));
        let previous = get().version_stage("AWSPREVIOUS").send().await.unwrap();
        assert_eq!(previous.secret_string(), Some("old"));
    }
}

#[tokio::test]
async fn calls_are_counted_by_caller() {
    let [(services, config), (remote, over_tcp)]: [_; 2] = seams().await.try_into().ok().unwrap();
    let named = aws_types::app_name::AppName::new("waybill-ship-order").unwrap();
    let named = over_tcp.to_builder().app_name(named).build();
    for config in [&config, &over_tcp, &named] {
        let client = aws_sdk_sqs::Client::new(config);
        create_queue(&client, "steps", &[]).await;
    }
    let calls = services.counters.snapshot();
    assert_eq!(calls.len(), 1);
    assert_eq!(&*calls[0].0.caller, "accept-order");
    assert_eq!(calls[0].0.operation, "CreateQueue");
    assert_eq!(calls[0].1.calls, 1);
    assert_eq!(services.counters.connections(), 0);
    let remote_calls = remote.counters.snapshot();
    let callers: Vec<_> = remote_calls.iter().map(|(call, _)| &*call.caller).collect();
    assert_eq!(callers, ["outside", "ship-order"]);
    assert_eq!(remote.counters.connections(), 1);
}

#[tokio::test]
async fn tables_in_a_directory_outlive_the_process() {
    let directory = std::env::temp_dir().join(format!("waybill-services-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for start in 0..2 {
        let services = Services::in_directory(&directory).unwrap();
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(&services, "test"));
        if start == 0 {
            create_table(&client).await;
            let put = client.put_item().table_name("orders");
            put.item("pk", text("1"))
                .item("sk", text("ORDER"))
                .send()
                .await
                .unwrap();
        } else {
            let scan = client.scan().table_name("orders").send().await.unwrap();
            assert_eq!(scan.count(), 1);
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
