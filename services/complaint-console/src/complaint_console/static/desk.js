// The desk where complaints are answered: what a review is called, and a reply that names the credit it promises.
import { Desk, dollars } from "../caspers/review_desk.js";

const SAID = { credited: "Credited", declined: "Declined", escalated: "Escalated", asked: "Asked the customer", closed: "Closed" };

new Desk({
  key: "complaint_id",
  amount: "credit_usd",
  settled: ({ outcome }) => outcome,
  said: ({ outcome, credit_usd: usd }) => (outcome === "credited" ? `${SAID.credited} ${dollars(usd)}` : SAID[outcome] ?? outcome),
  changes: (before, now) => {
    const parts = [];
    if (before.usd !== usdOf(now.credit_usd)) parts.push(`the suggested credit is ${usdOf(now.credit_usd) || "none"} now, it was ${before.usd || "none"}`);
    if (before.decision !== now.decision) parts.push(now.decision === "escalate" ? "the agent leaves it to a person now" : "the agent suggests a credit now");
    return parts;
  },
  // A reply that names the credit goes on naming it while the amount is typed.
  follow: (field, form) => {
    if (field.name !== "credit_usd" || !form.elements.reply) return;
    const before = field.dataset.named ?? usdOf(field.defaultValue);
    const now = usdOf(field.value);
    if (!now || !before || !form.elements.reply.value.includes(before)) return;
    form.elements.reply.value = form.elements.reply.value.replaceAll(before, now);
    field.dataset.named = now;
  },
});

function usdOf(value) {
  return value == null || value === "" ? "" : dollars(value);
}
