// Turn what a page shows into what the server says now, node by node: what is the same stays, so that focus, scrolling,
// open details and half-filled fields survive. Nodes with an id or a data-id are found again where they moved to; those
// with data-kept were put there by a script and stay.

// Whether details are open is the reader's affair.
const OPEN = "open";

/** Make `element`'s children those of `html`. */
export function morph(element, html) {
  const wanted = Object.assign(document.createElement("template"), { innerHTML: html }).content;
  children(element, wanted);
}

function children(now, wanted) {
  const known = new Map([...now.children].filter(name).map((child) => [name(child), child]));
  let at = now.firstChild;
  for (const next of [...wanted.childNodes]) {
    let match = at;
    if (name(next)) match = known.get(name(next)) ?? null;
    else while (match && (name(match) || kept(match))) match = match.nextSibling;
    if (!match || !alike(match, next)) {
      now.insertBefore(next, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else now.insertBefore(match, at);
    same(match, next);
  }
  while (at) {
    const following = at.nextSibling;
    if (!kept(at)) at.remove();
    at = following;
  }
}

function same(now, wanted) {
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== wanted.nodeValue) now.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name: attribute } of [...now.attributes]) {
    if (attribute !== OPEN && !wanted.hasAttribute(attribute)) now.removeAttribute(attribute);
  }
  for (const { name: attribute, value } of wanted.attributes) {
    if (attribute !== OPEN && now.getAttribute(attribute) !== value) now.setAttribute(attribute, value);
  }
  if (now.matches("input, select, textarea") && now === document.activeElement) return;
  if (now.matches("input, textarea") && !("word" in now.dataset) && now.value !== wanted.value) now.value = wanted.value;
  if (now.matches("input") && now.checked !== wanted.checked) now.checked = wanted.checked;
  // A script keeps this text up to date.
  if ("ticking" in now.dataset) return;
  const selected = now.matches("select") ? wanted.value : null;
  children(now, wanted);
  if (selected !== null && now.value !== selected) now.value = selected;
}

function name(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset?.id || "" : "";
}

function kept(node) {
  return node.nodeType === Node.ELEMENT_NODE && "kept" in (node.dataset ?? {});
}

function alike(now, wanted) {
  return now.nodeType === wanted.nodeType && now.nodeName === wanted.nodeName && name(now) === name(wanted);
}
