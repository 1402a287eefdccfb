// What people ask for: an element with data-send sends its data-body with the fields of its form, and says what came of it.
// `{name}` in the address is a field; data-goes is the page to go to when it went well; data-once makes it happen once.

import { announce, idempotencyKey, send } from "../caspers/fragments.js";
import { draw, live, root, view } from "./living.js";

const TYPING_MS = 250;

/** Send what an element with data-send says; what comes back may lead to another page. */
async function ask(element, body) {
  const { method = "POST", goes } = element.dataset;
  const address = element.dataset.send.replace(/\{(\w+)\}/g, (_, name) => { const value = body[name]; delete body[name]; return encodeURIComponent(value); });
  const headers = "once" in element.dataset ? { "Idempotency-Key": (element.idempotency ??= idempotencyKey()) } : {};
  element.disabled = true;
  try {
    const answer = await send(method, address, body, { headers });
    announce(`${element.textContent.trim()}: done`);
    if (goes) location.assign(root + goes.replace("{run_id}", answer.run_id));
    else { complain(element, null); await draw(); }
  } catch (problem) {
    complain(element, problem);
  } finally {
    element.disabled = false;
  }
}

function complain(element, problem) {
  const place = element.closest("[data-complaints]") ?? element.parentElement;
  place.querySelector(".complaint")?.remove();
  if (!problem) return;
  announce(problem.message);
  const notice = Object.assign(document.createElement("p"), { className: "notice bad complaint", role: "alert" });
  notice.dataset.kept = "";
  notice.append(problem.message);
  if (problem.document?.href) notice.append(" ", Object.assign(document.createElement("a"), { href: root + page(problem.document), textContent: "Look at it" }));
  place.append(notice);
}

function page(problem) {
  return problem.run_id ? `/runs/${problem.run_id}` : problem.href;
}

function bodyOf(element) {
  const body = JSON.parse(element.dataset.body ?? "{}");
  const form = element.closest("form");
  for (const field of form?.elements ?? []) {
    if (!field.name || field.value === "" || field.disabled) continue;
    body[field.name] = field.type === "number" ? Number(field.value) : field.value;
  }
  return body;
}

document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-send], [data-copy], a[data-view]");
  if (!element || event.defaultPrevented) return;
  if (element.matches("a[data-view]")) {
    const toggle = element.dataset.toggle && (event.ctrlKey || event.metaKey || event.shiftKey);
    if (!toggle && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    view(toggle ? element.dataset.toggle : element.href);
  } else if (element.dataset.copy) copy(element);
  else if (element.type !== "submit") ask(element, element.dataset.method === "DELETE" ? null : bodyOf(element));
});

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button[data-send]");
  if (button) { event.preventDefault(); ask(button, bodyOf(button)); return; }
  if (event.target.matches("form[data-view]")) { event.preventDefault(); show(event.target); }
});

async function copy(element) {
  const text = document.getElementById(element.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(document.getElementById(element.dataset.copy));
    document.execCommand("copy");
  }
  announce("Copied");
  const before = element.textContent;
  element.textContent = "Copied";
  setTimeout(() => { element.textContent = before; }, 1_500);
}

// A form with data-view: its fields are the view.
let waiting = 0;
function show(form) {
  clearTimeout(waiting);
  const fields = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== (form.elements[name]?.dataset?.default ?? "")));
  view(`${location.pathname}${fields.size ? "?" : ""}${fields}`, { replace: true });
}
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-view]");
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(form), TYPING_MS);
});

// What is typed to confirm opens the button beside it.
function openWhenTyped(field) {
  field.form.querySelector("button[data-send]").disabled = field.value !== field.dataset.word || "forbidden" in field.dataset;
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-word]")) openWhenTyped(event.target); });
live.addEventListener("drawn", () => live.querySelectorAll("[data-word]").forEach(openWhenTyped));
