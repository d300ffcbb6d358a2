//! Ways to break the template.

use infra_tests::Template;
use serde_json::{Value, json};

/// A way to break the template, the rule that has to notice, and what its message has to name.
pub struct Break {
    pub rule: &'static str,
    pub names: &'static str,
    pub by: fn(&mut Template),
}

fn resource<'a>(template: &'a mut Template, id: &str) -> &'a mut Value {
    template.value["Resources"].get_mut(id).expect(id)
}

fn property<'a>(template: &'a mut Template, id: &str, name: &str) -> &'a mut Value {
    &mut resource(template, id)["Properties"][name]
}

/// The statement of a role in which an action is allowed.
fn statement<'a>(template: &'a mut Template, role: &str, action: &str) -> &'a mut Value {
    property(template, role, "Policies")[0]["PolicyDocument"]["Statement"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|statement| statement["Action"].to_string().contains(action))
        .expect(action)
}

fn remove(template: &mut Template, id: &str) {
    template.value["Resources"]
        .as_object_mut()
        .unwrap()
        .remove(id)
        .expect(id);
}

/// Each rule is broken at least once.
pub const BREAKS: &[Break] = &[
    Break {
        rule: "access_logs_name_nobody",
        names: "ApiStage",
        by: |t| {
            property(t, "ApiStage", "AccessLogSettings")["Format"] =
                json!("{\"ip\":\"$context.identity.sourceIp\"}")
        },
    },
    Break {
        rule: "every_dead_letter_queue_has_an_alarm",
        names: "ShipOrderDeadLetters",
        by: |t| {
            *property(t, "ShipOrderDeadLettersAlarm", "MetricName") = json!("NumberOfMessagesSent")
        },
    },
    Break {
        rule: "every_dead_letter_queue_has_an_alarm",
        names: "RefundOrderDeadLetters",
        by: |t| *property(t, "RefundOrderDeadLettersAlarm", "AlarmActions") = json!([]),
    },
    Break {
        rule: "every_dead_letter_queue_has_its_queue",
        names: "ShipOrderDeadLetters",
        by: |t| remove(t, "ShipOrderQueue"),
    },
    Break {
        rule: "every_function_has_an_alarm",
        names: "SweepOrders",
        by: |t| remove(t, "SweepOrdersErrors"),
    },
    Break {
        rule: "every_function_has_its_own_role",
        names: "QueryOrders",
        by: |t| {
            *property(t, "QueryOrders", "Role") = json!({"Fn::GetAtt": ["ShipOrderRole", "Arn"]})
        },
    },
    Break {
        rule: "every_function_is_started",
        names: "CheckRestock",
        by: |t| remove(t, "CheckRestockSchedule"),
    },
    Break {
        rule: "every_queue_feeds_its_function",
        names: "UpdateStockQueue",
        by: |t| *property(t, "UpdateStockEvents", "FunctionName") = json!({"Ref": "ShipOrder"}),
    },
    Break {
        rule: "every_queue_feeds_its_function",
        names: "ShipOrderDeadLetters",
        by: |t| {
            *property(t, "ShipOrderEvents", "EventSourceArn") =
                json!({"Fn::GetAtt": ["ShipOrderDeadLetters", "Arn"]})
        },
    },
    Break {
        rule: "every_queue_has_an_alarm_on_age",
        names: "NotifyCustomerQueue",
        by: |t| remove(t, "NotifyCustomerAgeAlarm"),
    },
    Break {
        rule: "every_queue_has_dead_letters",
        names: "ShipOrderQueue",
        by: |t| *property(t, "ShipOrderQueue", "RedrivePolicy") = Value::Null,
    },
    Break {
        rule: "every_queue_has_dead_letters",
        names: "AmazonNotificationsQueue",
        by: |t| {
            let other = json!({"Fn::GetAtt": ["ShipOrderDeadLetters", "Arn"]});
            property(t, "AmazonNotificationsQueue", "RedrivePolicy")["deadLetterTargetArn"] = other;
        },
    },
    Break {
        rule: "every_queue_has_dead_letters",
        names: "before 5 receives",
        by: |t| property(t, "ShipOrderQueue", "RedrivePolicy")["maxReceiveCount"] = json!(1),
    },
    Break {
        rule: "every_queue_has_dead_letters",
        names: "14 days",
        by: |t| *property(t, "ShipOrderDeadLetters", "MessageRetentionPeriod") = Value::Null,
    },
    Break {
        rule: "every_route_reaches_a_function",
        names: "AcceptOrderIntegration",
        by: |t| remove(t, "AcceptOrderPermission"),
    },
    Break {
        rule: "every_route_reaches_a_function",
        names: "GetStockRoute",
        by: |t| {
            *property(t, "GetStockRoute", "Target") = json!({"Fn::Sub": "integrations/${Nothing}"})
        },
    },
    Break {
        rule: "folders_and_functions_agree",
        names: "functions/pack-order",
        by: |t| t.folders.push("pack-order".to_owned()),
    },
    Break {
        rule: "folders_and_functions_agree",
        names: "ship-order has no folder",
        by: |t| t.folders.retain(|folder| folder != "ship-order"),
    },
    Break {
        rule: "functions_are_named_after_their_folders",
        names: "AdjustStock",
        by: |t| *property(t, "AdjustStock", "CodeUri") = json!("../target/lambda/edit-catalog"),
    },
    Break {
        rule: "functions_receive_from_their_own_queue",
        names: "sqs:ChangeMessageVisibility",
        by: |t| {
            statement(t, "ShipOrderRole", "ReceiveMessage")["Action"] =
                json!(["sqs:ReceiveMessage"])
        },
    },
    Break {
        rule: "functions_receive_from_their_own_queue",
        names: "QueryOrdersRole receives",
        by: |t| statement(t, "QueryOrdersRole", "logs:")["Action"] = json!("sqs:DeleteMessage"),
    },
    Break {
        rule: "functions_receive_from_their_own_queue",
        names: "RedriveMessagesRole receives",
        by: |t| {
            statement(t, "RedriveMessagesRole", "ReceiveMessage")["Resource"] =
                json!({"Fn::GetAtt": ["ShipOrderQueue", "Arn"]})
        },
    },
    Break {
        rule: "items_are_limited_by_key",
        names: "RefundOrderRole",
        by: |t| statement(t, "RefundOrderRole", "dynamodb:")["Condition"] = Value::Null,
    },
    Break {
        rule: "logs_are_kept_for_a_time",
        names: "ApiLogs",
        by: |t| *property(t, "ApiLogs", "RetentionInDays") = Value::Null,
    },
    Break {
        rule: "logs_are_kept_for_a_time",
        names: "ShipOrder does not log",
        by: |t| *property(t, "ShipOrder", "LoggingConfig") = Value::Null,
    },
    Break {
        rule: "mail_is_limited_to_its_sender",
        names: "NotifyCustomerRole",
        by: |t| statement(t, "NotifyCustomerRole", "ses:")["Condition"] = Value::Null,
    },
    Break {
        rule: "mappings_have_bounds",
        names: "AllocateWarehouseEvents",
        by: |t| t.value["Parameters"]["BatchingWindow"]["MinValue"] = json!(0),
    },
    Break {
        rule: "mappings_have_bounds",
        names: "ShipOrderEvents",
        by: |t| *property(t, "ShipOrderEvents", "ScalingConfig") = Value::Null,
    },
    Break {
        rule: "mappings_report_single_failures",
        names: "AllocateWarehouseEvents",
        by: |t| *property(t, "AllocateWarehouseEvents", "FunctionResponseTypes") = Value::Null,
    },
    Break {
        rule: "messages_stay_hidden_long_enough",
        names: "UpdateStockQueue",
        by: |t| t.value["Parameters"]["BatchingWindow"]["MaxValue"] = json!(60),
    },
    Break {
        rule: "messages_stay_hidden_long_enough",
        names: "ShipOrderQueue",
        by: |t| *property(t, "ShipOrder", "Timeout") = json!(60),
    },
    Break {
        rule: "no_action_is_a_pattern",
        names: "dynamodb:*",
        by: |t| statement(t, "ShipOrderRole", "dynamodb:")["Action"] = json!("dynamodb:*"),
    },
    Break {
        rule: "no_resource_is_a_pattern",
        names: "ShipOrderRole",
        by: |t| statement(t, "ShipOrderRole", "sqs:SendMessage")["Resource"] = json!("*"),
    },
    Break {
        rule: "no_variable_is_a_secret",
        names: "WEBHOOK_SECRET",
        by: |t| {
            property(t, "AcceptOrder", "Environment")["Variables"]["WEBHOOK_SECRET"] = json!("x")
        },
    },
    Break {
        rule: "no_variable_is_a_secret",
        names: "SHOP_NAME",
        by: |t| t.value["Parameters"]["ShopName"]["NoEcho"] = json!(true),
    },
    Break {
        rule: "nothing_of_the_api_is_idle",
        names: "ConfirmFulfillmentIntegration",
        by: |t| remove(t, "PostFulfillmentReportRoute"),
    },
    Break {
        rule: "nothing_of_the_api_is_idle",
        names: "EditCatalogPermission",
        by: |t| remove(t, "EditCatalogIntegration"),
    },
    Break {
        rule: "parameters_have_use_and_default",
        names: "Spare is used nowhere",
        by: |t| t.value["Parameters"]["Spare"] = json!({"Type": "String", "Default": ""}),
    },
    Break {
        rule: "parameters_have_use_and_default",
        names: "MailFrom has no default",
        by: |t| t.value["Parameters"]["MailFrom"] = json!({"Type": "String"}),
    },
    Break {
        rule: "properties_are_known",
        names: "FunctionResponseType,",
        by: |t| *property(t, "ShipOrderEvents", "FunctionResponseType") = json!([]),
    },
    Break {
        rule: "properties_are_known",
        names: "Events",
        by: |t| *property(t, "ShipOrder", "Events") = json!({"Queue": {"Type": "SQS"}}),
    },
    Break {
        rule: "properties_are_known",
        names: "AWS::SQS::Quue",
        by: |t| resource(t, "ShipOrderQueue")["Type"] = json!("AWS::SQS::Quue"),
    },
    Break {
        rule: "queues_are_encrypted",
        names: "ShipOrderDeadLetters",
        by: |t| *property(t, "ShipOrderDeadLetters", "SqsManagedSseEnabled") = json!(false),
    },
    Break {
        rule: "references_lead_somewhere",
        names: "OrderTable",
        by: |t| {
            property(t, "ShipOrder", "Environment")["Variables"]["ORDERS_TABLE"] =
                json!({"Ref": "OrderTable"})
        },
    },
    Break {
        rule: "requests_are_throttled",
        names: "ApiStage",
        by: |t| *property(t, "ApiStage", "DefaultRouteSettings") = Value::Null,
    },
    Break {
        rule: "roles_and_variables_agree",
        names: "EditCatalogRole lacks OrdersTable",
        by: |t| {
            property(t, "EditCatalog", "Environment")["Variables"]["ORDERS_TABLE"] =
                json!({"Ref": "OrdersTable"})
        },
    },
    Break {
        rule: "roles_and_variables_agree",
        names: "ShipOrderRole allows ReferenceTable",
        by: |t| {
            property(t, "ShipOrder", "Environment")["Variables"]
                .as_object_mut()
                .unwrap()
                .remove("REFERENCE_TABLE");
        },
    },
    Break {
        rule: "roles_and_variables_agree",
        names: "RedriveMessagesRole lacks ShipOrderDeadLetters",
        by: |t| {
            statement(t, "RedriveMessagesRole", "ReceiveMessage")["Resource"] =
                json!({"Fn::GetAtt": ["RefundOrderDeadLetters", "Arn"]})
        },
    },
    Break {
        rule: "routes_are_distinct",
        names: "POST /orders",
        by: |t| *property(t, "PostCancelRoute", "RouteKey") = json!("POST /orders"),
    },
    Break {
        rule: "schedules_start_functions",
        names: "SweepOrdersSchedule",
        by: |t| {
            property(t, "SweepOrdersScheduleRole", "Policies")[0]["PolicyDocument"]["Statement"]
                [0]["Resource"] = json!("*")
        },
    },
    Break {
        rule: "statements_only_allow",
        names: "ShipOrderRole",
        by: |t| statement(t, "ShipOrderRole", "logs:")["NotAction"] = json!("logs:DeleteLogGroup"),
    },
    Break {
        rule: "tables_are_encrypted",
        names: "OrdersTable",
        by: |t| *property(t, "OrdersTable", "SSESpecification") = Value::Null,
    },
    Break {
        rule: "tables_are_on_demand",
        names: "StockTable",
        by: |t| *property(t, "StockTable", "BillingMode") = json!("PROVISIONED"),
    },
    Break {
        rule: "tables_can_be_restored",
        names: "OrdersTable",
        by: |t| *property(t, "OrdersTable", "PointInTimeRecoverySpecification") = Value::Null,
    },
    Break {
        rule: "tables_expire_by_one_attribute",
        names: "StockTable",
        by: |t| {
            property(t, "StockTable", "TimeToLiveSpecification")["AttributeName"] = json!("ttl")
        },
    },
    Break {
        rule: "tables_have_the_usual_keys",
        names: "OrdersTable copies",
        by: |t| {
            property(t, "OrdersTable", "GlobalSecondaryIndexes")[0]["Projection"]["ProjectionType"] =
                json!("ALL")
        },
    },
    Break {
        rule: "tables_survive_the_stack",
        names: "OrdersTable is deleted by its DeletionPolicy",
        by: |t| resource(t, "OrdersTable")["DeletionPolicy"] = json!("Delete"),
    },
    Break {
        rule: "tables_survive_the_stack",
        names: "not protected",
        by: |t| t.value["Parameters"]["ProtectTables"]["Default"] = json!("false"),
    },
    Break {
        rule: "variables_point_to_what_they_name",
        names: "ORDERS_TABLE of ShipOrder",
        by: |t| {
            property(t, "ShipOrder", "Environment")["Variables"]["ORDERS_TABLE"] =
                json!({"Ref": "StockTable"})
        },
    },
];
