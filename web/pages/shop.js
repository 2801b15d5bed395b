// Draws the page that the address names, keeps it up to date, and says what came of what was done on it.

import { el } from "./dom.js";
import { whenDone } from "./parts.js";
import * as myPage from "./my-page.js";
import * as operations from "./operations.js";
import * as selling from "./selling.js";
import { keep, signIn, token } from "./session.js";

const PAGES = { "/my-page": myPage, "/selling": selling, "/operations": operations };
/** How often a page is read again on which something is under way. */
const AGAIN_MS = 2000;

const page = PAGES[location.pathname] ?? myPage;
const byId = (id) => document.getElementById(id);
let shown = "";

start();

function start() {
  document.title = `${page.title} · Jangteo`;
  byId("title").textContent = page.title;
  document.documentElement.dataset.theme = localStorage.getItem("jangteo-theme") ?? "";
  for (const link of byId("pages").querySelectorAll("a")) {
    if (link.getAttribute("href") === location.pathname) link.setAttribute("aria-current", "page");
  }
  byId("sign-in-form").addEventListener("submit", submitSignIn);
  byId("sign-out").addEventListener("click", () => { keep(""); refresh(); });
  whenDone(async (text, good) => {
    tell(text, good);
    if (good) await refresh(true);
  });
  refresh();
  setInterval(() => { if (!document.hidden && moving) refresh(); }, AGAIN_MS);
}

let moving = false;

/** Reads the page and draws it, unless nothing changed or somebody is filling something in. */
async function refresh(anyway = false) {
  const signedIn = token() !== "";
  byId("sign-in").hidden = signedIn;
  byId("sign-out").hidden = !signedIn;
  if (!signedIn) {
    moving = false;
    show([]);
    return;
  }
  try {
    const read = await page.load();
    moving = page.moves(read);
    const text = JSON.stringify(read);
    if (!anyway && (text === shown || byId("content").querySelector(".act[open]"))) return;
    shown = text;
    show(page.draw(read, () => refresh(true)));
  } catch (error) {
    if (error.status === 401) {
      keep("");
      await refresh();
    }
    tell(error.message, false);
  }
}

function show(parts) {
  if (parts.length === 0) shown = "";
  byId("content").replaceChildren(...el("div", {}, parts).childNodes);
}

function tell(text, good) {
  byId("told").textContent = text;
  byId("told").classList.toggle("bad", !good);
}

async function submitSignIn(event) {
  event.preventDefault();
  const { email, password } = event.target.elements;
  try {
    const wrong = await signIn(email.value, password.value);
    byId("sign-in-told").textContent = wrong ?? "";
    password.value = "";
    if (!wrong) {
      tell("", true);
      await refresh(true);
    }
  } catch (error) {
    byId("sign-in-told").textContent = `The shop cannot be reached: ${error.message}`;
  }
}
