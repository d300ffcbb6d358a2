//! SQS.

use std::time::{Duration, Instant};

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};

use super::seams;

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
            .message_group_id("square/main")
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
            assert_eq!(
                attributes[&MessageSystemAttributeName::MessageGroupId],
                "square/main"
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
