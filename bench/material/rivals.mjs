// Verifies and parses with each rival as its documentation says; keys and objects are prepared once.
import { WebhookVerificationService } from "@hookflo/tern";
import { verify as octokitVerify } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { SECRET } from "./signatures.mjs";

const stripe = new Stripe("sk_test_none");
const standard = new Webhook(SECRET);
const svix = new SvixWebhook(SECRET);

/** Each rival, with the signature form that it reads. */
export const RIVALS = [
  { name: "octokit webhooks-methods", signed: "github", verify: octokit },
  { name: "stripe constructEvent", signed: "stripe", verify: constructEvent },
  {
    name: "standardwebhooks",
    signed: "standard",
    verify: (body, headers) => standard.verify(body.toString(), headers),
  },
  { name: "svix", signed: "svix", verify: (body, headers) => svix.verify(body.toString(), headers) },
  { name: "tern", signed: "github", verify: tern },
];

async function octokit(body, headers) {
  const text = body.toString();
  if (!(await octokitVerify(SECRET, text, headers["x-hub-signature-256"])))
    throw new Error("the signature does not match");
  return JSON.parse(text);
}

function constructEvent(body, headers) {
  return stripe.webhooks.constructEvent(body, headers["stripe-signature"], SECRET);
}

/** Takes a fetch Request. */
async function tern(body, headers) {
  const request = new Request("http://localhost/webhooks", { method: "POST", headers, body });
  const result = await WebhookVerificationService.verifyWithPlatformConfig(request, "github", SECRET);
  if (!result.isValid) throw new Error(result.error);
  return result.payload;
}
