//! DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, Put, ReturnValuesOnConditionCheckFailure,
    ScalarAttributeType, TransactWriteItem, Update,
};
use local::client::sdk_config;
use local::services::Services;

use super::seams;

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

        let empty = AttributeValue::Ss(Vec::new());
        let invalid = client.put_item().table_name("orders").item("pk", text("1"));
        let error = invalid.item("sk", empty).send().await.unwrap_err();
        let error = error.into_service_error();
        assert_eq!(error.code(), Some("ValidationException"), "{error:?}");
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
