//! Webhooks that are not what they should be, and what they get.

use domain::limits::{MAX_BODY_BYTES, MAX_NAME_CHARS};
use end_to_end::{Shop, document, problem, shopify, sign};
use http::Method;
use local::seed::DEMO_ACCOUNT;
use serde_json::{Value, json};

async fn nothing_is_stored(shop: &Shop) {
    assert_eq!(shop.order_ids().await, []);
    assert_eq!(shop.kept().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_webhook_without_the_right_signature_is_refused_and_leaves_no_trace() {
    let shop = Shop::open().await;
    let body = shopify().to_string();
    let right = sign(DEMO_ACCOUNT.2, body.as_bytes());
    let of_another_body = sign(DEMO_ACCOUNT.2, b"{}");
    let of_another_secret = sign("demo-shopify-secret ", body.as_bytes());
    let truncated = &right[..right.len() - 2];
    let hexadecimal: String = right.bytes().map(|b| format!("{b:02x}")).collect();
    for (account, signature) in [
        ("demo", ""),
        ("demo", "%%%"),
        ("demo", truncated),
        ("demo", &of_another_body),
        ("demo", &of_another_secret),
        ("demo", &hexadecimal),
        // Accounts that do not exist, and names that could lead elsewhere.
        ("other", &right),
        ("..", &right),
        ("demo%2F..%2Fdemo", &right),
        ("demo%00", &right),
        (&"a".repeat(MAX_NAME_CHARS + 1), &right),
    ] {
        let answer = shop
            .signed(account, "orders/create", signature, body.clone())
            .await;
        let given = (answer.0, &answer.1["type"]);
        assert_eq!(
            given,
            (401, &problem("bad-signature")),
            "{account} {signature:?}"
        );
    }
    // A channel that there is not, and no signature at all.
    for path in [
        "/webhooks/fax/demo",
        "/webhooks/api/default",
        "/webhooks/shopify/demo",
    ] {
        let answer = shop.send(Method::POST, path, &[], body.clone()).await;
        assert_eq!(
            (answer.0, &answer.1["type"]),
            (401, &problem("bad-signature")),
            "{path}"
        );
    }
    // A body that was changed on its way.
    let changed = body.replace("149.70", "1.70");
    assert_eq!(
        shop.signed("demo", "orders/create", &right, changed)
            .await
            .0,
        401
    );
    nothing_is_stored(&shop).await;
    // The old and the new secret are valid together.
    local::seed::add_account(&shop.cloud, "shopify", "rotated", "old")
        .await
        .unwrap();
    local::seed::add_account(&shop.cloud, "shopify", "rotated", "new")
        .await
        .unwrap();
    let mut ids = Vec::new();
    for secret in ["old", "new"] {
        let signature = sign(secret, body.as_bytes());
        let (status, answer) = shop
            .signed("rotated", "orders/create", &signature, body.clone())
            .await;
        assert_eq!(status, 200, "{secret}");
        ids.push(answer["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    shop.close().await;
}

#[tokio::test]
async fn a_signed_webhook_that_cannot_be_understood_is_kept_and_taken() {
    let shop = Shop::open().await;
    let no_currency = {
        let mut order = shopify();
        order["currency"] = json!("XYZ");
        order.to_string()
    };
    let no_lines = {
        let mut order = shopify();
        order["line_items"] = json!([]);
        order.to_string()
    };
    // What is wrong with it quotes more of it than the reason has room for.
    let name = "n".repeat(400_000);
    let long_name = format!(r#"{{"{name}":1,"{name}":2}}"#);
    let bodies: [&[u8]; 8] = [
        b"",
        b"not JSON",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        no_currency.as_bytes(),
        no_lines.as_bytes(),
        long_name.as_bytes(),
    ];
    for body in bodies {
        // Twice: a repeat of it is not kept again.
        for _ in 0..2 {
            let (status, answer) = shop.webhook(body).await;
            assert_eq!((status, answer), (200, json!({"status": "kept"})));
        }
    }
    let kept = shop.kept().await;
    // The largest takes three items.
    assert_eq!(kept.len(), bodies.len() + 2);
    for expected in ["line 1, column", "/currency: ", "/line_items: "] {
        let told = kept.iter().any(|why| why.contains(expected));
        assert!(told, "{expected}");
    }
    // A topic that nobody asked for is kept as well.
    let body = shopify().to_string();
    let signature = sign(DEMO_ACCOUNT.2, body.as_bytes());
    let answer = shop
        .signed("demo", "products/update", &signature, body)
        .await;
    assert_eq!(answer, (200, json!({"status": "kept"})));
    assert_eq!(shop.kept().await.len(), kept.len() + 1);
    assert_eq!(shop.order_ids().await, []);
    shop.close().await;
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let shop = Shop::open().await;
    let padded = |order: Value, size: usize| {
        let mut body = order.to_string().into_bytes();
        body.resize(size, b' ');
        body
    };
    let order = document(&[("GRD-HAND-40", 1)]);
    for (name, size, expected) in [
        ("at", MAX_BODY_BYTES, 201),
        ("over", MAX_BODY_BYTES + 1, 413),
    ] {
        let (status, answer) = shop
            .try_post("/orders", name, padded(order.clone(), size))
            .await;
        assert_eq!(status, expected, "{answer}");
    }
    let mut other = shopify();
    other["id"] = json!(1);
    other["admin_graphql_api_id"] = Value::Null;
    for (order, size, expected) in [
        (shopify(), MAX_BODY_BYTES, 200),
        (other, MAX_BODY_BYTES + 1, 413),
    ] {
        let (status, answer) = shop.webhook(padded(order, size)).await;
        assert_eq!(status, expected, "{answer}");
    }
    // More than the gateway itself takes.
    let (status, _) = shop
        .try_post("/orders", "huge", vec![b' '; 11 * 1024 * 1024])
        .await;
    assert_eq!(status, 413);
    assert_eq!(shop.order_ids().await.len(), 2);
    shop.close().await;
}
