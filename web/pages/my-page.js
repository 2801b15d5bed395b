// My page: the customer's orders with their parcels, money and returns, and what can be done with them.

import { el } from "./dom.js";
import { act, chip, command, day, goods, line, money, query, when, words } from "./parts.js";

const PATH = ["placed", "stock_reserved", "payment_authorised", "confirmed", "shipped", "delivered"];

export const title = "My page";

/** Whether anything on the page is still on its way. */
export function moves({ orders }) {
  return orders.some(({ status, returns = [] }) => !["delivered", "rejected", "cancelled"].includes(status) || returns.some(underWay));
}

/** The page, and the customer's credit; who may not buy by invoice has none. */
export async function load() {
  const [page, credit] = await Promise.all([query("my-page"), query("me/credit").catch(() => null)]);
  return { ...page, credit };
}

export function draw({ customer, orders, credit }) {
  const points = customer.points > 0 ? `${customer.points.toLocaleString()} points` : "";
  const left = credit ? `${money(credit.available)} of ${money(credit.limit)} credit left` : "";
  return [
    el("p", { class: "faint" }, [customer.name, points, left].filter(Boolean).join(" · ")),
    orders.length === 0 && el("p", { class: "notice" }, "No orders yet."),
    orders.map(orderView),
  ];
}

function orderView(order) {
  const { id, status, placed_at, total, reason, cancellation, parcels = [], returns = [] } = order;
  return el("article", { class: "card", "aria-labelledby": `order-${id}`, "data-order": id },
    el("header", {}, el("h2", { id: `order-${id}` }, when(placed_at)), chip(status), el("span", { class: "sum" }, money(total))),
    track(order),
    reason && el("p", { class: "notice" }, reason.message),
    cancellation && el("p", { class: "notice" }, cancellation.state === "requested"
      ? "Being cancelled: the carriers are being called off."
      : `It could not be cancelled any more. ${cancellation.reason.message}`),
    parcels.length > 0 ? el("div", { class: "parcels" }, parcels.map(parcelView)) : goods(order.items),
    paymentView(order.payment),
    returns.length > 0 && [el("h3", {}, "Returns"), el("div", { class: "parcels" }, returns.map(returnView))],
    cancelForm(order),
    returnForms(order));
}

function track({ status, history }) {
  const reached = history.map((change) => change.status);
  const ended = ["rejected", "cancelled"].includes(status);
  const shown = ended ? reached : PATH;
  return el("ul", { class: "track", "aria-label": "How far it has come" }, shown.map((name) => el("li", {
    class: ["rejected", "cancelled"].includes(name) ? "refused" : reached.includes(name) ? "reached" : "",
  }, words(name))));
}

function parcelView({ status, reason, items, amount, carrier, tracking_number, estimated_delivery, delivered_at }, at) {
  const arrival = delivered_at ? `Delivered ${when(delivered_at)}`
    : status !== "cancelled" && estimated_delivery ? `Expected ${day(estimated_delivery)}` : "";
  return el("section", { class: "parcel", "aria-label": `Parcel ${at + 1}` },
    el("p", {}, el("strong", {}, `Parcel ${at + 1}`), " ", chip(status, status === "cancelled" ? "not sent" : undefined)),
    goods(items),
    reason && el("p", { class: "faint" }, reason.message),
    arrival && el("p", {}, arrival),
    carrier && status !== "cancelled" && el("p", { class: "faint" }, `${carrier} ${tracking_number ?? ""}`),
    el("p", { class: "faint" }, status === "cancelled" ? `${money(amount)} is not charged` : money(amount)));
}

function paymentView({ status, method, authorised, captured, voided, refunded, unknown = [] }) {
  const taken = method === "invoice" ? "owed" : "taken";
  const parts = [authorised && !voided && `${money(authorised)} set aside`, captured && `${money(captured)} ${taken}`,
    voided?.amount > 0 && `${money(voided)} set aside and released`, refunded && `${money(refunded)} given back`].filter(Boolean);
  return [
    el("p", { class: "faint" }, method === "invoice" ? "Invoice: " : "Card: ", parts.length > 0 ? parts.join(", ") : words(status)),
    unknown.length > 0 && el("p", { class: "notice" },
      "The payment provider has not told yet what became of the payment. It is being asked; nothing is charged twice."),
  ];
}

function returnView({ stage, items, refund, note, refusal, reason }) {
  return el("section", { class: "parcel" },
    el("p", {}, el("strong", {}, "Return"), " ", chip(stage)),
    goods(items),
    el("p", { class: "faint" }, reason.message),
    refund && el("p", {}, stage === "completed" ? `${money(refund)} was given back` : `${money(refund)} will be given back`),
    note && el("p", { class: "faint" }, note),
    refusal && el("p", { class: "faint" }, refusal.message));
}

function cancelForm({ id, status, cancellation }) {
  if (cancellation || !["placed", "stock_reserved", "payment_authorised", "confirmed"].includes(status)) return null;
  return act("Cancel this order", [line("reason", "Why, if you like to say")], "Cancel the order", async ({ reason }) => {
    await command(`orders/${id}/cancellation`, reason.value ? { reason: reason.value } : {});
    return "The order is being cancelled.";
  });
}

function underWay({ stage }) {
  return !["completed", "refused"].includes(stage);
}

/** One form for each seller: a return goes to one of them. */
function returnForms(order) {
  if (order.status !== "delivered") return null;
  const open = order.items.map((item) => ({ ...item, left: item.quantity - gone(order, item.product_id) })).filter(({ left }) => left > 0);
  const sellers = [...new Set(open.map(({ seller_id }) => seller_id))];
  return sellers.map((seller) => {
    const items = open.filter(({ seller_id }) => seller_id === seller);
    const name = sellers.length > 1 ? `Send back: ${items.map((item) => item.title).join(", ")}` : "Send something back";
    return act(name, [items.map(countOf), line("reason", "Why", { required: true })], "Ask for the return", async (fields) => {
      const wished = items.map(({ product_id }) => ({ product_id, quantity: Number(fields[product_id].value) }));
      await command(`orders/${order.id}/returns`, { items: wished.filter(({ quantity }) => quantity > 0), reason: fields.reason.value });
      return "The return is asked for. Send the goods back; the money follows when the seller has looked at them.";
    });
  });
}

/** Pieces that were not sent, are back, or are on their way back. */
function gone({ parcels = [], returns = [] }, product) {
  const lost = [...parcels.filter(({ status }) => status === "cancelled"), ...returns.filter(({ stage }) => stage !== "refused")];
  return lost.flatMap(({ items }) => items).filter(({ product_id }) => product_id === product).reduce((sum, { quantity }) => sum + quantity, 0);
}

function countOf({ product_id, title, left }) {
  return el("label", { class: "count" }, title, el("input", { name: product_id, type: "number", min: 0, max: left, value: left, inputmode: "numeric" }));
}
