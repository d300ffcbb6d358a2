//! The audit that every other test ends with notices what is wrong: each of these shops has one fault.

use domain::stock::{LevelChange, Movement, MovementKind};
use end_to_end::{Shop, document};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::Commit;

/// Calls an AWS service behind everybody's back.
async fn call_aws(shop: &Shop, path: &str, target: &str, body: Value) {
    let request = http::Request::post(path)
        .header("x-amz-target", target)
        .body(body.to_string().into())
        .unwrap();
    let answer = shop.cloud.services().handle(&"test".into(), request).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
}

/// Moves stock for no order.
async fn move_stock(shop: &Shop, kind: MovementKind) {
    let movement = Movement {
        kind,
        quantity: 1,
        cause: "nobody".into(),
        at: Timestamp::now(),
    };
    let change = LevelChange {
        sku: "GRD-HAND-40".into(),
        location: "hamburg".into(),
        share: 0,
        shares: 0,
        movements: vec![movement],
        kept: 0,
    };
    let commit = Commit {
        changes: vec![change],
        ..Commit::default()
    };
    shop.store.transact(commit).await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "GRD-HAND-40 in hamburg: set aside for orders")]
async fn goods_set_aside_for_nobody() {
    let shop = Shop::open().await;
    shop.place("one", &document(&[("GRD-HAND-40", 1)])).await;
    move_stock(&shop, MovementKind::Allocate).await;
    shop.close().await;
}

#[tokio::test]
#[should_panic(expected = "GRD-HAND-40 in hamburg: set aside for orders")]
async fn goods_given_back_that_an_order_counts_on() {
    let shop = Shop::open().await;
    shop.place("one", &document(&[("GRD-HAND-40", 1)])).await;
    move_stock(&shop, MovementKind::Release).await;
    shop.close().await;
}

#[tokio::test]
#[should_panic(expected = "GRD-HAND-40 in hamburg: ledger and counters")]
async fn a_counter_that_the_ledger_does_not_explain() {
    let shop = Shop::open().await;
    let update = json!({
        "TableName": shop.table("stock"),
        "Key": {"pk": {"S": "SKU#GRD-HAND-40"}, "sk": {"S": "LEVEL#hamburg"}},
        "UpdateExpression": "ADD on_hand :one, available :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    });
    call_aws(&shop, "/", "DynamoDB_20120810.UpdateItem", update).await;
    shop.close().await;
}

#[tokio::test]
#[should_panic(expected = "mails that went out more than once")]
async fn a_mail_that_went_out_twice() {
    let shop = Shop::open().await;
    let id = &shop.place("one", &document(&[("GRD-HAND-40", 1)])).await;
    let mail = shop.cloud.services().ses.mails().remove(0);
    let tag = json!({"Name": "waybill-key", "Value": mail.tags[0].1});
    assert!(tag["Value"].as_str().unwrap().starts_with(id));
    let text = json!({"Data": "again"});
    let again = json!({
        "FromEmailAddress": mail.from,
        "Destination": {"ToAddresses": mail.to},
        "Content": {"Simple": {"Subject": text, "Body": {"Text": text}}},
        "EmailTags": [tag],
    });
    call_aws(&shop, "/v2/email/outbound-emails", "", again).await;
    shop.close().await;
}

#[tokio::test]
#[should_panic(expected = "it rests, and work is owed")]
async fn an_order_that_stands_still() {
    let shop = Shop::open().await;
    shop.store_in_silence("one", &document(&[("GRD-HAND-40", 1)]))
        .await;
    shop.close().await;
}

#[tokio::test]
#[should_panic(expected = "nothing may be left for a person")]
async fn a_message_that_was_parked() {
    let shop = Shop::open().await;
    shop.hint("ship-order", "nonsense");
    shop.settle().await;
    shop.close().await;
}
