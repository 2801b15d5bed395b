// Drives Chromium through its debugging pipe, without any package: `node browse.mjs PROFILE < steps.json`.
//
// A step is `["open", url]`, `["until", expression]` (waits until it is true on the page), `["do", expression]`, `["text"]`
// (prints what the page says), or `["picture", file]`. Ends with 1, and says which step, where one never came true.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const DEADLINE_MS = 60_000;
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2, mobile: true };

const browser = spawn("/usr/bin/chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
  `--user-data-dir=${process.argv[2]}`], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , toBrowser, fromBrowser] = browser.stdio;

const waiting = new Map();
let asked = 0;
let rest = "";
fromBrowser.on("data", (bytes) => {
  const messages = (rest + bytes).split("\0");
  rest = messages.pop();
  for (const message of messages.map((text) => JSON.parse(text))) {
    const { resolve, reject } = waiting.get(message.id) ?? {};
    waiting.delete(message.id);
    if (message.error) reject?.(new Error(message.error.message));
    else resolve?.(message.result);
  }
});

function ask(method, params = {}, sessionId = undefined) {
  asked += 1;
  toBrowser.write(`${JSON.stringify({ id: asked, method, params, sessionId })}\0`);
  const id = asked;
  return new Promise((resolve, reject) => { waiting.set(id, { resolve, reject }); });
}

try {
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => ask(method, params, sessionId);
  await page("Emulation.setDeviceMetricsOverride", PHONE);
  for (const step of JSON.parse(readFileSync(0, "utf8"))) await take(page, step);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  browser.kill("SIGKILL");
}

async function take(page, [kind, what]) {
  if (kind === "open") {
    await page("Page.navigate", { url: what });
  } else if (kind === "do") {
    await evaluate(page, what);
  } else if (kind === "text") {
    console.log(await evaluate(page, "document.body.innerText"));
  } else if (kind === "picture") {
    const { data } = await page("Page.captureScreenshot", { captureBeyondViewport: true });
    writeFileSync(what, Buffer.from(data, "base64"));
  } else {
    const until = Date.now() + DEADLINE_MS;
    while (!await evaluate(page, `Boolean(${what})`).catch(() => false)) {
      if (Date.now() > until) throw new Error(`never true: ${what}\n${await evaluate(page, "document.body.innerText")}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}

async function evaluate(page, expression) {
  const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
  return result.value;
}
