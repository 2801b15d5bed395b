// The description of the API, read: operations by tag, references followed, examples made.

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Reads /openapi.json. */
export async function load() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`/openapi.json answered ${response.status}`);
  return new Description(await response.json());
}

export class Description {
  constructor(document) {
    this.document = document;
    this.operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => this.#operation(path, method, item)));
  }

  get info() {
    return this.document.info ?? {};
  }

  /** `[{ name, about, operations }]` in the order of the description's tags, then what has another tag or none. */
  groups() {
    const groups = new Map((this.document.tags ?? []).map(({ name, description }) => [name, { name, about: description, operations: [] }]));
    for (const operation of this.operations) {
      if (!groups.has(operation.tag)) groups.set(operation.tag, { name: operation.tag, about: "", operations: [] });
      groups.get(operation.tag).operations.push(operation);
    }
    return [...groups.values()].filter((group) => group.operations.length > 0);
  }

  #operation(path, method, item) {
    const operation = item[method];
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) => this.follow(parameter));
    const [body] = this.#contents(this.follow(operation.requestBody ?? {}));
    return {
      id: `op-${(operation.operationId ?? `${method}-${path}`).replace(/[^A-Za-z0-9_-]+/g, "-")}`,
      method,
      path,
      tag: operation.tags?.[0] ?? "Other",
      summary: operation.summary ?? "",
      description: operation.description ?? "",
      parameters,
      body,
      secured: (operation.security ?? this.document.security ?? []).some((scheme) => Object.keys(scheme).length > 0),
      responses: Object.entries(operation.responses ?? {}).map(([status, response]) => {
        const followed = this.follow(response);
        return { status, about: followed.description ?? "", headers: followed.headers ?? {}, content: this.#contents(followed)[0] };
      }),
    };
  }

  #contents(holder) {
    return Object.entries(holder.content ?? {}).map(([type, media]) => ({
      type,
      schema: media.schema,
      example: media.example ?? Object.values(media.examples ?? {})[0]?.value,
    }));
  }

  /** What a `$ref` stands for; anything else is itself. */
  follow(value) {
    if (!value?.$ref) return value ?? {};
    const steps = value.$ref.replace(/^#\//, "").split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const target = steps.reduce((at, step) => at?.[step], this.document) ?? {};
    return { ...target, ...(value.description ? { description: value.description } : {}) };
  }

  /** A schema with its references followed, its `allOf` merged and its "or null" put aside as `nullable`. */
  schema(schema) {
    let { $ref, ...rest } = schema ?? {};
    let whole = $ref ? { ...this.schema(this.follow({ $ref })), ...rest, refersTo: $ref } : rest;
    for (const part of whole.allOf ?? []) {
      const merged = this.schema(part);
      whole = {
        ...merged,
        ...whole,
        properties: { ...merged.properties, ...whole.properties },
        required: [...(merged.required ?? []), ...(whole.required ?? [])],
      };
    }
    const choices = whole.oneOf ?? whole.anyOf;
    if (choices?.some((choice) => choice.type === "null")) {
      const others = choices.filter((choice) => choice.type !== "null");
      const { oneOf, anyOf, ...outside } = whole;
      return others.length === 1
        ? { ...this.schema(others[0]), ...outside, nullable: true }
        : { ...outside, oneOf: others, nullable: true };
    }
    if (Array.isArray(whole.type)) {
      const types = whole.type.filter((type) => type !== "null");
      whole = { ...whole, nullable: types.length < whole.type.length, type: types.length === 1 ? types[0] : types };
    }
    return whole;
  }

  /** A type in a few words: `string (uuid)`, `array of OrderItem`. */
  typeOf(schema, depth = 0) {
    const whole = this.schema(schema);
    const name = whole.refersTo?.split("/").at(-1);
    const or = whole.nullable ? " or null" : "";
    if (whole.type === "array") return `array of ${depth > 3 ? "…" : this.typeOf(whole.items, depth + 1)}${or}`;
    if (whole.oneOf ?? whole.anyOf) return (name ?? "one of several") + or;
    if (whole.const !== undefined) return JSON.stringify(whole.const);
    const type = [whole.type ?? (whole.properties ? "object" : "any")].flat().join(" or ");
    if (type === "object" && name) return name + or;
    return type + (whole.format ? ` (${whole.format})` : "") + or;
  }

  /** A value that fits. */
  example(schema, depth = 0, name = "") {
    const whole = this.schema(schema);
    const given = whole.example ?? whole.examples?.[0] ?? whole.default ?? whole.const ?? whole.enum?.[0];
    if (given !== undefined) return given;
    if (depth > 6) return null;
    const choice = (whole.oneOf ?? whole.anyOf)?.[0];
    if (choice) return this.example(choice, depth + 1, name);
    const type = [whole.type ?? (whole.properties ? "object" : "string")].flat()[0];
    if (type === "object") {
      const entries = Object.entries(whole.properties ?? {}).filter(([key]) => !whole.properties[key].readOnly);
      return Object.fromEntries(entries.map(([key, value]) => [key, this.example(value, depth + 1, key)]));
    }
    if (type === "array") return [this.example(whole.items, depth + 1, name)];
    if (type === "integer" || type === "number") return Math.max(whole.minimum ?? 1, 1);
    if (type === "boolean") return true;
    return EXAMPLES[whole.format] ?? EXAMPLES[name] ?? "text";
  }
}

const EXAMPLES = {
  uuid: "018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f",
  "date-time": "2026-11-21T06:51:34.120Z",
  email: "customer@demo.example",
  password: "jangteo-demo",
  currency: "KRW",
  method: "card",
  token: "card_approve",
};
