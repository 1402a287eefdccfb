// What a page shows: the address is the view, the server draws it, and draws it anew when the app says that it has changed.

import { announce, block, showAges } from "../caspers/fragments.js";
import { morph } from "./morph.js";

const SILENCE_MS = 12_000;
const POLL_MS = 3_000;

export const live = document.getElementById("live");
export const root = document.body.dataset.root;

let drawing = null;
let again = false;

/** Ask for the view of the present address and show it. While one request is out, at most one more waits. */
export async function draw() {
  if (drawing) { again = true; return drawing; }
  drawing = drawOnce().finally(() => { drawing = null; if (again) { again = false; draw(); } });
  return drawing;
}

async function drawOnce() {
  const address = location.pathname.slice(root.length) + location.search;
  try {
    const html = await block(address, "live");
    if (address !== location.pathname.slice(root.length) + location.search) { again = true; return; }
    const log = live.querySelector("[data-follows-end]");
    const atEnd = log && log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    morph(live, html);
    showAges(live);
    if (atEnd) log.scrollTop = log.scrollHeight;
    live.dispatchEvent(new CustomEvent("drawn"));
    live.dataset.state = "live";
  } catch (problem) {
    live.dataset.state = "silent";
    announce(problem.message);
  }
}

/** Go to another view of this page. */
export function view(address, { replace = false } = {}) {
  live.querySelectorAll(".complaint").forEach((notice) => notice.remove());
  history[replace ? "replaceState" : "pushState"]({}, "", address);
  return draw();
}

let heardAt = Date.now();
let source = null;
let drawnAt = 0;
let timer = 0;

/** What the page follows: the server may send it to another stream, as when a run is over. */
function following() {
  return (live.querySelector("[data-follow]") ?? live).dataset;
}

function listen() {
  const { follow, events } = following();
  source?.close();
  source = follow ? new EventSource(follow) : null;
  if (!source) return;
  source.address = follow;
  const heard = () => { heardAt = Date.now(); };
  for (const event of events.split(" ")) source.addEventListener(event, () => { heard(); soon(); });
  source.addEventListener("open", heard);
  source.addEventListener("heartbeat", heard);
  source.addEventListener("trouble", (event) => { heard(); announce(JSON.parse(event.data).detail); });
  const mine = source;
  source.addEventListener("error", () => {
    if (mine.readyState === EventSource.CLOSED) { soon(); setTimeout(() => { if (source === mine) listen(); }, POLL_MS); }
  });
}

/** Draw anew, but not more often than the page wants. */
function soon() {
  if (timer) return;
  timer = setTimeout(async () => {
    timer = 0;
    drawnAt = Date.now();
    if (!document.hidden) await draw();
    if (source && following().follow !== source.address) listen();
  }, Math.max(0, Number(following().every) - (Date.now() - drawnAt)));
}

setInterval(() => { if (source && Date.now() - heardAt > SILENCE_MS) soon(); }, POLL_MS);
addEventListener("popstate", draw);
addEventListener("visibilitychange", () => { if (!document.hidden && source) soon(); });
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
listen();
