// The list of a reviewers' desk: one case is current, some are chosen, more come while one scrolls, and what is new waits
// in a bar until somebody asks for it. Rows never move by themselves.
import { announce, block, nodes, Problem, read, showAges } from "./fragments.js";

const NEWS_EVERY_MS = 1_500;
const MANY = 100_000;
const VIEWS = "caspers.views";

export class CaseList {
  /** `api` is the JSON twin of the list's page; `opened` is called with the id of a case to show. */
  constructor(place, { api, opened }) {
    this.place = place;
    this.api = api;
    this.opened = opened;
    this.newsAt = 0;
    place.addEventListener("click", (event) => this.#clicked(event));
    place.addEventListener("change", () => this.#showChosen());
    this.watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#more();
    }, { root: place, rootMargin: "600px" });
    this.newest = this.#newestListed();
    this.marked = this.newest === undefined ? this.#mark() : Promise.resolve();
    this.#arrived();
  }

  get rows() { return [...this.place.querySelectorAll("tr[data-case]")]; }
  get current() { return this.place.querySelector("tr[aria-current]"); }
  get chosen() { return this.rows.filter((row) => row.querySelector("[data-choose]")?.checked); }
  row(id) { return this.place.querySelector(`tr[data-case="${CSS.escape(id)}"]`); }

  /** Make a row the current one and bring it into view. */
  select(row) {
    if (!row) return;
    this.current?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  move(step) {
    const rows = this.rows;
    const at = rows.indexOf(this.current);
    this.select(rows[Math.min(Math.max(at + step, 0), rows.length - 1)]);
  }

  /** The next row after the current one that is still to be decided. */
  get next() {
    const rows = this.rows;
    const at = rows.indexOf(this.current);
    const open = (row) => !row.classList.contains("settled") && !row.dataset.heldBy;
    return rows.slice(at + 1).find(open) ?? rows.slice(0, Math.max(at, 0)).find(open) ?? null;
  }

  choose() {
    const box = this.current?.querySelector("[data-choose]");
    if (box) { box.checked = !box.checked; this.#showChosen(); }
  }

  /** Ask for the list anew, as the address says; the case that is open stays open. */
  async reload(query = location.search) {
    const current = this.current?.dataset.case;
    this.place.setAttribute("aria-busy", "true");
    try {
      await (this.marked = this.#mark());
      const fresh = nodes(await block(`/${query}`, "queue"));
      document.getElementById("summary").replaceWith(fresh.getElementById("summary"));
      this.place.replaceChildren(...fresh.getElementById("list").childNodes);
      this.place.scrollTop = 0;
      this.#arrived();
      if (current) this.row(current)?.setAttribute("aria-current", "true");
      announce(`${this.rows.length} cases listed.`);
    } catch (problem) {
      this.#trouble(problem);
    } finally {
      this.place.removeAttribute("aria-busy");
    }
  }

  /** Something has changed: count what is new for the list as it is filtered, and say so in the bar. */
  async news() {
    if (Date.now() - this.newsAt < NEWS_EVERY_MS) {
      this.later ??= setTimeout(() => { this.later = null; this.news(); }, NEWS_EVERY_MS);
      return;
    }
    this.newsAt = Date.now();
    this.#recount();
    try {
      await this.marked;
      const query = new URLSearchParams(location.search);
      if (this.newest) query.set("newer_than", this.newest);
      const { cases, exact } = await read(`${this.api}/counts?${query}`);
      const bar = document.getElementById("news");
      bar.hidden = cases === 0;
      bar.querySelector("span").textContent = `${cases.toLocaleString("en-US")}${exact || cases < MANY ? "" : " or more"} new`;
    } catch { /* the next update asks again */ }
  }

  // The figures above the list are read anew without touching the list.
  async #recount() {
    try {
      const fresh = nodes(await block(`/${location.search}`, "summary"));
      document.getElementById("summary").replaceWith(fresh.getElementById("summary"));
    } catch { /* the next update asks again */ }
  }

  /** Mark a row as done where it stands. */
  settle(id, outcome) {
    const row = this.row(id);
    if (!row) return;
    row.classList.add("settled");
    const box = row.querySelector("[data-choose]");
    if (box) { box.checked = false; box.disabled = true; }
    const cell = row.querySelector(".outcome");
    if (cell) cell.textContent = outcome;
    this.#showChosen();
  }

  /** Take a settled row back. */
  unsettle(id) {
    const row = this.row(id);
    if (!row) return;
    row.classList.remove("settled");
    const box = row.querySelector("[data-choose]");
    if (box) box.disabled = false;
    const cell = row.querySelector(".outcome");
    if (cell) cell.textContent = "";
  }

  // A list that begins with the newest tells it itself, so that what came since it was made is news from the start.
  #newestListed() {
    const sorted = document.querySelector("select[name=sort]")?.value === "newest";
    return sorted ? this.rows[0]?.dataset.recommendedAt ?? "" : undefined;
  }

  // What is newer than the newest case of now is news later on, in whatever order the list is.
  async #mark() {
    const query = new URLSearchParams(location.search);
    query.set("sort", "newest");
    query.set("limit", 1);
    try {
      this.newest = (await read(`${this.api}?${query}`)).cases[0]?.recommended_at ?? "";
    } catch { this.newest ??= ""; }
  }

  #arrived() {
    document.getElementById("news").hidden = true;
    showAges(this.place);
    this.#watchMore();
    this.#showChosen();
  }

  #watchMore() {
    this.watcher.disconnect();
    const more = this.place.querySelector("tr.more");
    if (more) this.watcher.observe(more);
  }

  async #more() {
    const mark = this.place.querySelector("tr.more");
    if (!mark || mark.dataset.asked) return;
    mark.dataset.asked = "true";
    const query = new URLSearchParams(location.search);
    query.set("after", mark.dataset.next);
    try {
      mark.replaceWith(nodes(await block(`/?${query}`, "rows")));
      showAges(this.place);
    } catch (problem) {
      delete mark.dataset.asked;
      mark.querySelector("td").textContent = problem.message;
    }
    this.#watchMore();
  }

  #clicked(event) {
    if (event.target.closest("input, button")) return;
    const row = event.target.closest("tr[data-case]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.select(row);
    this.opened(row.dataset.case);
  }

  #showChosen() {
    const bar = document.getElementById("chosen");
    if (!bar) return;
    const chosen = this.chosen;
    bar.hidden = chosen.length === 0;
    bar.querySelector("span").textContent = `${chosen.length} chosen`;
  }

  #trouble(problem) {
    if (!(problem instanceof Problem)) throw problem;
    const notice = Object.assign(document.createElement("p"), { className: "notice bad", textContent: problem.message });
    notice.setAttribute("role", "alert");
    this.place.prepend(notice);
  }
}

/** Filters that live in the address: a change asks for the list anew, going back brings the old one. */
export function followFilters(form, list) {
  const query = () => {
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    return fields.length ? `?${new URLSearchParams(fields)}` : "";
  };
  const apply = () => {
    history.pushState(null, "", location.pathname + query());
    list.reload();
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  form.addEventListener("change", apply);
  window.addEventListener("popstate", () => location.reload());
}

/** Views that somebody has named: addresses kept in this browser, which can be sent to others as links. */
export function keepViews(menu, saver) {
  const views = () => JSON.parse(localStorage.getItem(VIEWS) ?? "{}");
  const show = () => {
    const named = Object.entries(views()).map(([name, query]) => new Option(name, query, false, query === location.search));
    menu.replaceChildren(new Option(named.length ? "Views" : "No views yet", "-"), ...named);
    menu.disabled = named.length === 0;
  };
  menu.addEventListener("change", () => { if (menu.value !== "-") location.search = menu.value; });
  saver.addEventListener("click", () => {
    const name = prompt("Name this view (an existing name is replaced, an empty address removes it):")?.trim();
    if (!name) return;
    localStorage.setItem(VIEWS, JSON.stringify({ ...views(), [name]: location.search }));
    show();
    announce(`View ${name} saved.`);
  });
  show();
}
