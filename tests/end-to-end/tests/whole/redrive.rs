//! What the steps gave up on is listed with its reason, and goes back to them when somebody says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::OrderId;
use domain::limits::MAX_PARKED;
use end_to_end::{PATIENCE, Shop, WITHOUT_BODY, document, problem};
use futures::future::join;
use local::seed::{DEMO_KEY, sample_retailer};
use local::services::sqs::{Outgoing, Queue};
use serde_json::{Value, json};

const POISON: &str = "{\"order\": \"half of";

async fn listed(shop: &Shop, query: &str) -> Vec<Value> {
    let listed = shop.get(&format!("/parked{query}")).await;
    assert_eq!(listed["more"], false, "{listed}");
    listed["messages"].as_array().unwrap().clone()
}

/// Sends back, waits until all that follows has happened, and gives what became of each message.
async fn redrive(shop: &Shop, wish: Value) -> Vec<Value> {
    let told = shop.post("/parked/redrive", "", wish.to_string()).await;
    told["messages"].as_array().unwrap().clone()
}

fn texts<'m>(messages: &'m [Value], field: &str) -> Vec<&'m str> {
    let text = |message: &'m Value| message[field].as_str().unwrap();
    messages.iter().map(text).collect()
}

fn dead_letters(shop: &Shop, step: &str) -> Arc<Queue> {
    let name = format!("waybill-{step}-dead-letters");
    shop.cloud.services().sqs.queue(&name).unwrap()
}

fn park(shop: &Shop, step: &str, body: impl Into<String>) {
    let outgoing = Outgoing {
        body: body.into(),
        ..Outgoing::default()
    };
    let queue = dead_letters(shop, step);
    shop.cloud.services().sqs.send(&queue, outgoing).unwrap();
}

/// Asks a service for what its clients have no business to do.
async fn ask(shop: &Shop, target: &str, body: &Value) {
    let request = http::Request::post("http://localhost/")
        .header("x-amz-target", target)
        .body(body.to_string().into())
        .unwrap();
    let answer = shop.cloud.services().handle(&"test".into(), request).await;
    assert_eq!(answer.status(), 200, "{target}: {:?}", answer.body());
}

#[tokio::test]
async fn one_some_and_all_go_back_and_what_fails_again_is_parked_again() {
    let shop = Shop::open().await;
    shop.hint("ship-order", POISON);
    shop.hint("ship-order", r#"{"order": "AAAAAAAAAAAAAAAA"}"#);
    shop.hint("refund-order", r#"{"sku": "KTL", "fact": "NONE"}"#);
    shop.settle().await;
    let first = listed(&shop, "").await;
    assert_eq!(first.len(), 3);
    let of = |what: &str, value: Value| {
        let found = first.iter().find(|message| message[what] == value);
        found.unwrap_or_else(|| panic!("none has {what} {value}: {first:#?}"))
    };
    let poison = first.iter().find(|m| m["unreadable"].is_string()).unwrap();
    let reason = poison["reason"].as_str().unwrap();
    assert!(reason.starts_with("the message cannot be read"), "{reason}");
    assert_eq!(
        (&poison["order"], &poison["attempt"]),
        (&Value::Null, &json!(1))
    );
    let unknown = of("order", json!("AAAAAAAAAAAAAAAA"));
    assert_eq!(unknown["reason"], "there is no such order");
    assert_eq!(of("step", json!("refund-order"))["sku"], "KTL");

    // Looking hides nothing from whoever looks next, and ids stay.
    assert_eq!(listed(&shop, "").await, first);
    let of_step = listed(&shop, "?step=ship-order").await;
    assert_eq!(of_step.len(), 2);
    let depth = dead_letters(&shop, "ship-order").depth();
    assert_eq!((depth.visible, depth.in_flight), (2, 0));

    // One: it fails again, and is another message then.
    let id = poison["id"].as_str().unwrap();
    let told = redrive(&shop, json!({"ids": [id]})).await;
    assert_eq!(
        (&told[0]["outcome"], &told[0]["step"]),
        (&json!("sent"), &json!("ship-order"))
    );
    assert_ne!(told[0]["sent_as"], id);
    let second = listed(&shop, "").await;
    assert_eq!(second.len(), 3);
    assert!(!texts(&second, "id").contains(&id));
    // Again: it is not there, and nothing happens.
    let again = redrive(&shop, json!({"ids": [id, "never-was", id]})).await;
    assert_eq!(texts(&again, "id"), [id, "never-was"], "each once");
    assert_eq!(texts(&again, "outcome"), ["not_found", "not_found"]);
    assert_eq!(listed(&shop, "").await, second);
    // Some.
    let told = redrive(&shop, json!({"step": "ship-order"})).await;
    assert_eq!(texts(&told, "outcome"), ["sent", "sent"]);
    let third = listed(&shop, "").await;
    let kept = first.iter().find(|m| m["step"] == "refund-order").unwrap();
    assert!(
        third.contains(kept),
        "of the other step it is still the same"
    );
    // All.
    assert_eq!(redrive(&shop, json!({"all": true})).await.len(), 3);
    let last = listed(&shop, "").await;
    let ids: BTreeSet<&str> = texts(&third, "id").into_iter().collect();
    assert!(texts(&last, "id").iter().all(|id| !ids.contains(id)));
    assert_eq!(shop.parked().len(), 3, "nothing was lost on the way");
    shop.close_with_parked().await;
}

#[tokio::test]
async fn once_the_cause_is_mended_a_message_does_its_work() {
    let shop = Shop::open().await;
    assert_eq!(redrive(&shop, json!({"all": true})).await, [] as [Value; 0]);
    let id = OrderId::of("api", "default", "late").to_string();
    shop.hint("allocate-warehouse", json!({"order": id}).to_string());
    shop.settle().await;
    let parked = listed(&shop, "").await;
    assert_eq!(texts(&parked, "order"), [id.as_str()]);
    let order = document(&[("GRD-HAND-40", 1)]);
    assert_eq!(shop.store_in_silence("late", &order).await, id);
    assert_eq!(shop.status(&id).await, "accepted");
    redrive(&shop, json!({"ids": [parked[0]["id"]]})).await;
    assert_eq!(shop.status(&id).await, "allocated");
    assert_eq!(shop.mails(&id).len(), 2);
    // As if it had been sent and never deleted: it comes once more, and changes nothing.
    park(
        &shop,
        "allocate-warehouse",
        json!({"order": id}).to_string(),
    );
    let version = shop.stored(&id).await.version;
    redrive(&shop, json!({"all": true})).await;
    assert_eq!(shop.stored(&id).await.version, version);
    assert_eq!(listed(&shop, "").await, [] as [Value; 0]);
    shop.close().await;
}

#[tokio::test]
async fn what_sqs_gave_up_on_says_so_and_goes_back() {
    // One failure is enough here; a deployed queue gives a message its twelve chances.
    let shop = Shop::open_with(|options| {
        let short = ("maxReceiveCount: 12", "maxReceiveCount: 1");
        options.template = options.template.replace(short.0, short.1);
    })
    .await;
    let id = &shop.place("mine", &document(&[("GRD-HAND-40", 1)])).await;
    shop.report(id, 1, "accepted", WITHOUT_BODY).await;
    // The tariffs are out of reach for a while.
    let tables = &shop.cloud.template().tables;
    let table = tables
        .iter()
        .find(|t| t.name.ends_with("reference"))
        .unwrap();
    let name = json!({"TableName": table.name});
    ask(&shop, "DynamoDB_20120810.DeleteTable", &name).await;
    shop.report(id, 1, "packed", WITHOUT_BODY).await;
    assert_eq!(shop.stored(id).await.fulfillments[0].shipped_at, None);
    ask(&shop, "DynamoDB_20120810.CreateTable", &table.create).await;
    sample_retailer(&shop.cloud).await.unwrap();

    let parked = listed(&shop, "?step=ship-order").await;
    assert_eq!(texts(&parked, "order"), [id.as_str()]);
    let reason = parked[0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("received 1 times without success"),
        "{reason}"
    );
    assert_eq!(parked[0]["attempt"], 1);
    let told = redrive(&shop, json!({"step": "ship-order"})).await;
    assert_eq!(texts(&told, "outcome"), ["sent"]);
    assert_eq!(shop.status(id).await, "shipped");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_operators_at_once_send_each_message_once() {
    let shop = Shop::open().await;
    // Work that is done already: what fails again is parked again, and may well be sent by the slower
    // of the two.
    let id = shop.place("mine", &document(&[("GRD-HAND-40", 1)])).await;
    for _ in 0..35 {
        let hint = json!({"order": id}).to_string();
        park(&shop, "notify-customer", hint);
    }
    let all = || shop.try_post("/parked/redrive", "", r#"{"all": true}"#);
    let (one, other) = join(all(), all()).await;
    let mut sent = BTreeSet::new();
    for (status, told) in [&one, &other] {
        assert_eq!((*status, &told["more"]), (200, &json!(false)));
        for message in told["messages"].as_array().unwrap() {
            assert_eq!(message["outcome"], "sent");
            assert!(sent.insert(message["id"].as_str().unwrap()), "sent twice");
        }
    }
    assert_eq!(sent.len(), 35);
    shop.settle().await;
    assert_eq!(listed(&shop, "").await.len(), 0);
    // Two who look see everything between them, and hide nothing from a third.
    for _ in 0..35 {
        park(&shop, "notify-customer", POISON);
    }
    let look = || shop.get("/parked");
    let (one, other) = join(look(), look()).await;
    let both = [one, other].map(|listed| listed["messages"].as_array().unwrap().clone());
    let both: BTreeSet<String> = both.concat().iter().map(|m| m["id"].to_string()).collect();
    assert_eq!(both.len(), 35);
    assert_eq!(listed(&shop, "").await.len(), 35);
    shop.close_with_parked().await;
}

#[tokio::test]
async fn two_hundred_of_a_step_are_looked_at_and_of_more_it_is_said() {
    let shop = Shop::open().await;
    for _ in 0..MAX_PARKED {
        park(&shop, "update-stock", POISON);
    }
    assert_eq!(listed(&shop, "").await.len(), MAX_PARKED);
    park(&shop, "update-stock", POISON);
    let cut = shop.get("/parked").await;
    assert_eq!(
        (cut["messages"].as_array().unwrap().len(), &cut["more"]),
        (MAX_PARKED, &json!(true))
    );
    let depth = dead_letters(&shop, "update-stock").depth();
    assert_eq!(
        (depth.visible, depth.in_flight),
        (MAX_PARKED + 1, 0),
        "none stays hidden"
    );
    for limit in [1, MAX_PARKED] {
        let cut = shop.get(&format!("/parked?limit={limit}")).await;
        assert_eq!(cut["messages"].as_array().unwrap().len(), limit);
        assert_eq!(cut["more"], true);
    }
    let body = json!({"ids": ["never-was"]}).to_string();
    let (_, told) = shop.try_post("/parked/redrive", "", body).await;
    let detail = told["messages"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("not among the 200 messages"), "{detail}");
    // Whoever fails again at once is not met again in the same round.
    let told = shop.post("/parked/redrive", "", r#"{"all": true}"#).await;
    assert_eq!(
        (told["messages"].as_array().unwrap().len(), &told["more"]),
        (MAX_PARKED, &json!(true))
    );
    assert_eq!(
        dead_letters(&shop, "update-stock").depth().visible,
        MAX_PARKED + 1
    );
    shop.close_with_parked().await;
}

#[tokio::test]
async fn what_its_queue_does_not_take_stays_parked() {
    let shop = Shop::open().await;
    park(&shop, "ship-order", POISON.repeat(100));
    park(&shop, "ship-order", POISON);
    let small = json!({
        "QueueUrl": "http://localhost/000000000000/waybill-ship-order",
        "Attributes": {"MaximumMessageSize": "1024"},
    });
    ask(&shop, "AmazonSQS.SetQueueAttributes", &small).await;
    let told = redrive(&shop, json!({"all": true})).await;
    let outcomes: BTreeSet<&str> = texts(&told, "outcome").into_iter().collect();
    assert_eq!(outcomes, BTreeSet::from(["failed", "sent"]));
    let failed = told.iter().find(|m| m["outcome"] == "failed").unwrap();
    let detail = failed["detail"].as_str().unwrap();
    assert!(
        detail.contains("must be shorter than 1024 bytes"),
        "{detail}"
    );
    // It can be seen and tried again at once.
    let ids = listed(&shop, "").await;
    assert!(texts(&ids, "id").contains(&failed["id"].as_str().unwrap()));
    assert_eq!(ids.len(), 2);
    shop.close_with_parked().await;
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_no_empty_one_and_hides_nothing_of_the_others() {
    let shop = Shop::open_with(|options| {
        let own = "REFUND_ORDER_DEAD_LETTERS: {Ref: RefundOrderDeadLetters}";
        let gone = "REFUND_ORDER_DEAD_LETTERS: http://localhost/000000000000/gone";
        assert!(options.template.contains(own));
        options.template = options.template.replace(own, gone);
    })
    .await;
    park(&shop, "ship-order", POISON);
    let all = shop.try_post("/parked/redrive", "", r#"{"all": true}"#);
    for (status, answer) in [shop.get_as(DEMO_KEY, "/parked").await, all.await] {
        assert_eq!((status, &answer["type"]), (503, &problem("unavailable")));
    }
    let depth = dead_letters(&shop, "ship-order").depth();
    assert_eq!((depth.visible, depth.in_flight), (1, 0));
    assert_eq!(listed(&shop, "?step=ship-order").await.len(), 1);
    shop.close_with_parked().await;
}

/// `infra/redrive` as an operator calls it: the exit code, and what it prints.
async fn command(shop: &Shop, key: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new("python3");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/redrive"))
        .args(arguments)
        .env(
            "WAYBILL_URL",
            format!("http://{}", shop.cloud.http_address().unwrap()),
        )
        .env("WAYBILL_KEY", key)
        .stdin(std::process::Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ended = tokio::time::timeout(PATIENCE, ended)
        .await
        .unwrap()
        .unwrap();
    let text = [ended.stdout, ended.stderr].concat();
    (
        ended.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_lists_and_sends_back() {
    let shop = Shop::open().await;
    let (code, text) = command(&shop, DEMO_KEY, &["list"]).await;
    assert_eq!((code, text.as_str()), (0, "Nothing is parked.\n"));
    let id = OrderId::of("api", "default", "late").to_string();
    shop.hint("allocate-warehouse", json!({"order": id}).to_string());
    shop.hint("ship-order", POISON);
    shop.hint("ship-order", r#"{"sku": "\u001b[2J", "fact": "F"}"#);
    shop.settle().await;
    let (code, text) = command(&shop, DEMO_KEY, &["list"]).await;
    assert_eq!(code, 0, "{text}");
    for told in [
        id.as_str(),
        "there is no such order",
        "unreadable",
        "?[2J/F",
        "allocate-warehouse",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(
        !text.contains('\u{1b}'),
        "a terminal obeys what it is shown"
    );
    let (_, text) = command(&shop, DEMO_KEY, &["list", "--step", "ship-order"]).await;
    assert!(!text.contains(&id), "{text}");

    shop.store_in_silence("late", &document(&[("GRD-HAND-40", 1)]))
        .await;
    let parked = listed(&shop, "?step=allocate-warehouse").await;
    let message = parked[0]["id"].as_str().unwrap();
    let (code, text) = command(&shop, DEMO_KEY, &[message]).await;
    assert!(code == 0 && text.contains("sent"), "{text}");
    shop.settle().await;
    assert_eq!(shop.status(&id).await, "allocated");
    let (code, text) = command(&shop, DEMO_KEY, &[message]).await;
    assert!(code == 1 && text.contains("not found"), "{code} {text}");
    for arguments in [vec!["--step", "ship-order"], vec!["--all"]] {
        let (code, text) = command(&shop, DEMO_KEY, &arguments).await;
        assert!(code == 0 && text.contains("ship-order"), "{text}");
        shop.settle().await;
    }

    // What is wrong is told in words, with a code of its own.
    for (key, arguments, told) in [
        ("nonsense", vec!["list"], "API key"),
        ("", vec!["list"], "WAYBILL_KEY"),
        (DEMO_KEY, vec![], "usage"),
        (DEMO_KEY, vec!["--all", message], "one of"),
        (DEMO_KEY, vec!["list", "--all"], "one of"),
        (DEMO_KEY, vec!["--step", "pack-order"], "expected one of"),
        (
            DEMO_KEY,
            vec!["--url", "http://127.0.0.1:1", "list"],
            "127.0.0.1:1",
        ),
        (
            DEMO_KEY,
            vec!["--url", "http://shop.example.com", "list"],
            "https",
        ),
    ] {
        let (code, text) = command(&shop, key, &arguments).await;
        assert!(
            code == 2 && text.contains(told),
            "{arguments:?}: {code} {text}"
        );
        assert!(!text.contains("Traceback"), "{text}");
    }
    shop.close_with_parked().await;
}
