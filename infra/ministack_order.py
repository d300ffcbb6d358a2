"""Deploys the template with binaries from a folder to the emulator at a URL, and takes one order from its webhook to its refund.

Everything goes the way it goes on AWS: code from S3, the stack from CloudFormation, requests through the HTTP API. Of the
emulator's own only the mailbox is asked.
"""

import base64
import hashlib
import hmac
import io
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request
import zipfile

import botocore.config
import botocore.session
import yaml

ROOT = pathlib.Path(__file__).parent.parent
EVENTS = ROOT / "events"
STACK = "waybill"
KEY = "ministack-operator-key"
SECRET = "ministack-shopify-secret"
# An article of the order that is returned, and the warehouse that is nearest to its buyer.
LEVEL = ("CUP-STONE-4", "hamburg")
# `LEDGER_PAGE` of shared/domain/src/limits.rs.
LEDGER_PAGE = 12
# The emulator is quick; what takes longer than this has gone wrong.
PATIENCE_S = 60


def main(url, binaries):
    clients = Clients(url)
    outputs = deploy(clients, pathlib.Path(binaries))
    api = Api(url, outputs["ApiUrl"])
    open_shop(clients, api, outputs)
    # The sample order that is returned sees every step.
    script = next(script for script in read("demo.json") if script["story"] == "return")
    fill_ledger(api)
    take_through(clients, api, script)
    page_has_left(api)
    run_low(clients, api)
    park_and_redrive(clients, api)
    nothing_is_left(clients)
    print(f"every function has done its part; {len(api.mailbox())} mails")


def deploy(clients, binaries):
    """Uploads the code, creates the stack and gives its outputs."""
    template = yaml.safe_load((ROOT / "infra/template.yaml").read_text())
    # CloudFormation makes numbers of the texts that numeric parameters are. The emulator does not, and its poller stops at one.
    numbers = {name: p["Default"] for name, p in template["Parameters"].items() if p["Type"] == "Number"}
    template = replace(template, lambda value: numbers.get(value.get("Ref")))
    # Of mail it knows neither the identity nor the sender that a role allows.
    anybody = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
    template = replace(template, lambda value: anybody if value.get("Action") == "ses:SendEmail" else None)
    clients.s3.create_bucket(Bucket="code")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            name = pathlib.Path(resource["Properties"]["CodeUri"]).name
            clients.s3.put_object(Bucket="code", Key=name, Body=zipped(binaries / name))
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": name}
    clients.s3.put_object(Bucket="code", Key="template", Body=json.dumps(template).encode())
    clients.cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{clients.url}/code/template",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": "Architecture", "ParameterValue": "x86_64"}],
    )

    def done():
        stack = clients.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    stack = within("the stack", done)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        events = clients.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        failed = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in events if "FAILED" in e["ResourceStatus"]]
        sys.exit(f"the stack is {stack['StackStatus']}: {'; '.join(failed)}")
    print(f"{len(template['Resources'])} resources deployed")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def open_shop(clients, api, outputs):
    """Enters the sample retailer: what has a route by its route, the rest as an operator would."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    item = {"pk": f"KEY#{digest}", "sk": "-", "entity": "key", "role": "operator"}
    item = {name: {"S": value} for name, value in item.items()} | {"schema": {"N": "1"}, "version": {"N": "1"}}
    clients.dynamodb.put_item(TableName=outputs["ReferenceTableName"], Item=item)
    clients.secretsmanager.create_secret(Name="waybill/shopify/demo", SecretString=json.dumps([SECRET]))
    clients.sesv2.create_email_identity(EmailIdentity="example.com")
    for name in ("warehouses", "products", "suppliers", "rates"):
        api.call("PUT", f"/{name}", read(f"retailer/{name}.json"))
    for n, level in enumerate(read("retailer/stock.json")):
        receipt = {"location": level["location"], "kind": "receive", "quantity": level["quantity"]}
        api.call("POST", f"/stock/{level['sku']}/adjustments", receipt, {"Idempotency-Key": f"opening-{n}"})
    last = read("retailer/stock.json")[-1]

    def booked():
        levels = api.call("GET", f"/stock/{last['sku']}")["levels"]
        return any(level["on_hand"] == last["quantity"] for level in levels)

    within("the opening stock", booked)


def fill_ledger(api):
    """Gives a level that the order takes from the movements of a page of its ledger."""
    for n in range(LEDGER_PAGE):
        receipt = {"location": LEVEL[1], "kind": "receive", "quantity": 1}
        api.call("POST", f"/stock/{LEVEL[0]}/adjustments", receipt, {"Idempotency-Key": f"box-{n}"})
    within("a full ledger", lambda: level(api)["movements"] > LEDGER_PAGE)


def page_has_left(api):
    """The order's own commit has taken the page out of the level's item, and all of it can still be read."""
    held, movements = len(level(api)["newest_movements"]), level(api)["movements"]
    if held != movements - LEDGER_PAGE:
        sys.exit(f"of {movements} movements of {LEVEL} its item holds {held}, not all but a page of {LEDGER_PAGE}")
    story = api.call("GET", f"/stock/{LEVEL[0]}/why?location={LEVEL[1]}")["levels"][0]
    numbers = [entry["number"] for entry in story["entries"]]
    if numbers != list(range(movements, 0, -1)):
        sys.exit(f"the ledger of {LEVEL} has a gap: {numbers}")
    print(f"a page of {LEDGER_PAGE} movements has left the item of {LEVEL[0]} in {LEVEL[1]} with the order")


def level(api):
    levels = api.call("GET", f"/stock/{LEVEL[0]}")["levels"]
    return next(level for level in levels if level["location"] == LEVEL[1])


def take_through(clients, api, script):
    body = (EVENTS / script["file"]).read_bytes()
    signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Hmac-Sha256": signature}
    path = f"/webhooks/shopify/{script['account']}"
    queue = clients.sqs.get_queue_url(QueueName=f"{STACK}-allocate-warehouse")["QueueUrl"]
    enable(clients, "allocate-warehouse", False)
    receipt = api.call("POST", path, body, headers)
    if api.call("POST", path, body, headers) != receipt:
        sys.exit("the same webhook got another answer the second time")
    if api.status("POST", path, body, headers | {"X-Shopify-Hmac-Sha256": "bm90IGl0"}) != 401:
        sys.exit("a wrong signature was not refused")
    # The queue loses what it held; the sweeper gives the order its hint again.
    clients.sqs.purge_queue(QueueUrl=queue)
    if invoke(clients, "sweep-orders", {"older_than_s": 0})["orders"] != 1:
        sys.exit("the sweeper did not find the order")
    enable(clients, "allocate-warehouse", True)
    order = f"/orders/{receipt['id']}"
    warehouses = {w["id"]: w["email"] for w in read("retailer/warehouses.json")}

    def told():
        fulfillments = api.call("GET", order)["fulfillments"]
        mails = [mail for mail in api.mailbox() if receipt["number"] in mail["Subject"] + mail["BodyText"]]
        asked = fulfillments and all(any(warehouses[f["location"]] in m["To"] for m in mails) for f in fulfillments)
        return fulfillments if asked else None

    fulfillments = within("the mail to the warehouse", told)
    print(f"order {receipt['number']}: from webhook to warehouse mail")

    def reached(status):
        return lambda: api.call("GET", order)["status"] == status or None

    for fulfillment in fulfillments:
        for report in ("accepted", "packed"):
            api.call("POST", f"/fulfillments/{fulfillment['id']}/{report}")
    within("the shipment", lambda: all(f["status"] == "shipped" for f in api.call("GET", order)["fulfillments"]) or None)
    for fulfillment in fulfillments:
        api.call("POST", f"/fulfillments/{fulfillment['id']}/delivered")
    within("the delivery", reached("delivered"))
    lines = [{"line": line["id"], "quantity": line["units"]["delivered"]} for line in api.call("GET", order)["lines"]]
    back = api.call("POST", f"{order}/returns", {"lines": lines}, {"Idempotency-Key": "return-1"})
    api.call("POST", f"/returns/{back['id']}/received")
    refunds = within("the refund", lambda: api.call("GET", order)["refunds"] or None)
    confirm = [f"/refunds/{refund['id']}/confirmed" for refund in refunds]
    within("the refund's confirmation", lambda: all(api.status("POST", path) == 200 for path in confirm) or None)
    within("the return", reached(script["expected"]))
    customer = json.loads(body)["email"]
    subjects = lambda: [mail["Subject"] for mail in api.mailbox() if customer in mail["To"]]
    within("three mails to the customer", lambda: len(subjects()) >= 3 or None)
    within("rest", lambda: api.call("GET", order)["waiting_for"] == [] or None)
    for path in (f"/orders?channel=shopify&number={receipt['number']}", f"{order}/events", "/warehouses", "/products", "/suppliers", "/rates"):
        api.call("GET", path)
    print(f"order {receipt['number']}: shipped, returned and refunded; the customer read {subjects()}")


def run_low(clients, api):
    """Lets goods fall to their reorder point: supplier and team hear of it, once."""
    level = read("retailer/stock.json")[0]
    product = next(product for product in read("retailer/products.json") if product["sku"] == level["sku"])
    gone = {"location": level["location"], "kind": "adjust", "quantity": product["reorder_point"] - level["quantity"], "reason": "lost"}
    api.call("POST", f"/stock/{level['sku']}/adjustments", gone, {"Idempotency-Key": "lost-1"})
    before = len(api.mailbox())
    within("the notice of low stock", lambda: invoke(clients, "check-restock", {})["told"])
    if invoke(clients, "check-restock", {})["told"] or len(api.mailbox()) != before + 2:
        sys.exit(f"{len(api.mailbox()) - before} mails were sent of one crossing, not one each to supplier and team")
    print(f"{level['sku']} ran low: supplier and team were told once")


def park_and_redrive(clients, api):
    """Parks a message that nobody can read, sends it back, finds it parked again, and throws it away."""
    url = lambda name: clients.sqs.get_queue_url(QueueName=f"{STACK}-{name}")["QueueUrl"]
    clients.sqs.send_message(QueueUrl=url("ship-order"), MessageBody="no hint")
    parked = lambda: api.call("GET", "/parked")["messages"]
    first = within("the parked message", parked)
    if len(first) != 1 or first[0]["step"] != "ship-order" or not first[0]["reason"].startswith("the message cannot be read"):
        sys.exit(f"parked is {first}")
    wish = {"ids": [first[0]["id"]]}
    outcomes = [api.call("POST", "/parked/redrive", wish)["messages"][0]["outcome"] for _ in range(2)]
    if outcomes != ["sent", "not_found"]:
        sys.exit(f"sent back twice, it was answered {outcomes}")
    second = within("the message that is parked again", parked)
    if [message["id"] for message in second] == wish["ids"]:
        sys.exit("the message was never sent back")
    clients.sqs.purge_queue(QueueUrl=url("ship-order-dead-letters"))
    print("a message was parked, sent back, and parked again")


def enable(clients, function, enabled):
    """Starts or stops the feeding of a function from its queue."""
    mappings = clients.awslambda.list_event_source_mappings(FunctionName=f"{STACK}-{function}")["EventSourceMappings"]
    clients.awslambda.update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=enabled)


def invoke(clients, function, event):
    answer = clients.awslambda.invoke(FunctionName=f"{STACK}-{function}", Payload=json.dumps(event))
    text = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        sys.exit(f"{function} failed: {text}")
    return json.loads(text)


def nothing_is_left(clients):
    """No dead letter, no refused call in any log."""
    for url in clients.sqs.list_queues()["QueueUrls"]:
        if url.endswith("-dead-letters"):
            letters = clients.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
            if letters:
                sys.exit(f"{url} holds {letters}")
    for group in clients.logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        for event in clients.logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            if "AccessDenied" in event["message"] or "not authorized" in event["message"]:
                sys.exit(f"a role is too narrow: {group['logGroupName']}: {event['message'][:400]}")


class Clients:
    """AWS clients of the emulator."""

    def __init__(self, url):
        self.url = url
        session = botocore.session.get_session()
        config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        for name in ("cloudformation", "dynamodb", "lambda", "logs", "s3", "secretsmanager", "sesv2", "sqs"):
            client = session.create_client(
                name, "us-east-1", endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test", config=config
            )
            setattr(self, "awslambda" if name == "lambda" else name, client)


class Api:
    """The HTTP API, found by its host name, and the mailbox."""

    def __init__(self, url, endpoint):
        self.url = url
        self.host = endpoint.split("://")[1]

    def request(self, method, path, body=b"", headers={}):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Host": self.host, "Authorization": f"Bearer {KEY}", "Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.url + path, body if method != "GET" else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def status(self, *arguments):
        return self.request(*arguments)[0]

    def call(self, *arguments):
        status, body = self.request(*arguments)
        if status >= 300:
            sys.exit(f"{' '.join(arguments[:2])} answered {status}: {body.decode()}")
        return json.loads(body or b"null")

    def mailbox(self):
        with urllib.request.urlopen(f"{self.url}/_ministack/ses/messages", timeout=10) as answer:
            return [mail for mails in json.load(answer)["messages"].values() for mail in mails]


def within(what, look):
    """Looks until there is something to see."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.2)
    sys.exit(f"{what} did not come within {PATIENCE_S} s")


def replace(value, by):
    """The value with every object replaced for which `by` gives another."""
    if isinstance(value, list):
        return [replace(item, by) for item in value]
    if not isinstance(value, dict):
        return value
    other = by(value)
    return {name: replace(item, by) for name, item in value.items()} if other is None else other


def zipped(binary):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.write(binary, "bootstrap")
    return archive.getvalue()


def read(name):
    return json.loads((EVENTS / name).read_text())


if __name__ == "__main__":
    main(*sys.argv[1:])
