// The example site in Chromium: from a disk and from a server, in light and dark, on a telephone,
// by keyboard, and as axe-core sees it. tests/site/run builds what is looked at.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import test, { after, before } from "node:test";
import { pathToFileURL } from "node:url";
import { Browser } from "./browser.mjs";
import { serve } from "./server.mjs";

const SITE = resolve("target/site"), HOSTILE = resolve("target/site-test/site");
const SHOTS = resolve("target/site-test/screenshots");
const LISTS = JSON.parse(readFileSync("target/site-test/lists.json"));
const AXE = readFileSync("target/site-tools/node_modules/axe-core/axe.min.js", "utf8");
const VERSE = "items/psalms-23-1.html", ID = "Psalms 23:1";
const PAGES = ["index.html", VERSE, "all.html", "about.html", "search.html?q=shepherd"];

const bases = { disk: `${pathToFileURL(SITE)}/` };
let browser, server;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await Browser.open();
  server = await serve(SITE);
  bases.server = server.address;
});

after(async () => {
  server?.close();
  await browser?.close();
});

// A page to look at; in the end nothing may have gone wrong on it or been asked of others.
async function looking(base, look) {
  const page = await browser.page();
  try {
    await look(page);
    assert.deepEqual(page.errors, []);
    assert.deepEqual(page.requests.filter((url) => !url.startsWith(base)), []);
  } finally {
    await page.close();
  }
}

// Does the same from a disk and from a server.
function everywhere(what, look) {
  for (const place of ["disk", "server"]) {
    test(`${what}, from a ${place}`, () =>
      looking(bases[place], (page) => look(page, bases[place])));
  }
}

const nameOf = (id) => id.toLowerCase().replace(/[ :]/g, "-");
const heading = (page) => page.evaluate("document.querySelector('h1').textContent");
const stepOf = (page) => page.evaluate("document.querySelector('nav.walk p')?.textContent");
const href = (page, selector) =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).href`);

everywhere("lists are those of the results files", async (page, base) => {
  for (const id of [ID, "Psalms 1:1", "Psalms 150:6"]) {
    await page.goto(`${base}items/${nameOf(id)}.html`);
    for (const [list, rows] of Object.entries(LISTS)) {
      const shown = await page.evaluate(`[...document.querySelectorAll(
        'ol[data-list="${list}"] > li')].map((entry) => [entry.querySelector("a").textContent,
        entry.querySelector("a").pathname.split("/").pop(),
        entry.querySelector(".similarity")?.lastChild.textContent || ""])`);
      const { ids, similarities } = rows[id];
      assert.equal(ids.length, list === "journey" ? 24 : 12);
      assert.deepEqual(shown, ids.map((picked, place) => [picked, `${nameOf(picked)}.html`,
        similarities?.[place].toFixed(2) || ""]));
    }
  }
});

everywhere("a walk leads along a list and back", async (page, base) => {
  const { ids } = LISTS.related[ID];
  await page.goto(base + VERSE);
  await page.follow(() => page.click('ol[data-list="related"] li:nth-child(3) > a'));
  assert.equal(await heading(page), ids[2]);
  assert.equal(await stepOf(page), `Related to ${ID}: 3 of 12`);
  await page.follow(() => page.click('nav.walk a[rel="next"]'));
  assert.equal(await heading(page), ids[3]);
  for (let place = 2; place >= 0; place--) {
    await page.follow(() => page.click('nav.walk a[rel="prev"]'));
    assert.equal(await heading(page), ids[place]);
  }
  await page.follow(() => page.click('nav.walk a[rel="prev"]'));
  assert.equal(await heading(page), ID);
  assert.equal(await stepOf(page), undefined);
});

everywhere("the journey goes ten steps, and to its end", async (page, base) => {
  const { ids } = LISTS.journey[ID];
  await page.goto(base + VERSE);
  await page.follow(() => page.click("a.begin"));
  for (let place = 0; place < 10; place++) {
    assert.equal(await heading(page), ids[place]);
    assert.equal(await stepOf(page), `Journey from ${ID}: ${place + 1} of 24`);
    await page.follow(() => page.click('nav.walk a[rel="next"]'));
  }
  await page.goto(base + VERSE);
  await page.follow(() => page.click('ol[data-list="journey"] li:last-child > a'));
  assert.equal(await heading(page), ids[23]);
  assert.match(await page.evaluate("document.querySelector('nav.walk').textContent"),
    /24 of 24.*This is the last/);
});

everywhere("a search finds words and their beginnings", async (page, base) => {
  const results = () => page.evaluate(
    "[...document.querySelectorAll('#results > li > a')].map((link) => link.textContent)");
  await page.goto(base + VERSE);
  await page.evaluate("document.getElementById('q').focus()");
  await page.type("SHEPHERD");
  await page.follow(() => page.press("Enter"));
  assert.deepEqual(await results(), ["Psalms 23:1", "Psalms 80:1"]);
  assert.match(await page.evaluate("document.getElementById('found').textContent"), /^2 found/);
  assert.deepEqual(await page.evaluate(
    "[...document.querySelectorAll('#results mark')].map((mark) => mark.textContent)"),
  ["shepherd", "Shepherd"]);
  await page.evaluate("document.getElementById('q').select()");
  await page.type("goodn merc foll");
  assert.deepEqual(await results(), ["Psalms 23:6"]);
  await page.evaluate("document.getElementById('q').select()");
  await page.type("zebra");
  assert.deepEqual(await results(), []);
  await page.evaluate("document.getElementById('q').select()");
  await page.type("lord");
  assert.equal((await results()).length, 50);
  await page.follow(() => page.click("#results li:nth-child(2) > a"));
  assert.match(await heading(page), /^Psalms /);
});

everywhere("the map leads to every item", async (page, base) => {
  await page.goto(`${base}index.html`);
  const dots = await page.evaluate(
    "[...document.querySelectorAll('.map a')].map((dot) => dot.href.baseVal)");
  assert.deepEqual(dots.sort(), readdirSync(`${SITE}/items`).map((name) => `items/${name}`).sort());
  await page.evaluate("document.querySelector('.map').scrollIntoView()");
  // The dot keeps its colour when its page was visited.
  const dot = '.map a[href="items/psalms-22-31.html"] circle';
  const color = await page.color(dot);
  await page.follow(() => page.click(dot));
  assert.equal(await heading(page), "Psalms 22:31");
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 0, y: 0 });
  await page.goto(`${base}index.html`);
  assert.deepEqual(await page.color(dot), color);
  assert.ok(Math.max(...color) - Math.min(...color) > 80, `grey: ${color}`);
  await page.goto(`${base}all.html`);
  const listed = await page.evaluate(
    "[...document.querySelectorAll('main li > a')].map((link) => link.getAttribute('href'))");
  assert.deepEqual(listed.sort(), dots);
});

everywhere("a finger chooses a dot, and the line below leads to it", async (page, base) => {
  await page.size(390, 844);
  await page.goto(`${base}index.html`);
  await page.touch('.map a[href="items/psalms-22-31.html"] circle');
  await page.until("document.querySelector('#point a')");
  assert.equal(await page.evaluate("document.getElementById('point').textContent"),
    "Psalms 22:31");
  await page.follow(() => page.click("#point a"));
  assert.equal(await heading(page), "Psalms 22:31");
});

everywhere("no page misses a file or complains", async (page, base) => {
  for (const name of PAGES) {
    await page.goto(base + name);
    const missing = await page.evaluate("[...document.styleSheets].length !== 1");
    assert.equal(missing, false);
  }
});

test("the keyboard reaches the main things, and shows where it is", () =>
  looking(bases.disk, async (page) => {
    await page.goto(bases.disk + VERSE);
    await page.press("Tab");
    const at = () => page.evaluate(`(() => {
      const element = document.activeElement, style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return { text: element.textContent.trim() || element.id, seen: box.left >= 0 && box.width > 0,
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    })()`);
    const stops = [];
    for (let count = 0; count < 14; count++) {
      const stop = await at();
      assert.ok(stop.seen && stop.outlined, stop.text);
      stops.push(stop.text);
      await page.press("Tab");
    }
    assert.deepEqual(stops.slice(0, 11), ["Skip to the content", "The Psalms", "Map", "All verses",
      "About", "q", "Go", "Previous: Psalms 22:31", "Next: Psalms 23:2", "All of Psalms 23",
      "Begin the journey"]);
    assert.deepEqual(stops.slice(11), LISTS.related[ID].ids.slice(0, 3));
    // The skip link takes the next Tab behind the header; Enter follows a link.
    await page.goto(bases.disk + VERSE);
    await page.press("Tab");
    await page.press("Enter");
    await page.press("Tab");
    assert.equal((await at()).text, "Previous: Psalms 22:31");
    await page.follow(() => page.press("Enter"));
    assert.equal(await heading(page), "Psalms 22:31");
    // On the start page no dot is a stop.
    await page.goto(`${bases.disk}index.html`);
    for (let count = 0; count < 9; count++) await page.press("Tab");
    assert.equal(await page.evaluate(
      "document.activeElement.matches('section.begin li:first-child a')"), true);
  }));

test("axe-core finds nothing serious, in light and dark, wide and narrow", () =>
  looking(bases.disk, async (page) => {
    await page.size(1200, 900);
    for (const [scheme, width] of [["light", 1200], ["dark", 390]]) {
      await page.size(width, 900);
      await page.colors(scheme);
      const walk = `${VERSE}#walk=Related+to+x&from=psalms-1-1&at=0&through=psalms-23-1+psalms-1-2`;
      for (const name of [...PAGES, walk]) {
        await page.goto("about:blank");
        await page.goto(bases.disk + name);
        await page.evaluate(AXE);
        const found = await page.evaluate(`axe.run({ preload: false }).then((report) =>
          report.violations.map(({ id, impact, nodes }) =>
            \`\${impact} \${id}: \${nodes.slice(0, 3).map((node) => node.html).join(" ")}\`))`);
        assert.deepEqual(found.filter((line) => /^(serious|critical)/.test(line)), [],
          `${name}, ${scheme}`);
        for (const line of found) console.log(`axe, ${name}: ${line}`);
      }
    }
    page.requests = page.requests.filter((url) => url !== "about:blank");
  }));

test("pages look as they should, wide, dark and on a telephone", () =>
  looking(bases.disk, async (page) => {
    for (const [kind, width, height, scheme] of [["light", 1200, 900, "light"],
      ["dark", 1200, 900, "dark"], ["phone", 390, 844, "light"]]) {
      await page.size(width, height);
      await page.colors(scheme);
      for (const name of PAGES) {
        await page.goto(bases.disk + name);
        // Nothing is wider than the window.
        const wide = await page.evaluate("document.documentElement.scrollWidth");
        assert.ok(wide <= width, `${name} on a ${kind}: ${wide}`);
        const [red] = (await page.evaluate("getComputedStyle(document.body).backgroundColor"))
          .match(/\d+/);
        assert.equal(Number(red) < 128, scheme === "dark");
        const shot = name.replace(/^items\//, "").replace(/\.html.*$/, "");
        writeFileSync(`${SHOTS}/${shot}-${kind}.png`, await page.screenshot());
      }
    }
  }));

test("what tries to be more than text stays text", () => {
  const base = `${pathToFileURL(HOSTILE)}/`;
  return looking(base, async (page) => {
    const texts = readFileSync("target/site-test/texts.jsonl", "utf8").trim().split("\n")
      .map((line) => JSON.parse(line));
    const items = readdirSync(`${HOSTILE}/items`).map((name) => `items/${name}`);
    assert.equal(items.length, texts.length);
    const seen = new Set();
    for (const name of [...items, "index.html", "all.html", "about.html", "search.html?q=a"]) {
      await page.goto(base + name);
      assert.equal(await page.evaluate("window.broken"), undefined, name);
      assert.equal(await page.evaluate("document.querySelectorAll('img').length"), 0, name);
      if (!name.startsWith("items/")) continue;
      const id = await heading(page), item = texts.find((text) => text.id === id);
      const text = item.text.replace(/[\u0001\ud800]/g, "\ufffd");
      assert.equal(await page.evaluate("document.querySelector('.text').textContent"), text);
      assert.equal(await page.evaluate("document.title"),
        `${id} – A title & <script>window.broken = true</script>`.replace(/\s+/g, " "));
      await page.follow(() => page.click("a.begin"));
      assert.match(await stepOf(page), /: 1 of 8$/);
      seen.add(id);
    }
    assert.equal(seen.size, texts.length);
    // The search shows every text as it is, too.
    await page.goto(`${base}search.html?q=window`);
    const ids = await page.evaluate(
      "[...document.querySelectorAll('#results > li > a')].map((link) => link.textContent)");
    assert.deepEqual(ids.sort(),
      texts.filter(({ id, text }) => /window/.test(id + text)).map(({ id }) => id).sort());
    assert.equal(await page.evaluate("window.broken"), undefined);
    // An address that somebody made leads nowhere else.
    for (const forged of ["from=javascript:alert(1)&at=0&through=plain",
      "from=..%2Fx&at=0&through=plain", "from=plain&at=0&through=plain+https://x.example/",
      "from=plain&at=7&through=plain"]) {
      await page.goto("about:blank");
      await page.goto(`${base}items/plain.html#walk=x&${forged}`);
      assert.equal(await stepOf(page), undefined, forged);
    }
    page.requests = page.requests.filter((url) => url !== "about:blank");
  });
});
