//! The buttons on the page of dead letters.

use http::HeaderMap;
use http_body_util::Full;

use super::*;
use crate::seed::{DEMO_KEY, add_key};

/// Presses a button: the status, and where the browser is sent.
async fn press(cloud: &Cloud, form: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let address = cloud.http_address().unwrap();
    let mut request = Request::post(format!("http://{address}/console/dead-letters"))
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = request.body(Full::new(form.to_owned().into())).unwrap();
    let head = client.request(request).await.unwrap().into_parts().0;
    let place = |headers: &HeaderMap| Some(headers.get("location")?.to_str().ok()?.to_owned());
    (
        head.status.as_u16(),
        place(&head.headers).unwrap_or_default(),
    )
}

fn park(cloud: &Cloud, step: &str) -> String {
    let sqs = &cloud.services().sqs;
    let queue = sqs.queue(&format!("waybill-{step}-dead-letters")).unwrap();
    let outgoing = Outgoing {
        body: HOSTILE.into(),
        ..Outgoing::default()
    };
    sqs.send(&queue, outgoing).unwrap().id.clone()
}

#[tokio::test]
async fn one_a_step_and_all_go_back() {
    let (cloud, _) = start().await;
    add_key(&cloud, "operator", DEMO_KEY).await.unwrap();
    let own = [("sec-fetch-site", "same-origin")];
    let id = park(&cloud, "ship-order");
    park(&cloud, "ship-order");
    park(&cloud, "refund-order");
    let (_, page) = get(&cloud, "/console/dead-letters").await;
    assert!(
        page.contains(&format!("name=\"id\" value=\"{id}\"")),
        "{page}"
    );
    assert!(page.contains("Send back all of refund-order") && page.contains("Send all back"));
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"));
    for (form, told) in [
        (format!("id={id}"), "sent=1&not_found=0&failed=0"),
        (format!("id={id}"), "sent=0&not_found=1&failed=0"),
        // Nobody can read them: each is parked again, as another message.
        ("step=ship-order".to_owned(), "sent=2&not_found=0&failed=0"),
        ("all=true".to_owned(), "sent=3&not_found=0&failed=0"),
    ] {
        let (status, place) = press(&cloud, &form, &own).await;
        assert_eq!(
            (status, place),
            (303, format!("/console/dead-letters?{told}")),
            "{form}"
        );
        cloud.idle().await;
        let (_, page) = get(&cloud, &format!("/console/dead-letters?{told}")).await;
        assert!(page.contains("sent back"), "{page}");
        assert!(!page.contains(&id) && page.contains("the message cannot be read"));
    }
    let (status, _) = press(&cloud, "surprise=1", &own).await;
    assert_eq!(status, 500);
    cloud.stop().await;
}

#[tokio::test]
async fn no_page_of_another_site_presses_a_button() {
    let (cloud, _) = start().await;
    add_key(&cloud, "operator", DEMO_KEY).await.unwrap();
    park(&cloud, "ship-order");
    let queue = cloud
        .services()
        .sqs
        .queue("waybill-ship-order-dead-letters");
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://localhost:9"),
        ],
        &[("sec-fetch-site", "none")],
        &[("origin", "null")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://localhost"), ("host", "localhost:9")],
        &[("sec-fetch-site", "same-origin"), ("host", "evil.example")],
    ] {
        let (status, _) = press(&cloud, "all=true", headers).await;
        assert_eq!(status, 403, "{headers:?}");
    }
    assert_eq!(queue.unwrap().depth().visible, 1);
    let old = [("origin", "http://localhost:9"), ("host", "localhost:9")];
    assert_eq!(press(&cloud, "all=true", &old).await.0, 303);
    cloud.stop().await;
}
