// The replay's clock goes on between two looks at it: <p id="clock" data-now data-speed data-until data-ticking>.

const TICK_MS = 200;

let seen = { now: "", at: 0 };

setInterval(() => {
  const clock = document.getElementById("clock");
  if (!clock?.dataset.now) return;
  const { now, speed, until } = clock.dataset;
  if (now !== seen.now) seen = { now, at: performance.now() };
  const shown = Date.parse(now) + (performance.now() - seen.at) * Number(speed);
  const last = until ? Math.min(shown, Date.parse(until)) : shown;
  clock.textContent = new Date(last).toISOString().slice(0, 19).replace("T", " ");
}, TICK_MS);
