// The moving parts of the replay's page: the clock between two updates, the windows and their picture.
"use strict";

const TONES = {
  "running": "good", "catching up": "busy", "starting": "busy", "paused": "warn", "backing_off": "warn",
  "failed": "bad",
};

const section = document.getElementById("replay");
const clock = document.getElementById("virtual-time");
let beat = null;

function text(moment) {
  return moment ? new Date(moment).toISOString().slice(0, 19).replace("T", " ") : "–";
}

function cell(content, kind = "") {
  return Object.assign(document.createElement("td"), { textContent: content, className: kind });
}

function row(window) {
  const element = document.createElement("tr");
  const number = (value) => cell(value.toLocaleString("en-US"), "number");
  element.append(
    cell(text(window.start)), cell(text(window.end)), number(window.events), number(window.files),
    number(window.took_s), cell(text(window.closed_at)),
  );
  return element;
}

// Windows are as long as days or as short as minutes: what compares is how much happened in an hour of their time.
function anHour(window) {
  const hours = (Date.parse(window.end) - Date.parse(window.start)) / 3_600_000;
  return window.events / Math.max(hours, 1 / 3600);
}

function bars(windows) {
  const most = Math.max(1, ...windows.map(anHour));
  return windows.map((window) => {
    const bar = document.createElement("i");
    bar.style.height = `${Math.max(2, (100 * anHour(window)) / most)}%`;
    bar.title = `${Math.round(anHour(window)).toLocaleString("en-US")} events an hour, ${text(window.start)} to ${text(window.end)}`;
    return bar;
  });
}

function showState(status) {
  const state = document.getElementById("state");
  state.textContent = status.state.replace("_", " ");
  state.className = `state ${TONES[status.state] ?? "calm"}`;
  document.getElementById("until").textContent = status.until ? `until ${text(status.until)}` : "";
  const trouble = document.getElementById("trouble");
  trouble.hidden = !status.last_error;
  trouble.textContent = status.last_error ?? "";
}

section.addEventListener("live", ({ detail: status }) => {
  showState(status);
  beat = status.virtual_time && { at: Date.parse(status.virtual_time), heard: performance.now(), status };
  document.getElementById("folder").textContent = status.dataset?.folder ?? status.canonical.path ?? "none yet";
  if (status.windows.length) {
    document.getElementById("windows").replaceChildren(...status.windows.map(row));
    document.getElementById("rhythm").replaceChildren(...bars([...status.windows].reverse()));
  }
});

// Between two updates the clock goes on by itself, at most for the few seconds in which one is due.
setInterval(() => {
  if (!beat) return;
  const { status, at, heard } = beat;
  const moving = ["running", "catching up"].includes(status.state) && !status.paused;
  const passed = moving ? Math.min(performance.now() - heard, 5000) * status.speed : 0;
  const limit = status.until ? Date.parse(status.until) : Infinity;
  clock.textContent = text(Math.min(at + passed, limit));
}, 200);
