// One case on a reviewers' desk: it is claimed while it is open, its draft is kept while one types, its evidence comes after
// it, and a decision is sent once and says what became of it.
//
// The form says what an action needs: a button names its action (data-action), the parts of the form that the action fills
// in name it too (data-for), and an action that no part names is sent at once. What is hidden is not sent.
import { announce, block, idempotencyKey, nodes, Problem, read, send, showAges } from "./fragments.js";

const RENEW_MS = 60_000;
const DRAFT_PAUSE_MS = 500;

export class CasePane {
  /** `console` is what differs between consoles (see review_desk.js). `decided(id, decision, waits)` is called for a decision
   *  made here (`waits`: for a second person), `elsewhere(id, case)` for one made by somebody else. */
  constructor(place, console, { decided, elsewhere }) {
    Object.assign(this, { place, console, decided, elsewhere, id: null, ahead: new Map() });
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

  /** Show a case as it is now, whatever was known of it. */
  async openAnew(id) {
    this.id = null;
    this.ahead.clear();
    await this.open(id);
  }

  /** Fetch a case that will probably be opened next. */
  prepare(id) {
    if (!id || id === this.id || this.ahead.has(id)) return;
    const fetched = this.#fetch(id);
    fetched.catch(() => this.ahead.delete(id));
    this.ahead.clear();
    this.ahead.set(id, fetched);
  }

  /** Show words where a case would be. */
  close(words) {
    this.id = null;
    this.place.replaceChildren(element("p", { className: "empty", textContent: words }));
  }

  /** Somebody may have changed the open case: say what changed, keep what was typed. */
  async check() {
    if (!this.id || !this.article || this.sending) return;
    const id = this.id;
    try {
      const { case: now } = await read(addressOf(id));
      if (id !== this.id || now.version === this.version) return;
      await this.refresh(`This case has changed: ${this.#difference(now)}.`);
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

  async undo(decisionId) {
    const undone = await send("POST", `/api/decisions/${encodeURIComponent(decisionId)}/undo`, { note: "" });
    announce(`The decision on ${undone[this.console.key]} is undone.`);
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
      const again = element("button", { type: "button", textContent: "Try again" });
      again.addEventListener("click", () => { place.replaceChildren(); this.#evidence(); });
      const notice = element("div", { className: "notice warn" });
      notice.append(element("p", { textContent: `The evidence did not come. ${problem.message}` }), again);
      place.replaceChildren(notice);
    }
    place.removeAttribute("aria-busy");
  }

  // A lease: taken when a case is opened that this reader may decide, renewed while it is open, given back when one leaves.
  async #claim(takeOver = false) {
    if (!this.id || !this.form?.querySelector("button[data-action]:enabled")) return;
    const id = this.id;
    try {
      await send("POST", addressOf(id, "/claim"), { take_over: takeOver });
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
    const address = addressOf(this.held, "/claim");
    this.held = null;
    send("DELETE", address, null, { keepalive: true }).catch(() => { /* it runs out by itself */ });
  }

  #holder(text, taken = false) {
    const place = this.place.querySelector(".holder");
    if (!place) return;
    place.querySelector("span").textContent = text;
    place.classList.toggle("warn", taken);
    place.querySelector("button").hidden = !taken;
  }

  #clicked(event) {
    const button = event.target.closest("button[data-do], button[data-action]");
    if (!button) return;
    if (button.dataset.action) return this.#act(button);
    const doings = {
      "take-over": () => this.#claim(true), rate: () => this.#rate(button), undo: () => this.#undoHere(button),
      "close-form": () => this.#chooseAction(""),
    };
    doings[button.dataset.do]?.();
  }

  #act(button) {
    const { action } = button.dataset;
    if (this.#partsFor(action).length) return this.#chooseAction(action);
    return this.#decide(action, button);
  }

  #partsFor(action) {
    return [...this.form.querySelectorAll("fieldset[data-for]")].filter((part) => part.dataset.for.split(" ").includes(action));
  }

  // The parts of the form that the action fills in open; the form is then sent with Enter.
  #chooseAction(wanted) {
    const parts = wanted ? this.#partsFor(wanted) : [];
    for (const part of this.form.querySelectorAll("fieldset[data-for]")) part.hidden = part.disabled = !parts.includes(part);
    const action = parts.length ? wanted : "";
    this.form.dataset.action = action;
    for (const bar of this.form.querySelectorAll("[data-bar]")) bar.hidden = (bar.dataset.bar === "form") !== Boolean(action);
    if (!action) return this.article.focus({ preventScroll: true });
    this.form.querySelector("[data-send]").firstChild.textContent = `${this.#buttonOf(action).dataset.sendAs} `;
    const first = this.form.querySelector(`[data-first~="${action}"]`) ?? parts[0].querySelector("input, select, textarea");
    first.focus();
    first.select?.();
  }

  #buttonOf(action) { return this.form.querySelector(`button[data-action="${action}"]`); }

  #key(event) {
    const form = event.target.closest("form.decide");
    if (!form) return;
    if (event.key === "Escape") { event.preventDefault(); this.#chooseAction(""); }
    // Digits choose a reason. Enter sends, also from a note (Shift+Enter makes a line there); a letter is sent with Ctrl+Enter.
    const codes = [...form.querySelectorAll("[name=reason_code]")];
    if (event.target.name === "reason_code" && codes[Number(event.key) - 1]) {
      event.preventDefault();
      codes[Number(event.key) - 1].click();
      codes[Number(event.key) - 1].focus();
    }
    const letter = "letter" in event.target.dataset;
    if (event.key === "Enter" && event.target.tagName === "TEXTAREA" && (letter ? event.ctrlKey : !event.shiftKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  // Without a chosen action it is the first one: what the agent says.
  #submit(form) {
    if (form.dataset.action) return this.#decide(form.dataset.action, form.querySelector("[data-send]"));
    form.querySelector("button.primary[data-action]:not(:disabled)")?.click();
  }

  async #decide(action, button) {
    if (this.sending) return;
    this.sending = true;
    const id = this.id;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      const body = { [this.console.key]: id, version: this.version, action, ...filledIn(this.form) };
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
      this.decided(id, decision, first && decision[this.console.amount] > limit);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      await this.#refused(problem);
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
    if (winner) this.elsewhere(winner[this.console.key], { decided_by: winner.decided_by });
  }

  async #undoHere(button) {
    button.disabled = true;
    try {
      await this.undo(button.dataset.decision);
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
      await send("POST", addressOf(this.id, "/rating"), body);
      form.replaceChildren(element("span", { textContent: "Thank you: kept for the evaluation." }));
    } catch (problem) {
      this.#notice(problem.message, "bad");
    }
  }

  #typed(event) {
    if (!event.target.closest("form.decide")) return;
    this.console.follow(event.target, this.form);
    this.dirty = true;
    this.#draftState("…");
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.#saveDraft(), DRAFT_PAUSE_MS);
  }

  async #saveDraft() {
    clearTimeout(this.saving);
    const typed = this.dirty && this.#typedValues();
    if (!typed) return;
    this.dirty = false;
    try {
      await send("PUT", addressOf(this.id, "/draft"), { version: this.version, ...typed });
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
    if (!this.form || !(this.form.dataset.action || this.dirty)) return null;
    return { ...filledIn(this.form), action: this.form.dataset.action || null };
  }

  #restore({ action, ...values }) {
    if (action) this.#chooseAction(action);
    for (const [name, value] of Object.entries(values)) {
      if (this.form.elements[name]) this.form.elements[name].value = value;
    }
  }

  #difference(now) {
    const before = this.article.dataset;
    const parts = this.console.changes(before, now);
    if (before.status !== now.status) parts.push(now.status === "decided" ? `${now.decided_by} decided it` : `it is ${now.status} now`);
    return parts.join("; ") || "there is a newer version of it";
  }

  #notice(text, tone) {
    this.place.querySelector(":scope > .notice, article > .notice.said")?.remove();
    const notice = element("p", { className: `notice said ${tone}`, textContent: text, role: tone === "bad" ? "alert" : "status" });
    (this.article ?? this.place).prepend(notice);
    this.place.scrollTop = 0;
  }
}

/** What the open parts of a form hold, without what is empty. */
function filledIn(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
}

function addressOf(id, rest = "") {
  return `/api/cases/${encodeURIComponent(id)}${rest}`;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
