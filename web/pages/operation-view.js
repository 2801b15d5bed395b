// One operation: what it takes, what it answers, and a form to try it.

import { el, inline, prose } from "./dom.js";
import { fieldView, schemaView } from "./schema-view.js";
import { tryForm } from "./try-it.js";

/** The operation as a card that opens. What is inside is drawn when it is first opened. */
export function operationView(description, operation) {
  const card = el("details", { class: "operation", id: operation.id },
    el("summary", {},
      el("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()),
      el("span", { class: "path" }, pathView(operation.path)),
      el("span", { class: "brief" }, inline(operation.summary.replace(/\.$/, ""))),
      operation.secured && el("span", { class: "lock" }, "bearer")));
  card.addEventListener("toggle", () => {
    if (card.open && card.children.length === 1) card.append(inside(description, operation));
  });
  return card;
}

function pathView(path) {
  return path.split(/(\{[^}]+\})/).filter(Boolean).map((piece) =>
    piece.startsWith("{") ? el("span", { class: "parameter" }, piece) : piece);
}

function inside(description, operation) {
  const { parameters, body, responses } = operation;
  return el("div", { class: "inside" },
    prose(operation.description),
    el("p", { class: "permalink" }, el("a", { href: `#${operation.id}` }, "Link to this operation")),
    parameters.length > 0 && [
      el("h4", {}, "Parameters"),
      el("ul", { class: "fields" }, parameters.map((parameter) => parameterView(description, parameter))),
    ],
    body && [
      el("h4", {}, "Body ", el("span", { class: "field-type" }, body.type)),
      schemaView(description, body.schema),
    ],
    el("h4", {}, "Answers"),
    el("ul", { class: "fields answers" }, responses.map((response) => responseView(description, response))),
    tryForm(description, operation));
}

function parameterView(description, parameter) {
  const schema = { ...parameter.schema, description: parameter.description ?? parameter.schema?.description };
  const view = fieldView(description, parameter.name, schema, parameter.required);
  view.children[0].after(el("span", { class: "field-type" }, `in ${parameter.in}`));
  return view;
}

function responseView(description, { status, about, headers, content }) {
  const tone = status.startsWith("2") ? "good" : status.startsWith("4") || status.startsWith("5") ? "bad" : "plain";
  const line = [el("span", { class: `status ${tone}` }, status), inline(about)];
  const names = Object.keys(headers);
  if (!content?.schema && names.length === 0) return el("li", {}, line);
  return el("li", {}, el("details", {},
    el("summary", {}, line, content && el("span", { class: "field-type" }, content.type)),
    names.length > 0 && el("ul", { class: "fields" }, names.map((name) =>
      fieldView(description, name, { ...headers[name].schema, description: headers[name].description }))),
    content?.schema && schemaView(description, content.schema)));
}
