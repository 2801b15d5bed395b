// The first order, step by step: each can be run here or pasted into a terminal.

import { copyButton, el } from "./dom.js";
import { ask, signIn } from "./session.js";
import { answerView, freshKey } from "./try-it.js";

const PATH = ["placed", "stock_reserved", "payment_authorised", "confirmed", "shipped", "delivered"];
const JSON_TYPE = "-H 'Content-Type: application/json'";
const AUTH = '-H "Authorization: Bearer $TOKEN"';

/** What the steps so far found out. */
const known = { product: null, title: "", order: null, token: null };

const STEPS = [
  {
    title: "Sign in",
    about: "An access token for fifteen minutes.",
    curl: () => `SHOP=${location.origin}\nTOKEN=$(curl -s $SHOP/api/v1/sessions ${JSON_TYPE} \\\n  -d '{"email":"customer@demo.example","password":"jangteo-demo"}' \\\n  | sed -E 's/.*"access_token":"([^"]+)".*/\\1/')`,
    run: async () => {
      const wrong = await signIn("customer@demo.example", "jangteo-demo");
      if (wrong) throw new Error(wrong);
      return "Signed in as customer@demo.example.";
    },
  },
  {
    title: "Search",
    about: "In English or Korean; an empty q browses.",
    curl: () => 'curl -s "$SHOP/api/v1/search?q=coffee&size=3"\nPRODUCT=…   # the id of one that is in stock',
    run: async () => {
      const found = await must(ask("GET", "/api/v1/search?q=coffee&size=20"));
      const all = found.json.total > 0 ? found : await must(ask("GET", "/api/v1/search?size=20"));
      const hit = all.json.hits.find((candidate) => candidate.in_stock);
      if (!hit) throw new Error("Nothing is in stock: start the shop with --demo, or list a product and receive stock as a seller.");
      known.product = hit.id;
      known.title = hit.title;
      return [`${all.json.total} products; this one is in stock: `, el("strong", {}, hit.title), ` at ${hit.price.amount.toLocaleString()} ${hit.price.currency}.`];
    },
  },
  {
    title: "Put it in the cart",
    about: "PUT says how many there should be: saying it twice changes nothing.",
    curl: () => `curl -s -X PUT $SHOP/api/v1/cart/items/${known.product ?? "$PRODUCT"} ${AUTH} \\\n  ${JSON_TYPE} -d '{"quantity":1}'`,
    run: async () => {
      const answer = await must(ask("PUT", `/api/v1/cart/items/${known.product}`, { body: JSON.stringify({ quantity: 1 }) }));
      remember(answer);
      return `${known.title}: one in the cart.`;
    },
  },
  {
    title: "Order",
    about: "The Idempotency-Key makes it one order, however often it is sent. 202: the shop takes it from here.",
    curl: () => `curl -si $SHOP/api/v1/orders ${AUTH} ${JSON_TYPE} \\\n  -H "Idempotency-Key: $(date +%s)-first" \\\n  -d '${JSON.stringify(orderBody())}'\nORDER=${known.order ?? "…   # the id it answers"}`,
    run: async () => {
      const answer = await must(ask("POST", "/api/v1/orders", { headers: { "Idempotency-Key": freshKey() }, body: JSON.stringify(orderBody()) }));
      remember(answer);
      known.order = answer.json.id;
      return ["Order ", el("code", {}, answer.json.id), ` is ${answer.json.status}.`];
    },
  },
  {
    title: "Watch it",
    about: "Placed, stock reserved, payment authorised, confirmed, shipped, delivered; the money is taken when it is shipped.",
    curl: () => `curl -s $SHOP/api/v1/orders/${known.order ?? "$ORDER"} ${AUTH}`,
    run: watchOrder,
  },
  {
    title: "See it on my page",
    about: "Newest first.",
    curl: () => `curl -s $SHOP/api/v1/my-page ${AUTH}`,
    run: async () => {
      const answer = await must(ask("GET", "/api/v1/my-page", { headers: consistent() }));
      const { customer, orders } = answer.json;
      return [`${customer.name || "The customer"} has ${orders.length} ${orders.length === 1 ? "order" : "orders"} on this page; the newest is ${orders[0]?.status ?? "missing"}.`, ...answerView(answer)];
    },
  },
];

/** Draws the steps. */
export function drawSteps(list) {
  const views = STEPS.map((step) => {
    const code = el("code", {}, step.curl());
    const run = el("button", { type: "button", class: "primary" }, "Run");
    const outcome = el("div", { class: "outcome", role: "status" });
    const item = el("li", { class: "step" },
      el("h3", {}, step.title), el("p", {}, step.about),
      el("pre", { tabindex: "0", "aria-label": `${step.title}, as a command` }, code),
      el("div", { class: "buttons" }, run, copyButton("Copy", () => step.curl())), outcome);
    return { step, code, run, outcome, item };
  });
  for (const { step, run, outcome, item } of views) {
    run.addEventListener("click", async () => {
      run.disabled = true;
      outcome.textContent = "…";
      try {
        const told = await step.run((interim) => outcome.replaceChildren(...[interim].flat()));
        outcome.replaceChildren(...[told].flat());
        item.classList.add("done");
      } catch (error) {
        outcome.replaceChildren(el("span", { class: "status bad" }, "Not yet:"), error.message);
        item.classList.remove("done");
      } finally {
        run.disabled = false;
        for (const view of views) view.code.textContent = view.step.curl();
      }
    });
  }
  list.replaceChildren(...views.map(({ item }) => item));
}

async function watchOrder(show) {
  if (!known.order) throw new Error("Order first: that is step 4.");
  const until = Date.now() + 90_000;
  while (Date.now() < until) {
    const { json } = await must(ask("GET", `/api/v1/orders/${known.order}`, { headers: consistent() }));
    const view = [`The order is ${json.status}${json.reason ? ` (${json.reason})` : ""}.`, track(json)];
    if (["delivered", "rejected", "cancelled"].includes(json.status)) return view;
    show(view);
    await new Promise((resolve) => { setTimeout(resolve, 400); });
  }
  return "Still on its way; look again later.";
}

function track({ status, history }) {
  const reached = history.map((change) => change.status);
  const ended = ["rejected", "cancelled"].includes(status);
  const names = ended ? [...reached] : PATH;
  return el("ul", { class: "track", "aria-label": "Status" }, names.map((name) => el("li", {
    class: ["rejected", "cancelled"].includes(name) ? "refused" : reached.includes(name) ? "reached" : "",
  }, name.replaceAll("_", " "))));
}

function orderBody() {
  return {
    shipping_address: { recipient: "Kim Minji", phone: "010-1234-5678", postal_code: "04524", line1: "110 Sejong-daero", city: "Seoul", country: "KR" },
    payment: { method: "card", token: "card_approve" },
  };
}

/** The answer, or its problem as an error. */
async function must(answering) {
  const answer = await answering;
  if (answer.ok) return answer;
  throw new Error(answer.json?.detail ?? `the shop answered ${answer.status}`);
}

function remember({ headers }) {
  known.token = headers.find(([name]) => name === "consistency-token")?.[1] ?? known.token;
}

/** So that a query sees what the step before did. */
function consistent() {
  return known.token ? { "Consistency-Token": known.token } : {};
}
