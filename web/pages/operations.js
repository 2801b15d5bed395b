// Operations: what needs an operator. Repair cases, sagas that cannot go on, circuits that are open, dead letters.

import { el } from "./dom.js";
import { act, chip, command, facts, line, money, now, query, when, words } from "./parts.js";

export const title = "Operations";

export const moves = () => true;

/** What cannot be read here, because this process does not have it, is left out. */
export async function load() {
  const [cases, stuck, unknown, circuits, letters] = await Promise.all([
    query("ops/repair-cases?state=open"), query("ops/sagas?state=stuck"), query("ops/sagas?state=outcome_unknown"),
    query("ops/circuits").catch(() => null), query("ops/dead-letters?state=open"),
  ]);
  return {
    cases: cases.repair_cases, sagas: [...stuck.sagas, ...unknown.sagas],
    circuits: circuits && (circuits.circuits ?? circuits.outlets ?? circuits), letters: letters.dead_letters,
  };
}

export function draw({ cases, sagas, circuits, letters }) {
  return [
    section("Repair cases", cases, "The books agree.", caseView),
    section("Sagas that cannot go on", sagas, "None is stuck.", sagaView),
    section("Dead letters", letters, "Every subscriber took everything in.", letterView),
    Array.isArray(circuits) && section("Circuits", circuits, "Nothing was called yet.", circuitView),
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

function letterView({ id, subscriber, event_type, position, attempts, error, dead_since }) {
  return el("article", { class: "card", "data-letter": id },
    el("header", {}, el("h3", {}, `${event_type} for ${subscriber}`), chip("open")),
    el("p", {}, error),
    facts([["Tried", `${attempts} times`], ["Position", position], ["Since", when(dead_since)]]),
    now("Try again", async () => {
      await command(`ops/dead-letters/${id}/retry`);
      return "It was taken in.";
    }),
    act("It need not be taken in", [line("reason", "Why", { required: true })], "Discard it", async ({ reason }) => {
      await command(`ops/dead-letters/${id}/discard`, { reason: reason.value });
      return "It is discarded.";
    }));
}

function circuitView({ outlet, name, circuit, state, ...more }) {
  return el("article", { class: "card" },
    el("header", {}, el("h3", {}, outlet ?? name), chip(circuit ?? state)),
    facts(Object.entries(more).filter(([, value]) => typeof value !== "object").map(([key, value]) => [words(key), String(value)])));
}
