// A schema as nested lists of fields.

import { el, inline } from "./dom.js";

/** The fields of an object, or what there is to say about anything else. */
export function schemaView(description, schema, seen = []) {
  const whole = description.schema(schema);
  if (seen.includes(whole.refersTo)) return el("p", { class: "field-about" }, "… and so on.");
  const path = whole.refersTo ? [...seen, whole.refersTo] : seen;
  if (whole.type === "array") return schemaView(description, whole.items, path);
  const choices = whole.oneOf ?? whole.anyOf;
  if (choices) {
    return el("ul", { class: "fields" }, choices.map((choice) => el("li", {},
      el("span", { class: "field-name" }, description.typeOf(choice)), about(description.schema(choice)), deeper(description, choice, path))));
  }
  const fields = inReadingOrder(whole);
  if (fields.length > 0) {
    return el("ul", { class: "fields" }, fields.map(([name, field]) =>
      fieldView(description, name, field, whole.required?.includes(name), path)));
  }
  if (whole.additionalProperties && whole.additionalProperties !== true) {
    return el("ul", { class: "fields" }, fieldView(description, "(any name)", whole.additionalProperties, false, path));
  }
  return choicesOf(whole);
}

/** The id first, then what is always there. */
function inReadingOrder({ properties = {}, required = [] }) {
  const rank = (name) => (name === "id" ? 0 : required.includes(name) ? 1 : 2);
  return Object.entries(properties).sort(([one], [other]) => rank(one) - rank(other));
}

/** One field: its name, type, meaning, and what is inside. */
export function fieldView(description, name, schema, required, path = []) {
  const whole = description.schema(schema);
  return el("li", {},
    el("span", { class: "field-name" }, name),
    el("span", { class: "field-type" }, required ? description.typeOf(schema) : description.typeOf(schema).replace(/ or null$/, "")),
    required && el("span", { class: "required" }, "required"),
    about(whole),
    choicesOf(whole),
    deeper(description, schema, path));
}

function about(whole) {
  const limits = [
    whole.minimum !== undefined && `at least ${whole.minimum}`,
    whole.maximum !== undefined && `at most ${whole.maximum}`,
    whole.minLength !== undefined && `at least ${whole.minLength} characters`,
    whole.maxLength !== undefined && `at most ${whole.maxLength} characters`,
    whole.minItems !== undefined && `at least ${whole.minItems} items`,
    whole.maxItems !== undefined && `at most ${whole.maxItems} items`,
    whole.pattern && `like ${whole.pattern}`,
    whole.default !== undefined && whole.default !== null && `by default ${JSON.stringify(whole.default)}`,
  ].filter(Boolean);
  const text = [whole.description, limits.length > 0 && `(${limits.join(", ")})`].filter(Boolean).join(" ");
  return text && el("p", { class: "field-about" }, inline(text));
}

function choicesOf(whole) {
  const values = whole.enum ?? whole.items?.enum;
  return values && el("ul", { class: "choices", "aria-label": "One of" }, values.map((value) => el("li", {}, el("code", {}, String(value)))));
}

/** What is inside an object or the items of an array, folded away. */
function deeper(description, schema, path) {
  const whole = description.schema(schema);
  const inner = whole.type === "array" ? description.schema(whole.items) : whole;
  const hasFields = Object.keys(inner.properties ?? {}).length > 0 || inner.oneOf || inner.anyOf
    || (inner.additionalProperties && inner.additionalProperties !== true);
  if (!hasFields || seenBefore(inner, path)) return null;
  // Drawn when first opened: schemas refer to each other, and all of them at once would be a long page.
  const details = el("details", { class: "deeper" }, el("summary", {}, `${inner.oneOf || inner.anyOf ? "Choices" : "Fields"} of ${description.typeOf(inner).replace(/ or null$/, "")}`));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(schemaView(description, inner, path));
  });
  return details;
}

function seenBefore(whole, path) {
  return whole.refersTo && path.includes(whole.refersTo);
}
