//! The sample webhooks of every channel, sent as they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use domain::limits::{KEY_BELIEVED_S, KEY_PAUSE_S};
use end_to_end::{Shop, WITHOUT_BODY, problem};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use runtime::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wiremock::matchers::{basic_auth, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// The key of the samples by Standard Webhooks.
const STANDARD: &str = "ZGVtby1zZWNyZXQtb2YtYS1zdGFuZGFyZC13ZWJob29r";

fn event(channel: &str) -> Value {
    let path = format!(
        "{}/../../events/accept-order-{channel}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A shop with an account of each channel that signs with a secret that both know.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    for channel in ["bigcommerce", "square", "walmart", "woocommerce"] {
        account(&shop, channel, &format!("demo-{channel}-secret")).await;
    }
    let secret = |channel| format!("demo-{channel}-secret");
    let tiktok = json!({"key": secret("tiktok"), "app_key": "demo-app-key"});
    let meta = json!({"key": secret("meta"), "verify_token": "demo-token"});
    account(&shop, "tiktok", &tiktok.to_string()).await;
    account(&shop, "meta", &meta.to_string()).await;
    for channel in ["etsy", "generic"] {
        account(&shop, channel, &format!("whsec_{STANDARD}")).await;
    }
    shop
}

async fn account(shop: &Shop, channel: &str, secret: &str) {
    local::seed::add_account(&shop.cloud, channel, "demo", secret)
        .await
        .unwrap();
}

async fn send(shop: &Shop, channel: &str, event: &Value) -> (u16, Value) {
    let headers = event["headers"].as_object().unwrap().iter();
    let ours = ["content-length", "host"];
    let headers: Vec<(&str, &str)> = headers
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let path = format!("/webhooks/{channel}/demo");
    let body = event["body"].as_str().unwrap().to_owned();
    shop.send(Method::POST, &path, &headers, body).await
}

#[tokio::test]
async fn an_order_of_a_shop_is_taken_once_and_waits_for_what_is_doubtful() {
    let shop = shop().await;
    let woo = event("woocommerce");
    let (status, receipt) = send(&shop, "woocommerce", &woo).await;
    assert_eq!(
        (status, &receipt["total"]),
        (200, &json!("86.29")),
        "{receipt}"
    );
    assert_eq!(
        send(&shop, "woocommerce", &woo).await,
        (200, receipt.clone())
    );
    let order = shop.get(receipt["url"].as_str().unwrap()).await;
    assert_eq!(order["external_id"], "9301");
    assert_eq!(order["holds"], json!([]), "{order}");
    assert_eq!(shop.order_ids().await.len(), 1);
    // The ping that it begins with.
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let path = "/webhooks/woocommerce/demo";
    let ping = shop
        .send(Method::POST, path, &headers, "webhook_id=142")
        .await;
    assert_eq!(ping.0, 200);
    let nobody = "/webhooks/woocommerce/nobody";
    let ping = shop
        .send(Method::POST, nobody, &headers, "webhook_id=142")
        .await;
    assert_eq!((ping.0, &ping.1["type"]), (401, &problem("bad-signature")));
    shop.close().await;
}

#[tokio::test]
async fn word_of_an_order_is_kept_where_the_order_cannot_be_fetched() {
    let shop = shop().await;
    let mut kept = 0;
    for channel in ["bigcommerce", "meta", "square", "tiktok"] {
        let event = event(channel);
        let (status, answer) = send(&shop, channel, &event).await;
        // None of these accounts has an access.
        assert_eq!(
            (status, answer),
            (200, json!({"status": "noted"})),
            "{channel}"
        );
        shop.settle().await;
        kept += 1;
        assert_eq!(shop.kept().await.len(), kept, "{channel}");
        let mut forged = event.clone();
        for name in [
            "x-hub-signature-256",
            "x-square-hmacsha256-signature",
            "authorization",
            "x-webhook-secret",
        ] {
            if !forged["headers"][name].is_null() {
                forged["headers"][name] = "sha256=00".into();
            }
        }
        let (status, answer) = send(&shop, channel, &forged).await;
        assert_eq!(
            (status, &answer["type"]),
            (401, &problem("bad-signature")),
            "{channel}"
        );
        // The accounts of another channel have other secrets.
        assert_eq!(send(&shop, "shopify", &event).await.0, 401, "{channel}");
    }
    assert_eq!(shop.order_ids().await, []);
    shop.close().await;
}

#[tokio::test]
async fn a_replay_beyond_its_window_is_refused_and_a_fresh_one_is_taken() {
    let shop = shop().await;
    for channel in ["etsy", "generic", "walmart"] {
        let (status, answer) = send(&shop, channel, &event(channel)).await;
        assert_eq!(
            (status, &answer["type"]),
            (401, &problem("bad-signature")),
            "{channel}"
        );
    }
    let mut fresh = event("generic");
    let now = jiff::Timestamp::now().as_second().to_string();
    let body = fresh["body"].as_str().unwrap();
    let key = BASE64.decode(STANDARD.as_bytes()).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let mac = mac.chain_update(format!("msg_1.{now}.{body}")).finalize();
    let right = BASE64.encode(&mac.into_bytes());
    let headers = &mut fresh["headers"];
    headers["webhook-id"] = "msg_1".into();
    headers["webhook-timestamp"] = now.into();
    // While a secret is being changed there are several, of which one has to be right.
    headers["webhook-signature"] = format!("v1,AAAA v1a,x v1,{right}").into();
    let (status, receipt) = send(&shop, "generic", &fresh).await;
    assert_eq!(
        (status, &receipt["total"]),
        (200, &json!("79.90")),
        "{receipt}"
    );
    assert_eq!(receipt["number"], "77001");
    shop.close().await;
}

#[tokio::test]
async fn adobe_is_told_that_the_checkout_may_go_on() {
    let shop = Shop::open().await;
    let mut event = event("adobe-commerce");
    let key = include_str!("../../../../events/channels/rsa-public-key.pem");
    let secret = json!({"client_id": "demo-client", "public_key1": key}).to_string();
    account(&shop, "adobe-commerce", &secret).await;
    let (status, answer) = send(&shop, "adobe-commerce", &event).await;
    assert_eq!((status, answer), (200, json!([{"op": "success"}])));
    assert_eq!(shop.order_ids().await.len(), 1);
    event["headers"]["x-adobe-digital-signature-1"] = "AAAA".into();
    assert_eq!(send(&shop, "adobe-commerce", &event).await.0, 401);
    let question = "/webhooks/adobe-commerce/demo?challenge=4711";
    let (status, answer) = shop.send(Method::GET, question, &[], WITHOUT_BODY).await;
    assert_eq!((status, answer), (200, json!(4711)));
    shop.close().await;
}

#[tokio::test]
async fn meta_and_ebay_get_the_answer_to_their_challenges() {
    let shop = shop().await;
    let ask = |token: &str| {
        format!(
            "/webhooks/meta/demo?hub.mode=subscribe&hub.challenge=4711&hub.verify_token={token}"
        )
    };
    let right = shop
        .send(Method::GET, &ask("demo-token"), &[], WITHOUT_BODY)
        .await;
    assert_eq!(right, (200, json!(4711)));
    let wrong = shop
        .send(Method::GET, &ask("demo-toke"), &[], WITHOUT_BODY)
        .await;
    assert_eq!(wrong.0, 401);
    account(
        &shop,
        "ebay",
        &json!({"token": "t", "url": "https://x.example/"}).to_string(),
    )
    .await;
    let path = "/webhooks/ebay/demo?challenge_code=c";
    let (_, answer) = shop.send(Method::GET, path, &[], WITHOUT_BODY).await;
    let digest = HEXLOWER.encode(&Sha256::digest("cthttps://x.example/"));
    assert_eq!(answer, json!({"challengeResponse": digest}));
    shop.close().await;
}

/// eBay's API, which gives tokens.
async fn ebay_api() -> MockServer {
    let api = MockServer::start().await;
    let token =
        json!({"access_token": "t", "token_type": "Application Access Token", "expires_in": 7200});
    Mock::given(method("POST"))
        .and(path("/identity/v1/oauth2/token"))
        .and(basic_auth("c", "s"))
        .respond_with(ResponseTemplate::new(200).set_body_json(token))
        .mount(&api)
        .await;
    api
}

/// What the API answers to the next requests for a key.
async fn ebay_answers(api: &MockServer, id: &str, answer: ResponseTemplate, times: u64) {
    Mock::given(method("GET"))
        .and(path(format!("/commerce/notification/v1/public_key/{id}")))
        .and(header("authorization", "Bearer t"))
        .respond_with(answer)
        .up_to_n_times(times)
        .expect(times)
        .mount(api)
        .await;
}

/// The sample of eBay's, which names a key of this id: its signature is that of the body alone.
fn named(id: &str) -> Value {
    let mut event = event("ebay");
    let header = &mut event["headers"]["x-ebay-signature"];
    let document = BASE64.decode(header.as_str().unwrap().as_bytes()).unwrap();
    let mut document: Value = serde_json::from_slice(&document).unwrap();
    document["kid"] = id.into();
    *header = BASE64.encode(document.to_string().as_bytes()).into();
    event
}

#[tokio::test]
async fn a_key_that_ebay_signs_with_is_had_from_its_api() {
    let passed = Arc::new(AtomicU64::new(0));
    let seconds = Arc::clone(&passed);
    let clock =
        move || jiff::Timestamp::now() + Duration::from_secs(seconds.load(Ordering::SeqCst));
    let shop = Shop::open_with(|options| options.clock = Clock::new(clock).pausing()).await;
    let wait = |seconds| passed.fetch_add(seconds, Ordering::SeqCst);
    let api = ebay_api().await;
    let pem = include_str!("../../../../events/channels/ec-public-key.pem");
    let key = json!({"key": pem.replace('\n', ""), "algorithm": "ECDSA", "digest": "SHA1"});
    let key = || ResponseTemplate::new(200).set_body_json(&key);
    let secret = json!({"token": "t", "client_id": "c", "client_secret": "s", "api": api.uri()});
    account(&shop, "ebay", &secret.to_string()).await;
    let noted = (200, json!({"status": "noted"}));
    let refused = send(&shop, "shopify", &named("k-1")).await;
    assert_eq!(refused.1["type"], problem("bad-signature"));
    // Once an hour, whoever else comes with it.
    ebay_answers(&api, "k-1", key(), 1).await;
    assert_eq!(send(&shop, "ebay", &named("k-1")).await, noted);
    assert_eq!(send(&shop, "ebay", &named("k-1")).await, noted);
    let mut forged = named("k-1");
    forged["body"] = format!("{} ", forged["body"].as_str().unwrap()).into();
    assert_eq!(send(&shop, "ebay", &forged).await, refused);
    api.verify().await;
    wait(KEY_BELIEVED_S);
    ebay_answers(&api, "k-1", key(), 1).await;
    assert_eq!(send(&shop, "ebay", &named("k-1")).await, noted);
    // An id that is made up costs a request, and no other does for a while.
    let none = || ResponseTemplate::new(404);
    ebay_answers(&api, "made-up", none(), 1).await;
    assert_eq!(send(&shop, "ebay", &named("made-up")).await, refused);
    assert_eq!(send(&shop, "ebay", &named("made-up")).await, refused);
    for id in ["made-up-2", "k-2"] {
        let (status, answer) = send(&shop, "ebay", &named(id)).await;
        assert_eq!((status, &answer["type"]), (503, &problem("unavailable")));
    }
    assert_eq!(send(&shop, "ebay", &named("k-1")).await, noted);
    assert_eq!(send(&shop, "ebay", &named("../x")).await, refused);
    wait(KEY_PAUSE_S);
    // Its API is down: eBay sends again.
    ebay_answers(&api, "k-2", ResponseTemplate::new(500), 1).await;
    assert_eq!(send(&shop, "ebay", &named("k-2")).await.0, 503);
    wait(KEY_PAUSE_S);
    ebay_answers(&api, "k-2", key(), 1).await;
    assert_eq!(send(&shop, "ebay", &named("k-2")).await, noted);
    // A key that is typed in is the one that counts, and nobody is asked.
    let mut typed = secret;
    typed["k-3"] = pem.into();
    account(&shop, "ebay", &typed.to_string()).await;
    wait(KEY_PAUSE_S);
    assert_eq!(send(&shop, "ebay", &named("k-3")).await, noted);
    // Nor is anybody for an account that nothing can be asked by.
    let token = json!({"token": "t", "api": api.uri()}).to_string();
    account(&shop, "ebay", &token).await;
    wait(KEY_PAUSE_S);
    assert_eq!(send(&shop, "ebay", &named("k-4")).await, refused);
    api.verify().await;
    shop.close().await;
}
