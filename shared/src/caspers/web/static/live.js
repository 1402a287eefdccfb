// Live pages, keys and buttons, without a library.
//
// <section data-live-source="/api/live" data-poll="/api/status"> listens to server-sent events; each `update` fills
// the elements inside that carry data-live="path.to.field" and is offered to scripts as a `live` event. When nothing
// is heard for a while (a proxy may hold streams back) the section polls until the stream speaks again.
"use strict";

const SILENCE_MS = 15000;
const POLL_MS = 3000;

function valueAt(object, path) {
  return path.split(".").reduce((value, key) => (value == null ? value : value[key]), object);
}

function shown(value) {
  if (value == null) return "–";
  if (typeof value === "number") return value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  return String(value);
}

function show(section, content) {
  for (const element of section.querySelectorAll("[data-live]")) {
    const text = shown(valueAt(content, element.dataset.live));
    if (element.textContent !== text) element.textContent = text;
  }
  section.dispatchEvent(new CustomEvent("live", { detail: content, bubbles: true }));
}

function follow(section) {
  let heardAt = Date.now();
  const heard = (state) => { heardAt = Date.now(); section.dataset.liveState = state; };

  // The browser reconnects by itself, with Last-Event-ID; only a refused connection has to be begun anew.
  const listen = () => {
    const source = new EventSource(section.dataset.liveSource);
    source.addEventListener("open", () => heard("live"));
    source.addEventListener("update", (event) => { heard("live"); show(section, JSON.parse(event.data)); });
    source.addEventListener("heartbeat", () => heard("live"));
    source.addEventListener("trouble", (event) => { heard("trouble"); announce(JSON.parse(event.data).detail); });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, POLL_MS);
    });
  };

  const pollWhenSilent = async () => {
    if (section.dataset.poll && !document.hidden && Date.now() - heardAt > SILENCE_MS) {
      try {
        const answer = await fetch(section.dataset.poll, { headers: { Accept: "application/json" } });
        if (answer.ok) { show(section, await answer.json()); section.dataset.liveState = "polling"; }
      } catch { section.dataset.liveState = "silent"; }
    }
    setTimeout(pollWhenSilent, POLL_MS);
  };

  listen();
  pollWhenSilent();
}

function announce(text) {
  document.getElementById("announcements").textContent = text;
}

// A field as JSON has it: numbers as numbers, a box as true or false, all boxes with data-list as one list.
function fieldsOf(form) {
  const fields = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type !== "checkbox") fields[field.name] = field.type === "number" ? Number(field.value) : field.value;
    else if (!("list" in field.dataset)) fields[field.name] = field.checked;
    else fields[field.name] = [...(fields[field.name] ?? []), ...(field.checked ? [field.value] : [])];
  }
  return fields;
}

// A form with data-post posts its fields as JSON and stays on the page; problems are announced and shown in place. With
// data-post="reload" the page is loaded anew when it went well.
async function post(form) {
  const fields = fieldsOf(form);
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields),
    });
    const body = await answer.json().catch(() => ({}));
    if (answer.ok && form.dataset.post === "reload") return location.reload();
    const text = answer.ok ? `${button.textContent.trim()}: done` : [body.detail, body.what_now].filter(Boolean).join(" ");
    announce(text);
    form.querySelector(".notice")?.remove();
    if (!answer.ok) {
      const notice = Object.assign(document.createElement("p"), { className: "notice bad", textContent: text });
      form.append(notice);
    }
    form.dispatchEvent(new CustomEvent("posted", { detail: body, bubbles: true }));
  } catch {
    announce("The app does not answer.");
  } finally {
    button.disabled = false;
  }
}

function typing(target) {
  return target.isContentEditable || ["SELECT", "TEXTAREA"].includes(target.tagName)
    || (target.tagName === "INPUT" && !["checkbox", "button"].includes(target.type));
}

// Elements with data-key="a" (or several keys: data-key="o Enter") can be clicked by key while they can be seen. Commands
// that need no button stand in a <menu hidden data-commands>. An open dialog has the keys to itself.
function commands() {
  const place = document.querySelector("dialog:modal") ?? document;
  return [...place.querySelectorAll("[data-key]:not(:disabled)")]
    .filter((element) => element.closest("[data-commands]") || element.checkVisibility());
}

function showKeys() {
  const dialog = document.getElementById("keys");
  const known = new Set();
  const entries = commands().filter(({ dataset }) => !known.has(dataset.key) && known.add(dataset.key)).flatMap((element) => {
    const term = document.createElement("dt");
    for (const key of element.dataset.key.split(" ")) {
      term.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
    }
    const meaning = element.dataset.keyLabel
      ?? element.textContent.replace(element.querySelector("kbd")?.textContent ?? "", "").trim();
    return [term, Object.assign(document.createElement("dd"), { textContent: meaning })];
  });
  dialog.querySelector("dl").replaceChildren(...entries);
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  // Enter on a link or a button means that one.
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (event.key === "?") return showKeys();
  const element = commands().find(({ dataset }) => dataset.key.split(" ").includes(event.key));
  if (element) { event.preventDefault(); element.click(); }
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-post]")) { event.preventDefault(); post(event.target); }
});

for (const section of document.querySelectorAll("[data-live-source]")) follow(section);
