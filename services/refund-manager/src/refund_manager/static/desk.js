// The reviewers' desk: the list, the case beside it, what the keys do, and what is live.
import { CaseList, followFilters, keepViews } from "../caspers/case_list.js";
import { announce, block, idempotencyKey, nodes, read, send } from "../caspers/fragments.js";
import { CasePane } from "./case.js";

const UNDO_MS = 20_000;
const BULK_LIMIT = 500;
const DONE = { accept: "accepted", change: "changed", refuse: "refused", confirm: "confirmed" };
const dollars = (value) => `$${Number(value ?? 0).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

const listPlace = document.getElementById("list");
const pane = new CasePane(document.getElementById("pane"), { decided, elsewhere });
const list = listPlace && new CaseList(listPlace, { api: "/api/queue", opened: open });
const undoBar = document.getElementById("undo");
const bulk = document.getElementById("bulk");
let last = null;

// On a narrow window there is no pane beside the list: a case is a page of its own.
function open(id) {
  if (!id) return;
  if (list && !document.getElementById("pane").checkVisibility()) return location.assign(pageOf(id));
  pane.open(id).then(prepareNext);
}

function pageOf(id) {
  return `${document.body.dataset.root}/cases/${encodeURIComponent(id)}`;
}

function prepareNext() {
  pane.prepare(list ? list.next?.dataset.case : pane.article?.dataset.next);
}

function decided(id, decision, waits) {
  last = decision;
  const said = outcome(decision, waits);
  list?.settle(id, waits ? "2nd" : DONE[decision.action]);
  announce(`${said}: ${id}`);
  offerUndo(`${said} · ${id}`);
  next();
}

function elsewhere(id, now) {
  list?.settle(id, now.decided_by ?? "decided");
}

function outcome({ action, refund_usd: usd }, waits) {
  if (action === "refuse") return "Refused";
  if (waits) return `${dollars(usd)} waits for a second person`;
  return `${{ accept: "Accepted", change: "Changed to", confirm: "Confirmed" }[action] ?? action} ${dollars(usd)}`;
}

function next() {
  if (list) {
    const row = list.next;
    if (!row) return finished();
    list.select(row);
    return open(row.dataset.case);
  }
  const id = pane.article?.dataset.next;
  if (!id) return finished();
  history.pushState(null, "", pageOf(id));
  pane.open(id).then(prepareNext);
}

function finished() {
  pane.id = null;
  const words = Object.assign(document.createElement("p"), { className: "empty", textContent: "Nothing is left in this list." });
  document.getElementById("pane").replaceChildren(words);
  announce(words.textContent);
}

function offerUndo(text) {
  undoBar.querySelector("span").textContent = text;
  undoBar.hidden = false;
  clearTimeout(undoBar.timer);
  undoBar.timer = setTimeout(() => { undoBar.hidden = true; }, UNDO_MS);
}

async function undo() {
  if (!last) return;
  const decision = last;
  last = null;
  undoBar.hidden = true;
  try {
    await pane.undo(decision);
    list?.unsettle(decision.order_id);
    list?.select(list.row(decision.order_id));
    pane.id = null;
    pane.ahead.clear();
    await pane.open(decision.order_id);
  } catch (problem) {
    announce(problem.message);
    offerUndo(problem.message);
  }
}

// Bulk: the page shows what would be accepted and its sum; only what was shown is accepted.
async function previewBulk() {
  const place = bulk.querySelector("[data-preview]");
  place.replaceChildren(Object.assign(document.createElement("p"), { className: "loading", textContent: "Adding up …" }));
  bulk.showModal();
  const chosen = list.chosen.map((row) => row.dataset.case);
  const query = new URLSearchParams(location.search);
  for (const id of chosen.slice(0, BULK_LIMIT)) query.append("order_id", id);
  try {
    place.replaceChildren(nodes(await block(`/bulk?${query}`, "preview")));
    place.querySelector("[data-do=accept-bulk]")?.focus();
  } catch (problem) {
    place.replaceChildren(Object.assign(document.createElement("p"), { className: "notice bad", textContent: problem.message }));
  }
}

async function acceptBulk(button) {
  const place = bulk.querySelector("[data-preview]");
  const cases = [...place.querySelectorAll("tr[data-order]")].map(({ dataset }) => ({ order_id: dataset.order, version: Number(dataset.version) }));
  button.disabled = true;
  button.dataset.key ??= idempotencyKey();
  try {
    const { accepted, conflicts } = await send("POST", "/api/bulk/accept", { cases }, { headers: { "Idempotency-Key": button.dataset.key } });
    for (const decision of accepted) list.settle(decision.order_id, DONE.accept);
    const said = `${accepted.length} accepted, ${conflicts.length} left as they are.`;
    announce(said);
    const parts = [Object.assign(document.createElement("p"), { className: `notice ${conflicts.length ? "warn" : "good"}`, textContent: said })];
    for (const conflict of conflicts.slice(0, 20)) {
      parts.push(Object.assign(document.createElement("p"), { textContent: `${conflict.order_id}: ${conflict.detail ?? conflict.why ?? ""}` }));
    }
    place.replaceChildren(...parts);
    bulk.querySelector("[value=close]").focus();
  } catch (problem) {
    button.disabled = false;
    place.prepend(Object.assign(document.createElement("p"), { className: "notice bad", textContent: problem.message }));
  }
}

const commands = {
  down: () => list?.move(1),
  up: () => list?.move(-1),
  open: () => open(list?.current?.dataset.case ?? list?.rows[0]?.dataset.case),
  choose: () => list?.choose(),
  next,
  undo,
  news: () => list?.reload(),
  "preview-bulk": previewBulk,
  "accept-bulk": acceptBulk,
  search: () => document.querySelector("#filters [name=text]")?.focus(),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-command], #bulk [data-do]");
  if (button) commands[button.dataset.command ?? button.dataset.do]?.(button);
});

if (list) {
  followFilters(document.getElementById("filters"), list);
  keepViews(document.getElementById("views"), document.getElementById("save-view"));
  list.select(list.rows[0]);
}

document.addEventListener("live", () => {
  list?.news();
  pane.check();
});
prepareNext();
