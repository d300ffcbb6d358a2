//! SES and Secrets Manager.

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, RawMessage};

use super::seams;

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
