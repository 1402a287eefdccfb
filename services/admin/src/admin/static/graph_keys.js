// The graph by keys: arrows go to the nearest stage that way, Space adds it to what is chosen or takes it away.

import { view } from "./living.js";

document.addEventListener("keydown", (event) => {
  const node = event.target.closest?.(".node");
  if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " ") { event.preventDefault(); view(node.dataset.toggle).then(() => focusNode(node.dataset.name)); return; }
  const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
  if (!step) return;
  event.preventDefault();
  nearest(node, step)?.focus();
});

function focusNode(name) {
  document.querySelector(`.node[data-name="${CSS.escape(name)}"]`)?.focus();
}

function nearest(node, [across, down]) {
  const from = middle(node);
  const away = (other) => {
    const to = middle(other);
    const [along, beside] = across ? [(to.x - from.x) * across, Math.abs(to.y - from.y)] : [(to.y - from.y) * down, Math.abs(to.x - from.x)];
    return along < 8 ? Infinity : along + 2 * beside;
  };
  return [...document.querySelectorAll(".node")].filter((other) => away(other) < Infinity).sort((one, other) => away(one) - away(other))[0];
}

function middle(element) {
  const { x, y, width, height } = element.getBoundingClientRect();
  return { x: x + width / 2, y: y + height / 2 };
}
