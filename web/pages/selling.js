// Selling: the seller's orders, what cannot be sent, and what comes back.

import { el } from "./dom.js";
import { act, chip, command, goods, line, money, now, query, when } from "./parts.js";

export const title = "Selling";

let returning = false;

export const moves = ({ orders }) => orders.some(({ status }) => !["delivered", "rejected", "cancelled"].includes(status));

export const load = () => query(returning ? "seller/orders?returns=open" : "seller/orders");

export function draw({ orders }, reload) {
  return [
    el("div", { class: "filters", role: "group", "aria-label": "Which orders" },
      filter("All orders", false, reload), filter("Returns to deal with", true, reload)),
    orders.length === 0 && el("p", { class: "notice" }, returning ? "Nothing comes back." : "No orders yet."),
    orders.map(orderView),
  ];
}

function filter(label, value, reload) {
  return el("button", { type: "button", "aria-pressed": String(returning === value), onclick: () => { returning = value; reload(); } }, label);
}

function orderView({ id, status, placed_at, total, destination, cancellation, items, parcels = [], returns = [] }) {
  return el("article", { class: "card", "data-order": id },
    el("header", {}, el("h2", {}, `${when(placed_at)} to ${destination}`), chip(status), el("span", { class: "sum" }, money(total))),
    cancellation?.state === "requested" && el("p", { class: "notice" }, "The customer wants to cancel: what is not fetched yet will not be."),
    parcels.length > 0 ? parcels.map((parcel) => parcelView(id, parcel)) : goods(items),
    returns.map((back) => returnView(id, back)));
}

function parcelView(order, { id, status, reason, items, carrier, tracking_number }) {
  return el("section", { class: "parcel" },
    el("p", {}, el("strong", {}, "Parcel"), " ", chip(status, status === "cancelled" ? "not sent" : undefined)),
    goods(items),
    carrier && el("p", { class: "faint" }, `${carrier} ${tracking_number ?? ""}`),
    reason && el("p", { class: "faint" }, reason.message),
    status === "booked" && act("It cannot be sent", [line("reason", "Why, for the customer", { required: true })], "Call the parcel off",
      async ({ reason: why }) => {
        await command(`seller/orders/${order}/parcels/${id}/cancellation`, { reason: why.value });
        return "The carrier is called off; the customer does not pay for it.";
      }));
}

function returnView(order, back) {
  const { id, stage, items, reason, refund, note } = back;
  return el("section", { class: "parcel" },
    el("p", {}, el("strong", {}, "Return"), " ", chip(stage)),
    goods(items),
    el("p", { class: "faint" }, reason.message),
    refund && el("p", {}, `${money(refund)} for the customer`),
    note && el("p", { class: "faint" }, note),
    stage === "requested" && now("It has arrived", async () => {
      await command(`orders/${order}/returns/${id}/receipt`);
      return "Received. Now look at it.";
    }),
    stage === "received" && inspection(order, back));
}

function inspection(order, { id, items }) {
  const head = el("div", { class: "counts" }, el("span", {}), el("strong", {}, "Paid back"), el("strong", {}, "Sold again"));
  const rows = items.map(({ product_id, title, quantity }) => el("div", { class: "counts" }, el("span", {}, title),
    count(`accepted-${product_id}`, `${title}: pieces paid back`, quantity), count(`resellable-${product_id}`, `${title}: pieces that can be sold again`, quantity)));
  return act("Say what you found", [head, rows, line("note", "A note for the customer")], "Settle the return", async (fields) => {
    const pieces = (kind) => items.map(({ product_id }) => ({ product_id, quantity: Number(fields[`${kind}-${product_id}`].value) }))
      .filter(({ quantity }) => quantity > 0);
    await command(`orders/${order}/returns/${id}/inspection`, { accepted: pieces("accepted"), resellable: pieces("resellable"), note: fields.note.value });
    return "Settled: what is paid back is on its way.";
  });
}

function count(name, label, most) {
  return el("input", { name, "aria-label": label, type: "number", min: 0, max: most, value: most, inputmode: "numeric" });
}
