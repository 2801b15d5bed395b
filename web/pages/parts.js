// What the pages of customers, sellers and operators are made of.

import { el } from "./dom.js";
import { ask } from "./session.js";
import { freshKey } from "./try-it.js";

let seen = null;

/** Money as people write it. Amounts are in the currency's smallest unit. */
export function money(value) {
  if (!value) return "";
  const format = new Intl.NumberFormat("ko-KR", { style: "currency", currency: value.currency });
  return format.format(value.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** A moment, to the minute. */
export function when(text) {
  return text ? new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "";
}

/** A day. */
export function day(text) {
  return text ? new Date(text).toLocaleDateString([], { dateStyle: "medium" }) : "";
}

const GOOD = ["delivered", "completed", "captured", "closed", "resolved", "retried"];
const BAD = ["rejected", "cancelled", "refused", "declined", "stuck", "open", "unknown", "outcome_unknown", "compensated"];

/** A status as a small label. */
export function chip(status, label = words(status)) {
  const kind = GOOD.includes(status) ? "good" : BAD.includes(status) ? "bad" : "busy";
  return el("span", { class: `chip ${kind}` }, label);
}

/** `picked_up` as "picked up". */
export function words(name) {
  return name.replaceAll("_", " ");
}

/** Lines of goods: pieces, title, price. */
export function goods(items) {
  return el("ul", { class: "goods" }, items.map((item) => el("li", {},
    el("span", {}, `${item.quantity} × ${item.title || item.product_id}`),
    el("span", { class: "price" }, money(item.line_total)))));
}

/** Names and values; what is empty is left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return el("dl", { class: "facts" }, known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** A query that sees what was done on this page. Fails with what the shop says. */
export async function query(path) {
  const headers = seen ? { "Consistency-Token": seen } : {};
  const answer = await ask("GET", `/api/v1/${path}`, { headers });
  if (!answer.ok) throw new Refused(answer);
  return answer.json;
}

/** Tells the shop to do something. Fails with what the shop says. */
export async function command(path, body = {}) {
  const answer = await ask("POST", `/api/v1/${path}`, {
    headers: { "Idempotency-Key": freshKey() }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Refused(answer);
  seen = answer.headers.find(([name]) => name === "consistency-token")?.[1] ?? seen;
  return answer.json;
}

/** The shop said no. */
export class Refused extends Error {
  constructor({ status, json }) {
    const errors = (json?.errors ?? []).map(({ field, detail, message }) => `${field}: ${detail ?? message}`);
    super([json?.detail ?? `The shop answered ${status}.`, ...errors].join(" "));
    this.status = status;
  }
}

/** Something to do: a form that opens under its name. `send` gets the form's fields. */
export function act(title, fields, button, send) {
  const submit = el("button", { type: "submit", class: "primary" }, button);
  const form = el("form", {}, fields, el("div", { class: "buttons" }, submit));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await done(() => send(form.elements));
    } finally {
      submit.disabled = false;
    }
  });
  return el("details", { class: "act" }, el("summary", {}, title), form);
}

/** Something to do at once. */
export function now(title, send) {
  const button = el("button", { type: "button" }, title);
  button.addEventListener("click", async () => {
    button.disabled = true;
    await done(send);
    button.disabled = false;
  });
  return button;
}

/** A line of text to fill in. */
export function line(name, label, { required = false, placeholder = "" } = {}) {
  return el("label", {}, label, el("input", { name, required, placeholder, maxlength: 300, autocomplete: "off" }));
}

const listeners = [];

/** Calls `listener` with what came of each thing done: what to say, and whether it went well. */
export function whenDone(listener) {
  listeners.push(listener);
}

async function done(send) {
  let told = ["", true];
  try {
    told = [await send(), true];
  } catch (error) {
    told = [error.message, false];
  }
  for (const listener of listeners) await listener(...told);
}
