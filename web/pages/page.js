// Draws the reference from /openapi.json and keeps search, links, token and theme in step.

import { load } from "./description.js";
import { el, inline, prose } from "./dom.js";
import { drawSteps } from "./first-order.js";
import { operationView } from "./operation-view.js";
import { claims, keep, signIn, token, watch } from "./session.js";

const byId = (id) => document.getElementById(id);

start();

async function start() {
  themeSwitch();
  signInForm();
  drawSteps(byId("steps"));
  if (matchMedia("(max-width: 56rem)").matches) byId("contents-fold").open = false;
  try {
    draw(await load());
  } catch (error) {
    byId("description").replaceChildren(el("p", { class: "notice" }, `The description cannot be read: ${error.message}`));
  }
}

function draw(description) {
  byId("version").textContent = description.info.version ?? "";
  byId("description").replaceChildren(...prose(description.info.description));
  const groups = description.groups();
  byId("operations").replaceChildren(...groups.map((group) => groupView(description, group)));
  byId("contents").append(...groups.map(groupLinks));
  search(description.operations);
  openLinked();
  addEventListener("hashchange", openLinked);
}

function groupView(description, { name, about, operations }) {
  const id = groupId(name);
  return el("section", { class: "group", id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, name), about && el("p", {}, inline(about)),
    operations.map((operation) => operationView(description, operation)));
}

function groupLinks({ name, operations }) {
  return el("div", { class: "group-links" }, el("h3", {}, name),
    el("ul", { class: "plain" }, operations.map(({ id, method, path }) => el("li", { "data-operation": id },
      el("a", { href: `#${id}`, class: "operation-link" },
        el("span", { class: `method ${method}` }, method.toUpperCase()), el("span", {}, path.replace("/api/v1/", "")))))));
}

function groupId(name) {
  return `tag-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
}

/** Every word must be somewhere in the operation. */
function search(operations) {
  const box = byId("search");
  const texts = new Map(operations.map((operation) => [operation.id,
    [operation.method, operation.path, operation.tag, operation.summary, operation.description].join(" ").toLowerCase()]));
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = new Set([...texts].filter(([, text]) => words.every((word) => text.includes(word))).map(([id]) => id));
    for (const id of texts.keys()) {
      byId(id).hidden = !matches.has(id);
      document.querySelector(`[data-operation="${id}"]`).hidden = !matches.has(id);
    }
    for (const part of document.querySelectorAll(".group, .group-links")) {
      part.hidden = [...part.querySelectorAll(".operation, [data-operation]")].every((child) => child.hidden);
    }
    byId("nothing").hidden = matches.size > 0;
    byId("found").textContent = words.length > 0 ? `${matches.size} of ${texts.size} operations` : "";
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") document.querySelector(".operation:not([hidden]) > summary")?.focus();
  });
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      box.focus();
    }
  });
}

/** Opens the operation that the address names, and marks it in the contents. */
function openLinked() {
  const id = decodeURIComponent(location.hash.slice(1));
  for (const link of document.querySelectorAll(".contents a")) {
    if (link.getAttribute("href") === `#${id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const target = id ? byId(id) : null;
  if (target?.classList.contains("operation")) target.open = true;
  // The browser looked for it before it was drawn.
  target?.scrollIntoView({ behavior: "instant" });
}

function signInForm() {
  const field = byId("token");
  const told = byId("signed-in");
  field.value = token();
  const tell = (text) => {
    const who = claims(text);
    told.textContent = !text ? "" : who
      ? `A token of ${who.roles?.join(", ") || "an account"}, good until ${new Date(who.exp * 1000).toLocaleTimeString()}.`
      : "A token is kept.";
  };
  tell(token());
  watch((text) => { field.value = text; tell(text); });
  field.addEventListener("change", () => keep(field.value.trim()));
  byId("forget").addEventListener("click", () => keep(""));
  byId("sign-in-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { email, password } = event.target.elements;
    try {
      const wrong = await signIn(email.value, password.value);
      if (wrong) told.textContent = wrong;
    } catch (error) {
      told.textContent = `The shop cannot be reached: ${error.message}`;
    }
    password.value = "";
  });
}

function themeSwitch() {
  const root = document.documentElement;
  const chosen = localStorage.getItem("jangteo-theme");
  if (chosen) root.dataset.theme = chosen;
  byId("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("jangteo-theme", root.dataset.theme);
  });
}
