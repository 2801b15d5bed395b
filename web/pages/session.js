// The access token: kept in this tab only.

const KEY = "jangteo-token";
const listeners = [];

/** The token, or an empty text. */
export function token() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** Keeps the token; an empty one forgets it. */
export function keep(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener(text);
}

/** Calls `listener` whenever the token changes. */
export function watch(listener) {
  listeners.push(listener);
}

/** Asks the shop. Returns `{ status, ok, ms, headers, text, json }`; fails only where the shop cannot be reached. */
export async function ask(method, path, { headers = {}, body, anonymous = false } = {}) {
  const sent = { ...headers };
  if (body !== undefined && !sent["Content-Type"]) sent["Content-Type"] = "application/json";
  if (!anonymous && token() && !sent.Authorization) sent.Authorization = `Bearer ${token()}`;
  const began = performance.now();
  const response = await fetch(path, { method: method.toUpperCase(), headers: sent, body, cache: "no-store" });
  const text = await response.text();
  let json;
  try { json = JSON.parse(text); } catch { json = undefined; }
  const ms = Math.round(performance.now() - began);
  return { status: response.status, ok: response.ok, ms, headers: [...response.headers], text, json };
}

/** Signs in and keeps the token. Returns what went wrong, or nothing. */
export async function signIn(email, password) {
  const body = JSON.stringify({ email, password });
  const answer = await ask("POST", "/api/v1/sessions", { body, anonymous: true });
  if (!answer.ok || !answer.json?.access_token) return answer.json?.detail ?? `The shop answered ${answer.status}.`;
  keep(answer.json.access_token);
  return null;
}

/** Who a token is for, and until when, as it says itself. */
export function claims(text) {
  try {
    const part = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(part));
  } catch {
    return null;
  }
}
