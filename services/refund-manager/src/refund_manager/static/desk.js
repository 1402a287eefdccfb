// The desk where refunds are decided: what a decision is called, how amount and class go together, accepting several at once.
import { announce, block, idempotencyKey, nodes, send } from "../caspers/fragments.js";
import { Desk, dollars } from "../caspers/review_desk.js";

const BULK_LIMIT = 500;
const DONE = { accept: "accepted", change: "changed", refuse: "refused", confirm: "confirmed" };
const bulk = document.getElementById("bulk");

const desk = new Desk({
  key: "order_id",
  amount: "refund_usd",
  settled: ({ action }) => DONE[action],
  said: ({ action, refund_usd: usd }) => {
    if (action === "refuse") return "Refused";
    return `${{ accept: "Accepted", change: "Changed to", confirm: "Confirmed" }[action] ?? action} ${dollars(usd)}`;
  },
  changes: (before, now) => {
    const parts = [];
    const usd = (value) => (value == null || value === "" ? "no amount" : dollars(value));
    if (usd(before.usd) !== usd(now.refund_usd)) parts.push(`the recommendation is ${usd(now.refund_usd)} now, it was ${usd(before.usd)}`);
    if ((before.class ?? "") !== (now.refund_class ?? "")) parts.push(`its class is ${now.refund_class ?? "open"} now`);
    return parts;
  },
  follow: ({ name, value, max }, form) => {
    const { refund_usd: amount, refund_class: share } = form.elements;
    // Nothing is "none", the whole order is "full", anything between is "partial"; whichever is typed, the other follows.
    const usd = Number(value);
    if (name === "refund_usd") share.value = usd === 0 ? "none" : max && usd === Number(max) ? "full" : "partial";
    if (name === "refund_class" && value === "none") amount.value = "0.00";
    if (name === "refund_class" && value === "full" && amount.max) amount.value = amount.max;
  },
  commands: ({ list }) => ({ choose: () => list?.choose(), "preview-bulk": previewBulk, "accept-bulk": acceptBulk }),
});

// The page shows what would be accepted and its sum; only what was shown is accepted.
async function previewBulk() {
  const place = bulk.querySelector("[data-preview]");
  place.replaceChildren(Object.assign(document.createElement("p"), { className: "loading", textContent: "Adding up …" }));
  bulk.showModal();
  const chosen = desk.list.chosen.map((row) => row.dataset.case);
  const query = new URLSearchParams(location.search);
  for (const id of chosen.slice(0, BULK_LIMIT)) query.append("order_id", id);
  try {
    place.replaceChildren(nodes(await block(`/bulk?${query}`, "preview")));
    place.querySelector("[data-command=accept-bulk]")?.focus();
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
    for (const decision of accepted) desk.list.settle(decision.order_id, DONE.accept);
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
