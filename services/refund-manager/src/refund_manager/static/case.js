// One case on the desk: it is claimed while it is open, its draft is kept while one types, its evidence comes after it,
// and a decision is sent once and says what became of it.
import { announce, block, idempotencyKey, nodes, Problem, read, send, showAges } from "../caspers/fragments.js";

const RENEW_MS = 60_000;
const DRAFT_PAUSE_MS = 500;

export class CasePane {
  /** `decided(id, decision, waits)` is called for a decision made here (`waits`: for a second person), `elsewhere(id, case)`
   *  for one made by somebody else. */
  constructor(place, { decided, elsewhere }) {
    this.place = place;
    this.decided = decided;
    this.elsewhere = elsewhere;
    this.id = null;
    this.ahead = new Map();
    place.addEventListener("click", (event) => this.#clicked(event));
    place.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(event.target); });
    place.addEventListener("input", (event) => this.#typed(event));
    place.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("pagehide", () => this.#release());
    setInterval(() => this.#claim(), RENEW_MS);
    if (this.article) this.#opened();
  }

  get article() { return this.place.querySelector("article[data-case]"); }
  get form() { return this.place.querySelector("form.decide"); }
  get version() { return Number(this.article.dataset.version); }

  /** Show a case; the one that was open is given back. */
  async open(id) {
    if (id === this.id) return;
    await this.#saveDraft();
    this.#release();
    this.id = id;
    const fetched = this.ahead.get(id) ?? this.#fetch(id);
    this.ahead.clear();
    if (!await this.#show(id, fetched)) return;
    this.place.scrollTop = 0;
    this.#opened();
  }

  /** Fetch a case that will probably be opened next. */
  prepare(id) {
    if (!id || id === this.id || this.ahead.has(id)) return;
    const fetched = this.#fetch(id);
    fetched.catch(() => this.ahead.delete(id));
    this.ahead.clear();
    this.ahead.set(id, fetched);
  }

  /** Somebody may have changed the open case: say what changed, keep what was typed. */
  async check() {
    if (!this.id || !this.article || this.sending) return;
    const id = this.id;
    try {
      const { case: now } = await read(`/api/cases/${encodeURIComponent(id)}`);
      if (id !== this.id || now.version === this.version) return;
      await this.refresh(`This case has changed: ${difference(this.article.dataset, now)}.`);
      if (now.status === "decided") this.elsewhere(id, now);
    } catch { /* the next update asks again */ }
  }

  /** Fetch the case anew and put back what was typed; `said` tells why. */
  async refresh(said = "", tone = "warn") {
    const id = this.id;
    const typed = this.#typedValues();
    if (!await this.#show(id, this.#fetch(id))) return;
    if (typed && this.form) this.#restore(typed);
    if (said) this.#notice(said, tone);
    this.#evidence();
  }

  async undo(decision) {
    const undone = await send("POST", `/api/decisions/${encodeURIComponent(decision.decision_id)}/undo`, { note: "" });
    announce(`The decision on ${decision.order_id} is undone.`);
    return undone;
  }

  #fetch(id) { return block(`/cases/${encodeURIComponent(id)}`, "pane"); }

  async #show(id, fetched) {
    this.place.setAttribute("aria-busy", "true");
    try {
      const html = await fetched;
      if (id !== this.id) return false;
      this.place.replaceChildren(nodes(html));
      showAges(this.place);
      if (this.form?.dataset.draft) this.#chooseAction(this.form.dataset.draft);
      return true;
    } catch (problem) {
      if (id === this.id) { this.place.replaceChildren(); this.#notice(problem.message, "bad"); this.id = null; }
      return false;
    } finally {
      this.place.removeAttribute("aria-busy");
    }
  }

  #opened() {
    this.id = this.article.dataset.case;
    this.dirty = false;
    showAges(this.place);
    announce(this.article.getAttribute("aria-label"));
    this.#claim();
    this.#evidence();
  }

  async #evidence() {
    const id = this.id;
    const place = this.place.querySelector(".evidence");
    if (!place) return;
    try {
      const html = await block(`/cases/${encodeURIComponent(id)}/evidence`, "evidence");
      if (id !== this.id) return;
      place.replaceChildren(nodes(html));
      showAges(place);
    } catch (problem) {
      const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
      again.addEventListener("click", () => { place.replaceChildren(); this.#evidence(); });
      const words = Object.assign(document.createElement("p"), { textContent: `The evidence did not come. ${problem.message}` });
      const notice = Object.assign(document.createElement("div"), { className: "notice warn" });
      notice.append(words, again);
      place.replaceChildren(notice);
    }
    place.removeAttribute("aria-busy");
  }

  // A lease: taken when a case is opened, renewed while it is open, given back when one leaves.
  async #claim(takeOver = false) {
    if (!this.id || !this.article || this.article.dataset.status === "decided") return;
    const id = this.id;
    try {
      await send("POST", `/api/cases/${encodeURIComponent(id)}/claim`, { take_over: takeOver });
      if (id !== this.id) return;
      this.held = id;
      if (takeOver) await this.refresh();
      else this.#holder("Yours while it is open");
    } catch (problem) {
      if (id !== this.id || !(problem instanceof Problem)) return;
      this.held = null;
      this.#holder(problem.message, problem.status === 409);
    }
  }

  #release() {
    if (!this.held) return;
    const path = `/api/cases/${encodeURIComponent(this.held)}/claim`;
    this.held = null;
    send("DELETE", path, null, { keepalive: true }).catch(() => { /* it runs out by itself */ });
  }

  #holder(text, taken = false) {
    const place = this.place.querySelector(".holder");
    if (!place) return;
    place.querySelector("span").textContent = text;
    place.classList.toggle("warn", taken);
    place.querySelector("button").hidden = !taken;
  }

  #clicked(event) {
    const button = event.target.closest("[data-do]");
    if (button) this.#act(button.dataset.do, button);
  }

  #act(what, button) {
    if (what === "take-over") return this.#claim(true);
    if (what === "rate") return this.#rate(button);
    if (what === "undo") return this.#undoHere(button);
    if (what === "close-form") return this.#chooseAction("");
    if (["change", "refuse"].includes(what) && button.type === "button") return this.#chooseAction(what);
    return this.#decide(what, {}, button);
  }

  // "change" and "refuse" open the form's part for it; the form is then sent with Enter.
  #chooseAction(wanted) {
    const parts = [...this.form.querySelectorAll("fieldset[data-for]")];
    const action = parts.some((part) => part.dataset.for.split(" ").includes(wanted)) ? wanted : "";
    for (const part of parts) {
      part.hidden = part.disabled = !action || !part.dataset.for.split(" ").includes(action);
    }
    this.form.dataset.action = action;
    for (const bar of this.form.querySelectorAll("[data-bar]")) bar.hidden = (bar.dataset.bar === "form") !== Boolean(action);
    if (!action) return this.article.focus({ preventScroll: true });
    this.form.querySelector("[data-send]").firstChild.textContent = action === "change" ? "Save the change " : "Refuse the refund ";
    const first = this.form.querySelector(action === "change" ? "[name=refund_usd]" : "[name=reason_code]");
    first.focus();
    first.select?.();
  }

  #key(event) {
    const form = event.target.closest("form.decide");
    if (!form?.dataset.action) return;
    if (event.key === "Escape") { event.preventDefault(); this.#chooseAction(""); }
    // Digits choose a reason, Enter sends, also from the note (Shift+Enter makes a line there).
    const codes = [...form.querySelectorAll("[name=reason_code]")];
    if (event.target.name === "reason_code" && codes[Number(event.key) - 1]) {
      event.preventDefault();
      codes[Number(event.key) - 1].click();
      codes[Number(event.key) - 1].focus();
    }
    if (event.key === "Enter" && event.target.tagName === "TEXTAREA" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  #submit(form) {
    const { refund_usd: usd, refund_class: share, reason_code: code, note } = Object.fromEntries(new FormData(form));
    const fields = { reason_code: code || null, note: note || "" };
    if (form.dataset.action === "change") Object.assign(fields, { refund_usd: usd, refund_class: share });
    this.#decide(form.dataset.action, fields, form.querySelector("[data-send]"));
  }

  async #decide(action, fields, button) {
    if (this.sending) return;
    this.sending = true;
    const id = this.id;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      const body = { order_id: id, version: this.version, action, ...fields };
      const digest = JSON.stringify(body);
      // The same decision sent again after a broken answer keeps its key, so it counts once.
      if (this.attempt?.digest !== digest) this.attempt = { digest, key: idempotencyKey() };
      const limit = Number(this.article.dataset.secondAbove);
      const first = this.article.dataset.status === "pending";
      const decision = await send("POST", "/api/decisions", body, { headers: { "Idempotency-Key": this.attempt.key } });
      this.held = null;
      this.dirty = false;
      clearTimeout(this.saving);
      this.id = null;
      this.decided(id, decision, first && decision.refund_usd > limit);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      await this.#refused(problem, button);
    } finally {
      this.sending = false;
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }

  async #refused(problem) {
    announce(problem.message);
    if (problem.status !== 409) return this.#notice(problem.message, "bad");
    await this.#saveDraft();
    await this.refresh(problem.message, "bad");
    const winner = problem.document.winner;
    if (winner) this.elsewhere(winner.order_id, { decided_by: winner.decided_by });
  }

  async #undoHere(button) {
    button.disabled = true;
    try {
      await this.undo({ decision_id: button.dataset.decision, order_id: this.id });
      await this.refresh("The decision is undone; the case is open again.", "good");
      this.#claim();
    } catch (problem) {
      this.#notice(problem.message, "bad");
      button.disabled = false;
    }
  }

  async #rate(button) {
    const form = button.closest("[data-rating]");
    try {
      const body = { helpful: button.value === "yes", reason: form.querySelector("input").value };
      await send("POST", `/api/cases/${encodeURIComponent(this.id)}/rating`, body);
      form.replaceChildren(Object.assign(document.createElement("span"), { textContent: "Thank you: kept for the evaluation." }));
    } catch (problem) {
      this.#notice(problem.message, "bad");
    }
  }

  #typed(event) {
    if (!event.target.closest("form.decide")) return;
    if (event.target.name === "refund_usd") this.#classFollows(event.target);
    if (event.target.name === "refund_class") this.#amountFollows(event.target);
    this.dirty = true;
    this.#draftState("…");
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.#saveDraft(), DRAFT_PAUSE_MS);
  }

  // Nothing is "none", the whole order is "full", anything between is "partial"; whichever is typed, the other follows.
  #classFollows({ value, max }) {
    const usd = Number(value);
    this.form.elements.refund_class.value = usd === 0 ? "none" : max && usd === Number(max) ? "full" : "partial";
  }

  #amountFollows({ value }) {
    const amount = this.form.elements.refund_usd;
    if (value === "none") amount.value = "0.00";
    if (value === "full" && amount.max) amount.value = amount.max;
  }

  async #saveDraft() {
    clearTimeout(this.saving);
    const typed = this.dirty && this.#typedValues();
    if (!typed) return;
    this.dirty = false;
    const { refund_usd: usd, refund_class: share, reason_code: code, note, action } = typed;
    const body = {
      version: this.version, action, refund_usd: usd || null, refund_class: share || null, reason_code: code || null, note: note ?? "",
    };
    try {
      await send("PUT", `/api/cases/${encodeURIComponent(this.id)}/draft`, body);
      this.#draftState("Draft kept");
    } catch (problem) {
      this.dirty = true;
      this.#draftState(`Draft not kept: ${problem.message}`);
    }
  }

  #draftState(text) {
    const place = this.place.querySelector("[data-draft-state]");
    if (place) place.textContent = text;
  }

  #typedValues() {
    const form = this.form;
    if (!form?.dataset.action) return null;
    return { ...Object.fromEntries(new FormData(form)), action: form.dataset.action };
  }

  #restore({ action, ...values }) {
    this.#chooseAction(action);
    for (const [name, value] of Object.entries(values)) {
      if (this.form.elements[name]) this.form.elements[name].value = value;
    }
  }

  #notice(text, tone) {
    this.place.querySelector(":scope > .notice, article > .notice.said")?.remove();
    const notice = Object.assign(document.createElement("p"), { className: `notice said ${tone}`, textContent: text });
    notice.setAttribute("role", tone === "bad" ? "alert" : "status");
    (this.article ?? this.place).prepend(notice);
    this.place.scrollTop = 0;
  }
}

function difference(before, now) {
  const parts = [];
  const usd = (value) => (value == null || value === "" ? "no amount" : `$${Number(value).toFixed(2)}`);
  if (usd(before.usd) !== usd(now.refund_usd)) parts.push(`the recommendation is ${usd(now.refund_usd)} now, it was ${usd(before.usd)}`);
  if ((before.class ?? "") !== (now.refund_class ?? "")) parts.push(`its class is ${now.refund_class ?? "open"} now`);
  if (before.status !== now.status) parts.push(now.status === "decided" ? `${now.decided_by} decided it` : `it is ${now.status} now`);
  return parts.join("; ") || "there is a newer version of it";
}
