// Operations: what needs an operator. Repair cases, sagas that cannot go on, circuits that are open, dead letters.

import { el } from "./dom.js";
import { act, chip, command, facts, line, money, now, query, when, words } from "./parts.js";

export const title = "Operations";

export const moves = () => true;

/** What this process has not, because another role does it, is left out. */
export async function load() {
  const [cases, stuck, unknown, circuits, subscribers] = await Promise.all([
    query("ops/repair-cases?state=open"), query("ops/sagas?state=stuck"), query("ops/sagas?state=outcome_unknown"),
    query("ops/circuits").catch(() => null), query("ops/subscribers").catch(() => null),
  ]);
  return {
    cases: cases.repair_cases, sagas: [...stuck.sagas, ...unknown.sagas],
    circuits: circuits?.circuits, letters: subscribers?.dead_letters, heldUp: subscribers?.subscribers.filter(({ held_up_by }) => held_up_by),
  };
}

export function draw({ cases, sagas, circuits, letters, heldUp = [] }) {
  return [
    section("Repair cases", cases, "The books agree.", caseView),
    section("Sagas that cannot go on", sagas, "None is stuck.", sagaView),
    letters && section("Dead letters", letters, "Everything was delivered.", letterView),
    heldUp.map(({ name, held_up_by }) => el("p", { class: "notice" }, `${name} is held up: ${held_up_by}`)),
    circuits && section("Circuits", circuits, "This process calls nobody.", circuitView),
  ];
}

function section(name, entries, none, view) {
  return [el("h2", {}, `${name}${entries.length > 0 ? ` (${entries.length})` : ""}`),
    entries.length === 0 ? el("p", { class: "faint" }, none) : el("div", { class: "list" }, entries.map(view))];
}

function caseView({ id, discrepancy, order_id, key, ours, theirs, detail, opened_at }) {
  return el("article", { class: "card", "data-case": id },
    el("header", {}, el("h3", {}, words(discrepancy)), chip("open")),
    el("p", {}, detail),
    facts([["Log", money(ours)], ["Provider", money(theirs)], ["Order", order_id], ["Operation", key], ["Since", when(opened_at)]]),
    act("It is dealt with", [line("note", "What was done", { required: true })], "Close the case", async ({ note }) => {
      await command(`ops/repair-cases/${id}/resolution`, { note: note.value });
      return "The case is closed.";
    }));
}

function sagaView({ id, saga, status, step, reason, updated_at, wake_at }) {
  return el("article", { class: "card", "data-saga": id },
    el("header", {}, el("h3", {}, words(saga)), chip(status)),
    reason && el("p", {}, reason),
    facts([["About", id], ["Waits for", words(step)], ["Since", when(updated_at)], ["Asks again", when(wake_at)]]),
    now("Try again now", async () => {
      await command(`ops/sagas/${id}/retry`);
      return "It tries again.";
    }));
}

function letterView({ id, kind, to, what, attempts, error, since }) {
  return el("article", { class: "card", "data-letter": id },
    el("header", {}, el("h3", {}, `${words(what)} for ${to}`), chip("open")),
    el("p", {}, error),
    facts([["Kind", kind], ["Tried", `${attempts} times`], ["Since", when(since)]]),
    now("Try again", async () => {
      await command(`ops/dead-letters/${id}/retries`);
      return kind === "event" ? "It was taken in." : "Its service will come to it.";
    }),
    act("It need not be taken in", [line("reason", "Why", { required: true })], "Discard it", async ({ reason }) => {
      await command(`ops/dead-letters/${id}/discards`, { reason: reason.value });
      return "It is discarded.";
    }));
}

function circuitView({ outlet, state, ...figures }) {
  return el("article", { class: "card" },
    el("header", {}, el("h3", {}, words(outlet)), chip(state)),
    facts(Object.entries(figures).map(([name, value]) => [words(name), String(value)])));
}
