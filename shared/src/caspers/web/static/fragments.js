// Talking to the app: blocks of pages come as HTML, changes go as JSON, problems are errors that speak.

const ROOT = document.body.dataset.root;
const AGES_EVERY_MS = 15_000;

/** What the app answered when it did not do what was asked: a problem document. */
export class Problem extends Error {
  constructor(status, document) {
    super([document.detail, document.what_now].filter(Boolean).join(" ") || "The app does not answer.");
    this.status = status;
    this.document = document;
  }
}

/** The block `name` of the page at `path`, as HTML. Throws a Problem, which comes as JSON unless a page is asked for. */
export async function block(path, name, options = {}) {
  const answer = await reach(path, { ...options, headers: { "HX-Target": name, Accept: "*/*" } });
  return answer.text();
}

/** What the API answers at `path`. Throws a Problem. */
export async function read(path) {
  return (await reach(path, { headers: { Accept: "application/json" } })).json();
}

/** Send `body` as JSON; the answer, or null when there is nothing to say. Throws a Problem. */
export async function send(method, path, body = null, { headers = {}, keepalive = false } = {}) {
  const answer = await reach(path, {
    method, keepalive, headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
    body: body === null ? undefined : JSON.stringify(body),
  });
  return answer.status === 204 ? null : answer.json();
}

/** A key under which a change is made once, however often it is sent; works without a secure context. */
export function idempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Say something to those who listen to the page. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/** Turn HTML of ours into nodes. */
export function nodes(html) {
  return Object.assign(document.createElement("template"), { innerHTML: html }).content;
}

/** Fill every <time data-age> below `place` with how long ago it was. */
export function showAges(place = document) {
  for (const element of place.querySelectorAll("time[data-age]")) {
    element.textContent = age((Date.now() - Date.parse(element.dateTime)) / 1000);
  }
}

async function reach(path, options) {
  let answer;
  try {
    answer = await fetch(ROOT + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The app does not answer.", what_now: "Try again in a moment." });
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({ detail: `The app answers ${answer.status}.` })));
  return answer;
}

function age(seconds) {
  if (seconds < 10) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

setInterval(() => showAges(), AGES_EVERY_MS);
showAges();
