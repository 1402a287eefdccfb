// The reviewers' desk for complaints: the list, the case beside it, what the keys do, and what is live.
import { CaseList, followFilters, keepViews } from "../caspers/case_list.js";
import { announce, block, idempotencyKey, nodes, Problem, read, send, showAges } from "../caspers/fragments.js";

const RENEW_MS = 60_000;
const DRAFT_PAUSE_MS = 500;
const NEEDS = { approve: ["category"], change: ["credit_usd", "category"], escalate: ["priority", "category"], confirm: [] };

const place = document.getElementById("pane");
const listPlace = document.getElementById("list");
const list = listPlace && new CaseList(listPlace, { api: "/api/queue", opened: open });
const undoBar = document.getElementById("undo");
let open_id = null;
let held = null;
let last = null;
let attempt = null;
let saving = null;
let dirty = false;

const article = () => place.querySelector("article[data-case]");
const form = () => place.querySelector("form.decide");
const pathOf = (id, rest = "") => `/api/cases/${encodeURIComponent(id)}${rest}`;

async function open(id, said = "", tone = "good") {
  if (!id) return;
  if (list && !place.checkVisibility()) return location.assign(`${document.body.dataset.root}/cases/${encodeURIComponent(id)}`);
  if (id !== open_id) { await saveDraft(); release(); }
  open_id = id;
  try {
    const html = await block(`/cases/${encodeURIComponent(id)}`, "pane");
    if (id !== open_id) return;
    place.replaceChildren(nodes(html));
    opened();
    if (said) notice(said, tone);
  } catch (problem) {
    place.replaceChildren();
    notice(problem.message, "bad");
  }
}

function opened() {
  open_id = article().dataset.case;
  dirty = false;
  showAges(place);
  announce(article().getAttribute("aria-label"));
  claim();
  evidence(open_id);
}

async function evidence(id) {
  const target = place.querySelector(".evidence");
  try {
    const html = await block(`/cases/${encodeURIComponent(id)}/evidence`, "evidence");
    if (id === open_id) target.replaceChildren(nodes(html));
  } catch (problem) {
    target.replaceChildren(Object.assign(document.createElement("p"), { className: "notice warn", textContent: `The evidence did not come. ${problem.message}` }));
  }
  target.removeAttribute("aria-busy");
}

async function claim(takeOver = false) {
  if (!open_id || !article() || article().dataset.status === "decided") return;
  const id = open_id;
  try {
    await send("POST", pathOf(id, "/claim"), { take_over: takeOver });
    if (id === open_id) { held = id; holder("Yours while it is open"); }
  } catch (problem) {
    if (id === open_id && problem instanceof Problem) { held = null; holder(problem.message, problem.status === 409); }
  }
}

function release() {
  if (held) send("DELETE", pathOf(held, "/claim"), null, { keepalive: true }).catch(() => { /* it runs out by itself */ });
  held = null;
}

function holder(text, taken = false) {
  const target = place.querySelector(".holder");
  if (!target) return;
  target.querySelector("span").textContent = text;
  target.querySelector("button").hidden = !taken;
}

function typed() {
  return Object.fromEntries([...new FormData(form())].filter(([, value]) => value !== ""));
}

async function decide(action, button) {
  const all = typed();
  const body = { complaint_id: open_id, version: Number(article().dataset.version), action };
  for (const name of [...(NEEDS[action] ?? ["category"]), "reply", "reason_code", "note"]) {
    if (all[name] !== undefined && !(action === "confirm" && name === "reply")) body[name] = all[name];
  }
  if (article().dataset.status === "second") delete body.category;
  const digest = JSON.stringify(body);
  // The same review sent again after a broken answer keeps its key, so it counts once.
  if (attempt?.digest !== digest) attempt = { digest, key: idempotencyKey() };
  button.disabled = true;
  try {
    last = await send("POST", "/api/decisions", body, { headers: { "Idempotency-Key": attempt.key } });
    held = null;
    dirty = false;
    clearTimeout(saving);
    list?.settle(last.complaint_id, last.outcome);
    offerUndo(`${last.outcome} · ${last.complaint_id}`);
    next();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    button.disabled = false;
    if (problem.status === 409) { await saveDraft(); await open(open_id, problem.message, "bad"); } else notice(problem.message, "bad");
  }
}

function next() {
  const id = list ? list.next?.dataset.case : article()?.dataset.next;
  if (!id) {
    open_id = null;
    place.replaceChildren(Object.assign(document.createElement("p"), { className: "empty", textContent: "Nothing is left in this list." }));
    return;
  }
  if (list) list.select(list.row(id)); else history.pushState(null, "", `${document.body.dataset.root}/cases/${encodeURIComponent(id)}`);
  open(id);
}

function offerUndo(text) {
  undoBar.querySelector("span").textContent = text;
  undoBar.hidden = false;
  announce(text);
}

async function undo(decision = last) {
  if (!decision) return;
  undoBar.hidden = true;
  try {
    const undone = await send("POST", `/api/decisions/${encodeURIComponent(decision.decision_id)}/undo`, { note: "" });
    last = null;
    list?.unsettle(undone.complaint_id);
    await open(undone.complaint_id, "The review is undone; the case is open again.");
  } catch (problem) {
    notice(problem.message, "bad");
  }
}

async function saveDraft() {
  clearTimeout(saving);
  if (!dirty || !form()) return;
  dirty = false;
  try {
    await send("PUT", pathOf(open_id, "/draft"), { version: Number(article().dataset.version), ...typed() });
    place.querySelector("[data-draft-state]").textContent = "Draft kept";
  } catch { dirty = true; }
}

async function rate(button) {
  const parts = button.closest("[data-rating]");
  try {
    await send("POST", pathOf(open_id, "/rating"), { helpful: button.value === "yes", reason: parts.querySelector("input").value });
    parts.textContent = "Thank you: kept for the evaluation.";
  } catch (problem) { notice(problem.message, "bad"); }
}

// Somebody may have changed the open case: show it anew unless something is being typed.
async function check() {
  if (!open_id || !article()) return;
  try {
    const { case: now } = await read(pathOf(open_id));
    if (now.complaint_id !== open_id || now.version === Number(article().dataset.version)) return;
    await saveDraft();
    await open(open_id, `This case has changed${now.decided_by ? `: ${now.decided_by} decided it` : ""}.`, "warn");
  } catch { /* the next update asks again */ }
}

function notice(text, tone) {
  place.querySelector(".notice.said")?.remove();
  const said = Object.assign(document.createElement("p"), { className: `notice said ${tone}`, textContent: text });
  said.setAttribute("role", tone === "bad" ? "alert" : "status");
  (article() ?? place).prepend(said);
  place.scrollTop = 0;
}

const commands = {
  down: () => list?.move(1),
  up: () => list?.move(-1),
  open: () => open(list?.current?.dataset.case ?? list?.rows[0]?.dataset.case),
  next,
  undo: () => undo(),
  news: () => list?.reload(),
  search: () => document.querySelector("#filters [name=text]")?.focus(),
};
const doings = { "take-over": () => claim(true), undo: (button) => undo({ decision_id: button.dataset.decision }), rate };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-command], [data-do], [data-action]");
  if (!button) return;
  if (button.dataset.action) return decide(button.dataset.action, button);
  (commands[button.dataset.command] ?? doings[button.dataset.do])?.(button);
});
place.addEventListener("submit", (event) => event.preventDefault());
place.addEventListener("input", (event) => {
  if (!event.target.closest("form.decide")) return;
  dirty = true;
  clearTimeout(saving);
  saving = setTimeout(saveDraft, DRAFT_PAUSE_MS);
});
window.addEventListener("pagehide", release);
setInterval(claim, RENEW_MS);
document.addEventListener("live", () => { list?.news(); check(); });

if (list) {
  followFilters(document.getElementById("filters"), list);
  keepViews(document.getElementById("views"), document.getElementById("save-view"));
  list.select(list.rows[0]);
}
if (article()) opened();
