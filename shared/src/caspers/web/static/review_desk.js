// A reviewers' desk: the list, the case beside it, what the keys do, and what is live.
import { CaseList, followFilters, keepViews } from "./case_list.js";
import { CasePane } from "./case_pane.js";
import { announce } from "./fragments.js";

const UNDO_MS = 20_000;

/** Dollars as people read them. */
export const dollars = (value) => `$${Number(value ?? 0).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

/**
 * The desk of this page. What differs between consoles comes in:
 * `key` and `amount` name the fields of a decision that hold its case and its dollars; `said(decision)` is a decision
 * in words and `settled(decision)` in the one word that stands in its row; `changes(before, now)` lists what is new of a case
 * (`before` is the data of its article); `follow(field, form)` lets other fields follow the one that was just typed in.
 * `commands(desk)` are commands of its own.
 */
export class Desk {
  constructor(console) {
    this.console = console;
    this.panePlace = document.getElementById("pane");
    const place = document.getElementById("list");
    this.pane = new CasePane(this.panePlace, console, {
      decided: (id, decision, waits) => this.#decided(id, decision, waits),
      elsewhere: (id, now) => this.list?.settle(id, now.decided_by ?? "decided"),
    });
    this.list = place && new CaseList(place, { api: "/api/queue", opened: (id) => this.open(id) });
    this.undoBar = document.getElementById("undo");
    this.last = null;
    this.#listen();
    if (this.list) {
      followFilters(document.getElementById("filters"), this.list);
      keepViews(document.getElementById("views"), document.getElementById("save-view"));
      this.list.select(this.list.rows[0]);
    }
    this.#prepareNext();
  }

  // On a narrow window there is no pane beside the list: a case is a page of its own.
  open(id) {
    if (!id) return;
    if (this.list && !this.panePlace.checkVisibility()) return location.assign(pageOf(id));
    this.pane.open(id).then(() => this.#prepareNext());
  }

  next() {
    if (this.list) {
      const row = this.list.next;
      if (!row) return this.#finished();
      this.list.select(row);
      return this.open(row.dataset.case);
    }
    const id = this.pane.article?.dataset.next;
    if (!id) return this.#finished();
    history.pushState(null, "", pageOf(id));
    this.open(id);
  }

  async undo() {
    if (!this.last) return;
    const decision = this.last;
    const id = decision[this.console.key];
    this.last = null;
    this.undoBar.hidden = true;
    try {
      await this.pane.undo(decision.decision_id);
      this.list?.unsettle(id);
      this.list?.select(this.list.row(id));
      await this.pane.openAnew(id);
    } catch (problem) {
      announce(problem.message);
      this.#offerUndo(problem.message);
    }
  }

  #listen() {
    const commands = {
      down: () => this.list?.move(1),
      up: () => this.list?.move(-1),
      open: () => this.open(this.list?.current?.dataset.case ?? this.list?.rows[0]?.dataset.case),
      next: () => this.next(),
      undo: () => this.undo(),
      news: () => this.list?.reload(),
      search: () => document.querySelector("#filters [name=text]")?.focus(),
      ...this.console.commands?.(this),
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-command]");
      if (button) commands[button.dataset.command]?.(button);
    });
    document.addEventListener("live", () => {
      this.list?.news();
      this.pane.check();
    });
  }

  #prepareNext() {
    this.pane.prepare(this.list ? this.list.next?.dataset.case : this.pane.article?.dataset.next);
  }

  #decided(id, decision, waits) {
    this.last = decision;
    const said = waits ? `${dollars(decision[this.console.amount])} waits for a second person` : this.console.said(decision);
    this.list?.settle(id, waits ? "2nd" : this.console.settled(decision));
    announce(`${said}: ${id}`);
    this.#offerUndo(`${said} · ${id}`);
    this.next();
  }

  #finished() {
    const words = "Nothing is left in this list.";
    this.pane.close(words);
    announce(words);
  }

  #offerUndo(text) {
    this.undoBar.querySelector("span").textContent = text;
    this.undoBar.hidden = false;
    clearTimeout(this.undoBar.timer);
    this.undoBar.timer = setTimeout(() => { this.undoBar.hidden = true; }, UNDO_MS);
  }
}

function pageOf(id) {
  return `${document.body.dataset.root}/cases/${encodeURIComponent(id)}`;
}
