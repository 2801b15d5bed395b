// A form for each operation that sends the request and shows the answer.

import { copyButton, el } from "./dom.js";
import { ask, token } from "./session.js";

/** The form of an operation, with its answer beneath. */
export function tryForm(description, operation) {
  const inputs = operation.parameters.map((parameter) => parameterInput(description, operation, parameter));
  const key = operation.method === "post" && !operation.parameters.some((parameter) => parameter.name.toLowerCase() === "idempotency-key")
    ? idempotencyInput(operation) : null;
  const body = operation.body && bodyInput(description, operation);
  const send = el("button", { type: "submit", class: "primary" }, "Send");
  const answer = el("div", { class: "answer", role: "status" });
  const form = el("form", { class: "try", "aria-label": `Try ${operation.method.toUpperCase()} ${operation.path}` },
    el("h4", {}, "Try it"),
    el("div", { class: "inputs" }, inputs.map(({ field }) => field), key?.field, body?.field),
    el("div", { class: "buttons" }, send, copyButton("Copy as curl", () => asCurl(operation.method, request(), token(), operation.secured))),
    answer);

  function request() {
    const filled = inputs.filter(({ input }) => input.value !== "");
    const values = (place) => filled.filter(({ parameter }) => parameter.in === place).map(({ parameter, input }) => [parameter.name, input.value]);
    let path = operation.path;
    for (const [name, value] of values("path")) path = path.replace(`{${name}}`, encodeURIComponent(value));
    const query = new URLSearchParams(values("query")).toString();
    const headers = Object.fromEntries(values("header"));
    if (key?.input.value) headers["Idempotency-Key"] = key.input.value;
    if (body) headers["Content-Type"] = body.type;
    return { path: query ? `${path}?${query}` : path, headers, body: body?.value() };
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      const { path, headers, body: sent } = request();
      answer.replaceChildren(...answerView(await ask(operation.method, path, { headers, body: sent })));
    } catch (error) {
      answer.replaceChildren(el("p", { class: "line" }, `The shop cannot be reached: ${error.message}`));
    } finally {
      send.disabled = false;
    }
  });
  return form;
}

function parameterInput(description, operation, parameter) {
  const schema = description.schema(parameter.schema);
  const id = `${operation.id}-${parameter.name}`;
  const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
  const required = parameter.required === true;
  const input = choices
    ? el("select", { id, required }, el("option", { value: "" }, required ? "choose" : "—"), choices.map((choice) => el("option", {}, String(choice))))
    : el("input", { id, required, autocomplete: "off", spellcheck: "false", inputmode: schema.type === "integer" ? "numeric" : false,
      placeholder: parameter.example ?? schema.example ?? description.typeOf(schema) });
  if (parameter.name.toLowerCase() === "idempotency-key") input.value = freshKey();
  return { parameter, input, field: el("label", { for: id }, parameter.name, required ? " *" : "", input) };
}

function idempotencyInput(operation) {
  const id = `${operation.id}-idempotency-key`;
  const input = el("input", { id, autocomplete: "off", spellcheck: "false", value: freshKey() });
  return { input, field: el("label", { for: id }, "Idempotency-Key", input) };
}

function bodyInput(description, operation) {
  const id = `${operation.id}-body`;
  const { type, schema, example } = operation.body;
  if (!/json/.test(type)) {
    const input = el("input", { id, type: "file" });
    return { field: el("label", { for: id, class: "whole" }, "Body", input), value: () => input.files[0],
      get type() { return input.files[0]?.type || type; } };
  }
  const text = JSON.stringify(example ?? description.example(schema), null, 2);
  const input = el("textarea", { id, spellcheck: "false", rows: Math.min(18, text.split("\n").length + 1) });
  input.value = text;
  return { type, field: el("label", { for: id, class: "whole" }, "Body", input), value: () => input.value };
}

/** What the shop answered: status, time, headers, body. */
export function answerView({ status, ok, ms, headers, text, json }) {
  const body = json === undefined ? text : JSON.stringify(json, null, 2);
  return [
    el("p", { class: "line" }, el("span", { class: `status ${ok ? "good" : "bad"}` }, String(status)), `in ${ms} ms`),
    el("details", {}, el("summary", {}, `${headers.length} headers`),
      el("pre", { tabindex: "0" }, el("code", {}, headers.map(([name, value]) => `${name}: ${value}`).join("\n")))),
    body && el("pre", { tabindex: "0", "aria-label": "Answer" }, el("code", {}, body.length > 60000 ? `${body.slice(0, 60000)}\n…` : body)),
  ].filter(Boolean);
}

/** The request as a command for a terminal. */
export function asCurl(method, { path, headers, body }, bearer, secured) {
  const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
  const lines = [`curl -X ${method.toUpperCase()} ${quoted(location.origin + path)}`];
  if (secured && bearer) lines.push(`-H ${quoted(`Authorization: Bearer ${bearer}`)}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body instanceof Blob) lines.push(`--data-binary ${quoted(`@${body.name}`)}`);
  else if (body) lines.push(`-d ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

/** A key nobody used before. `crypto.randomUUID` is only there on https and localhost. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
