// Webhooks as others sign them, and as others judge them: a list of deliveries, as JSON, on standard output.

import { createSign, generateKeyPairSync, randomUUID, sign as signBytes } from "node:crypto";

import "@shopify/shopify-api/adapters/node";
import { createSHA256HMAC } from "@shopify/shopify-api/runtime";
import tern from "@hookflo/tern";
import { sign as signHub } from "@octokit/webhooks-methods";
import { SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";

const bodies = [
  "{}",
  '{"id":1,"name":"Ægir O’Conner 🍵"}',
  '{\r\n  "id" : 820982911946154508 , "price": 1e309 }\n',
  '{"text":"\\u0000\\ud83d"}',
  "not json at all & no=form",
  JSON.stringify({ lines: Array.from({ length: 2000 }, (_, n) => ({ n, sku: `SKU-${n}` })) }),
];
const deliveries = [];

// One delivery as it was signed, one that was changed on its way, and one of somebody with another secret.
async function deliver(channel, secret, other, sign) {
  for (const body of bodies) {
    const headers = await sign(body, secret);
    const theirs = await sign(body, other);
    for (const [sent, given, genuine] of [
      [body, headers, true],
      [`${body} `, headers, false],
      [body, theirs, false],
    ]) {
      deliveries.push({ channel, secret: shown(secret), headers: given, body: sent, genuine });
    }
  }
}

// What our account would hold: the text itself, or the public half of a key.
function shown(secret) {
  return typeof secret === "string" ? secret : secret.held;
}

const [ours, another] = ["hush & <whisper> é", "somebody else's"];
await deliver("shopify", ours, another, async (body, secret) => ({
  "x-shopify-hmac-sha256": await createSHA256HMAC(secret, body),
}));
await deliver("woocommerce", ours, another, async (body, secret) => ({
  "x-wc-webhook-signature": await createSHA256HMAC(secret, body),
}));
await deliver("meta", ours, another, async (body, secret) => ({
  "x-hub-signature-256": await signHub(secret, body),
}));

const stripe = new Stripe("sk_test_unused");
await deliver("stripe", "whsec_ours", "whsec_another", async (payload, secret) => ({
  "stripe-signature": stripe.webhooks.generateTestHeaderString({ payload, secret }),
}));

const whsec = () => `whsec_${Buffer.from(randomUUID()).toString("base64")}`;
for (const channel of ["generic", "etsy"]) {
  await deliver(channel, whsec(), whsec(), async (body, secret) => {
    const [id, now] = [`msg_${randomUUID()}`, new Date()];
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now / 1000)),
      "webhook-signature": new Webhook(secret).sign(id, now, body),
    };
  });
}

const pem = { publicKeyEncoding: { type: "spki", format: "pem" } };
function key(kind, options, held) {
  const { privateKey, publicKey } = generateKeyPairSync(kind, { ...options, ...pem });
  return { privateKey, held: held(publicKey) };
}
const rsa = () => key("rsa", { modulusLength: 2048 }, (text) => text);
await deliver("adobe-commerce", rsa(), rsa(), async (body, { privateKey }) => {
  const encoded = Buffer.from(body).toString("base64");
  const signature = createSign("RSA-SHA256").update(encoded).sign(privateKey, "base64");
  return { "x-adobe-commerce-webhook-signature": signature };
});
const curve = () => key("ec", { namedCurve: "P-256" }, (text) => JSON.stringify({ "key-1": text }));
await deliver("ebay", curve(), curve(), async (body, { privateKey }) => {
  const signature = signBytes("sha1", Buffer.from(body), privateKey).toString("base64");
  const header = { alg: "ecdsa", kid: "key-1", signature, digest: "SHA1" };
  return { "x-ebay-signature": Buffer.from(JSON.stringify(header)).toString("base64") };
});

// The whole body is the token: there is nothing beside it to change, so it is changed itself.
const [wix, forger] = [rsa(), rsa()];
const token = (by) =>
  new SignJWT({ data: JSON.stringify({ data: JSON.stringify({ entityId: "1" }) }) })
    .setProtectedHeader({ alg: "RS256" })
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(by.privateKey);
const genuine = await token(wix);
const [head, , signature] = genuine.split(".");
const claims = Buffer.from('{"data":"{}","exp":99999999999}').toString("base64url");
const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
for (const [body, real] of [
  [genuine, true],
  [await token(forger), false],
  [`${head}.${claims}.${signature}`, false],
  [`${unsigned}.${claims}.`, false],
]) {
  deliveries.push({ channel: "wix", secret: wix.held, headers: {}, body, genuine: real });
}

// A second opinion where there is one.
for (const delivery of deliveries.filter(({ channel }) => ["shopify", "woocommerce"].includes(channel))) {
  const request = new Request("https://oms.example/", {
    method: "POST",
    headers: delivery.headers,
    body: delivery.body,
  });
  const { isValid } = await tern.WebhookVerificationService.verifyWithPlatformConfig(
    request,
    delivery.channel,
    delivery.secret,
  );
  if (isValid !== delivery.genuine) {
    throw new Error(`two of the peers do not agree on ${JSON.stringify(delivery)}`);
  }
}

process.stdout.write(JSON.stringify(deliveries));
