//! Rules for who may do what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::queues::taker;
use crate::template::{Template, fault, pascal, target};

const ROLE: &str = "AWS::IAM::Role";

/// Resources that can only be named by a pattern, with why.
const PATTERNS: [&str; 5] = [
    // The recipient is an identity too, while an account is in the sandbox of SES; the sender is limited by condition.
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*",
    // Secrets Manager adds to each name six characters of its own.
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretsPrefix}*",
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:api-${SecretsPrefix}*",
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:payments-${SecretsPrefix}*",
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:events-${SecretsPrefix}*",
];

/// A function has a role, called after it and used by nobody else.
pub fn every_function_has_its_own_role(template: &Template) -> Vec<String> {
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut faults = Vec::new();
    for (_, id, function) in template.functions() {
        let own = format!("{id}Role");
        let role = target(&function["Role"]).unwrap_or_default();
        users.entry(role).or_default().push(id);
        faults.extend(fault(role == own && template.has(ROLE, role), || {
            format!("{id} has to have the role {own}")
        }));
    }
    for (id, schedule) in template.resources("AWS::Scheduler::Schedule") {
        let role = target(&schedule["Target"]["RoleArn"]).unwrap_or_default();
        users.entry(role).or_default().push(id);
    }
    for (role, users) in &users {
        faults.extend(fault(users.len() == 1, || {
            format!("{} share the role {role}", users.join(" and "))
        }));
    }
    for (id, role) in template.resources(ROLE) {
        faults.extend(fault(users.contains_key(id), || {
            format!("nobody uses {id}")
        }));
        faults.extend(fault(role["ManagedPolicyArns"].is_null(), || {
            format!("{id} takes a policy that is not written here")
        }));
    }
    faults
}

/// Actions are named one by one.
pub fn no_action_is_a_pattern(template: &Template) -> Vec<String> {
    statements(template)
        .flat_map(|(id, statement)| {
            list(&statement["Action"])
                .filter(|action| action.as_str().is_none_or(|name| name.contains('*')))
                .map(move |action| format!("{id} allows {action}"))
        })
        .collect()
}

/// So are resources, but for the few that cannot be.
pub fn no_resource_is_a_pattern(template: &Template) -> Vec<String> {
    statements(template)
        .flat_map(|(id, statement)| {
            list(&statement["Resource"])
                .filter(|resource| {
                    let text = resource["Fn::Sub"].as_str().or(resource.as_str());
                    match text {
                        Some(text) => text.contains('*') && !PATTERNS.contains(&text),
                        None => target(resource).is_none(),
                    }
                })
                .map(move |resource| format!("{id} is allowed on {resource}"))
        })
        .collect()
}

/// Nothing is denied or turned round: a reader can add up what is allowed.
pub fn statements_only_allow(template: &Template) -> Vec<String> {
    statements(template)
        .filter_map(|(id, statement)| {
            let plain = statement["Effect"] == "Allow"
                && statement["NotAction"].is_null()
                && statement["NotResource"].is_null()
                && list(&statement["Action"]).count() > 0;
            fault(plain, || {
                format!("{id} has a statement that does not just allow")
            })
        })
        .collect()
}

/// A role allows the tables, queues, mail, secrets and event bus that its function's variables name, and the variables name all that it
/// allows.
pub fn roles_and_variables_agree(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    for (_, id, function) in template.functions() {
        let mut named: BTreeSet<String> = Template::variables(function)
            .filter_map(|(name, _)| match name {
                "DEAD_LETTERS_QUEUE" => Some(format!("{id}DeadLetters")),
                "MAIL_FROM" => Some("mail".to_owned()),
                "SECRETS_PREFIX" => Some("secrets".to_owned()),
                "EVENT_BUS" => Some("bus".to_owned()),
                name if ["_TABLE", "_QUEUE", "_DEAD_LETTERS"]
                    .iter()
                    .any(|end| name.ends_with(end)) =>
                {
                    Some(pascal(name))
                }
                _ => None,
            })
            .collect();
        named.insert(format!("{id}Logs"));
        let role = format!("{id}Role");
        let allowed: BTreeSet<String> = statements(template)
            .filter(|(owner, _)| *owner == role)
            .flat_map(|(_, statement)| reached(statement))
            .collect();
        let missing = named.difference(&allowed);
        faults.extend(missing.map(|what| format!("{role} lacks {what}, which {id} is told of")));
        let spare = allowed.difference(&named);
        faults.extend(spare.map(|what| format!("{role} allows {what}, which {id} is not told of")));
    }
    faults
}

/// What a statement of a function is about. To receive from one's own queues needs no variable.
fn reached(statement: &Value) -> Vec<String> {
    let action = list(&statement["Action"]).next().and_then(Value::as_str);
    let mut queues = list(&statement["Resource"]);
    let own = queues.all(|queue| target(queue).is_some_and(|id| id.ends_with("Queue")));
    match action {
        Some("ses:SendEmail") => vec!["mail".to_owned()],
        Some("secretsmanager:GetSecretValue") => vec!["secrets".to_owned()],
        Some("events:PutEvents") => vec!["bus".to_owned()],
        Some("sqs:ReceiveMessage") if own => Vec::new(),
        _ => list(&statement["Resource"])
            .map(|resource| match resource["Fn::Sub"].as_str() {
                // "${OrdersTable.Arn}/index/open" is about the table.
                Some(arn) => arn
                    .trim_start_matches("${")
                    .split('.')
                    .next()
                    .unwrap_or(arn)
                    .to_owned(),
                None => target(resource).unwrap_or("an unnamed resource").to_owned(),
            })
            .collect(),
    }
}

/// Items are reached by the beginning of their key; only an index and a walk through a table are not.
pub fn items_are_limited_by_key(template: &Template) -> Vec<String> {
    statements(template)
        .filter(|(_, statement)| {
            list(&statement["Action"])
                .filter_map(Value::as_str)
                .any(|action| action.starts_with("dynamodb:"))
        })
        .filter_map(|(id, statement)| {
            let index = statement["Resource"]["Fn::Sub"]
                .as_str()
                .is_some_and(|arn| arn.contains("/index/"));
            let walk = list(&statement["Action"]).eq([&json!("dynamodb:Scan")]);
            let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            let limited = list(keys).count() > 0 && list(keys).all(|key| key != "*");
            fault(index || walk || limited, || {
                format!("{id} reaches items of any key in {}", statement["Resource"])
            })
        })
        .collect()
}

/// A queue function may take from its own queues and from no other; what sends dead letters back, from these alone; the rest
/// may take from none.
pub fn functions_receive_from_their_own_queue(template: &Template) -> Vec<String> {
    const RECEIVE: [&str; 3] = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
    ];
    let mut faults = Vec::new();
    for (id, _) in template.work_queues() {
        let own = json!({"Fn::GetAtt": [id, "Arn"]});
        let role = format!("{}Role", taker(id));
        for action in RECEIVE.into_iter().chain(["sqs:GetQueueAttributes"]) {
            let allowed = statements(template).any(|(owner, statement)| {
                owner == role
                    && list(&statement["Resource"]).any(|queue| *queue == own)
                    && list(&statement["Action"]).any(|other| other == action)
            });
            faults.extend(fault(allowed, || format!("{role} lacks {action} on {id}")));
        }
    }
    for (role, statement) in statements(template) {
        let receives = list(&statement["Action"])
            .filter_map(Value::as_str)
            .any(|action| RECEIVE.contains(&action));
        let function = role.strip_suffix("Role").unwrap_or(role);
        let may = list(&statement["Resource"]).all(|queue| {
            target(queue).is_some_and(|id| match function {
                "RedriveMessages" => id.ends_with("DeadLetters"),
                _ => taker(id) == function,
            })
        });
        faults.extend(fault(!receives || may, || {
            format!("{role} receives from {}", statement["Resource"])
        }));
    }
    faults
}

/// Mail goes out in the shop's name only.
pub fn mail_is_limited_to_its_sender(template: &Template) -> Vec<String> {
    let condition = json!({"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}});
    statements(template)
        .filter(|(_, statement)| list(&statement["Action"]).any(|action| action == "ses:SendEmail"))
        .filter_map(|(id, statement)| {
            fault(statement["Condition"] == condition, || {
                format!("{id} sends mail in any name")
            })
        })
        .collect()
}

/// The statements of every role, with the role.
fn statements(template: &Template) -> impl Iterator<Item = (&str, &Value)> {
    template.resources(ROLE).flat_map(|(id, role)| {
        list(&role["Policies"])
            .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
            .map(move |statement| (id, statement))
    })
}

/// A list, or the one thing that stands for a list of one.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Value::Array(items) => (items.as_slice(), None),
        Value::Null => (&[][..], None),
        one => (&[][..], Some(one)),
    };
    many.iter().chain(one)
}
