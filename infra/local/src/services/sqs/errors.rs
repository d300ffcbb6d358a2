//! The errors of SQS, with the names that both of its protocols have for them.

use super::super::answer::Failure;

pub(super) fn no_such_queue() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#QueueDoesNotExist",
        "The specified queue does not exist.",
    )
    .query_code("AWS.SimpleQueueService.NonExistentQueue")
}

pub(super) fn queue_exists() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#QueueNameExists",
        "A queue already exists with the same name and a different value for an attribute.",
    )
    .query_code("QueueAlreadyExists")
}

pub(super) fn invalid_attribute_name(name: &str) -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#InvalidAttributeName",
        format!("Unknown Attribute {name}."),
    )
    .query_code("InvalidAttributeName")
}

pub(super) fn invalid_attribute_value(name: &str, value: &str) -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#InvalidAttributeValue",
        format!("Invalid value for the parameter {name}: {value}."),
    )
    .query_code("InvalidAttributeValue")
}

pub(super) fn invalid_parameter(message: impl Into<String>) -> Failure {
    Failure::bad("com.amazonaws.sqs#InvalidParameterValueException", message)
        .query_code("InvalidParameterValue")
}

pub(super) fn invalid_contents() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#InvalidMessageContents",
        "The message contains characters outside the allowed set.",
    )
    .query_code("InvalidMessageContents")
}

pub(super) fn invalid_receipt(handle: &str) -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
    )
    .query_code("ReceiptHandleIsInvalid")
}

pub(super) fn not_in_flight() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#MessageNotInflight",
        "The message is not in flight.",
    )
    .query_code("AWS.SimpleQueueService.MessageNotInflight")
}

pub(super) fn over_limit() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#OverLimit",
        "Too many messages in flight.",
    )
    .query_code("OverLimit")
}

pub(super) fn empty_batch() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#EmptyBatchRequest",
        "There should be at least one entry in the request.",
    )
    .query_code("AWS.SimpleQueueService.EmptyBatchRequest")
}

pub(super) fn too_many_entries(count: usize) -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
        format!("Maximum number of entries per request are 10. You have sent {count}."),
    )
    .query_code("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
}

pub(super) fn ids_not_distinct(id: &str) -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
        format!("Id {id} repeated."),
    )
    .query_code("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
}

pub(super) fn invalid_entry_id() -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
         It can be at most 80 letters long.",
    )
    .query_code("AWS.SimpleQueueService.InvalidBatchEntryId")
}

pub(super) fn batch_too_long(size: usize) -> Failure {
    Failure::bad(
        "com.amazonaws.sqs#BatchRequestTooLong",
        format!(
            "Batch requests cannot be longer than {} bytes. You have sent {size} bytes.",
            super::attributes::MAX_BYTES
        ),
    )
    .query_code("AWS.SimpleQueueService.BatchRequestTooLong")
}
