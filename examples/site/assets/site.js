// What needs a script: walks along a list, the name of the dot under the pointer, and the search.
// Pages can be read without. Nothing is loaded from anywhere, so that pages work from a disk.
"use strict";

// An element with attributes and what is in it; texts stay texts.
function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

// Walks: a link of a list carries the whole list behind its #, so that the page which it leads to
// can show the way on, and back.

const NAME = /^[a-z0-9-]+$/;

const pageName = (path) => path.split("/").pop().replace(/\.html$/, "");

function stepLink(walk, at) {
  const parts = new URLSearchParams({ ...walk, at, through: walk.through.join(" ") });
  return `${walk.through[at]}.html#${parts}`;
}

function addWalks() {
  for (const list of document.querySelectorAll("ol[data-walk]")) {
    const links = [...list.querySelectorAll("li > a")];
    const through = links.map((link) => pageName(link.getAttribute("href")));
    const walk = { walk: list.dataset.walk, from: pageName(location.pathname), through };
    links.forEach((link, at) => link.setAttribute("href", stepLink(walk, at)));
    for (const begin of document.querySelectorAll("a[data-begin]")) {
      if (begin.dataset.begin === list.dataset.list) begin.setAttribute("href", stepLink(walk, 0));
    }
  }
}

// The walk that this page is a step of; null where the address has none that could be ours.
function currentWalk() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const through = (parts.get("through") || "").split(" ");
  const walk = { walk: parts.get("walk"), from: parts.get("from"), through };
  const at = Number(parts.get("at") || NaN);
  const sound = walk.walk && [walk.from, ...through].every((name) => NAME.test(name));
  return sound && through[at] === pageName(location.pathname) ? { walk, at } : null;
}

function showWalk() {
  document.querySelector("nav.walk")?.remove();
  const current = currentWalk();
  if (!current) return;
  const { walk, at } = current;
  const before = at > 0 ? stepLink(walk, at - 1) : `${walk.from}.html`;
  const bar = element("nav", { class: "walk", "aria-label": walk.walk },
    element("p", {}, element("a", { href: `${walk.from}.html` }, walk.walk),
      `: ${at + 1} of ${walk.through.length}`),
    element("a", { href: before, rel: "prev" }, "Previous"));
  if (at + 1 < walk.through.length) {
    bar.append(element("a", { href: stepLink(walk, at + 1), rel: "next" }, "Next"));
  } else {
    bar.append(element("span", {}, "This is the last."));
  }
  document.getElementById("main").prepend(bar);
}

// The map: the dot nearest to the pointer is named, and a click beside it means it, too.

const REACH = 24;

function nearestDot(map, event) {
  const box = map.getBoundingClientRect(), view = map.viewBox.baseVal;
  const scale = view.width / box.width;
  const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
  let nearest = null, least = (REACH * scale) ** 2;
  for (const dot of map.querySelectorAll("circle")) {
    const distance = (dot.cx.baseVal.value - x) ** 2 + (dot.cy.baseVal.value - y) ** 2;
    if (distance < least) [nearest, least] = [dot, distance];
  }
  return nearest;
}

function watchMap(map) {
  const caption = document.getElementById("point");
  let shown = null;
  const show = (dot) => {
    if (dot === shown || !dot) return;
    shown?.classList.remove("near");
    dot.classList.add("near");
    shown = dot;
    const link = dot.parentElement.getAttribute("href");
    caption.replaceChildren(element("a", { href: link }, dot.textContent));
  };
  map.addEventListener("pointermove", (event) => show(nearestDot(map, event)));
  // A finger covers many dots: it chooses one, and the line below leads to it.
  map.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const dot = nearestDot(map, event);
    show(dot);
    event.preventDefault();
    if (dot && event.pointerType !== "touch") location.href = dot.parentElement.href.baseVal;
  });
}

// Search: an item is found if each word that was typed begins a word of it.

const SHOWN = 50;
const WORD = /[\p{L}\p{N}]+/gu;

// Without accents and in small letters.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// Where in a text the words are that begin so; null unless all are there.
function find(text, typed) {
  const places = [], missing = new Set(typed);
  for (const match of text.matchAll(WORD)) {
    const word = plain(match[0]);
    const hit = typed.filter((part) => word.startsWith(part));
    if (hit.length > 0) places.push([match.index, match.index + match[0].length]);
    hit.forEach((part) => missing.delete(part));
  }
  return missing.size === 0 ? places : null;
}

function marked(text, places) {
  const parts = [];
  let after = 0;
  for (const [from, to] of places) {
    parts.push(text.slice(after, from), element("mark", {}, text.slice(from, to)));
    after = to;
  }
  return [...parts, text.slice(after)];
}

function result([name, id, text], typed) {
  const entry = element("li", {}, element("a", { href: `items/${name}.html` }, id));
  if (text !== id) entry.append(element("p", {}, ...marked(text, find(text, typed) || [])));
  return entry;
}

function search(words) {
  const typed = (plain(words).match(WORD) || []);
  const list = document.getElementById("results"), status = document.getElementById("found");
  const found = typed.length === 0 ? []
    : window.searchIndex.filter(([, id, text]) => find(`${id} ${text}`, typed));
  list.replaceChildren(...found.slice(0, SHOWN).map((item) => result(item, typed)));
  if (typed.length === 0) {
    status.textContent = "Type a word, or its beginning, into the field above.";
  } else {
    const more = found.length > SHOWN ? `, of which the first ${SHOWN} are shown` : "";
    status.textContent = `${found.length} found for “${words.trim()}”${more}.`;
  }
}

function startSearch() {
  const field = document.getElementById("q");
  field.value = new URLSearchParams(location.search).get("q") || "";
  search(field.value);
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?q=${encodeURIComponent(field.value)}`);
    search(field.value);
  });
  field.addEventListener("input", () => search(field.value));
}

addWalks();
showWalk();
addEventListener("hashchange", showWalk);
const map = document.querySelector("svg.map");
if (map) watchMap(map);
if (window.searchIndex) startSearch();
