// Chromium without a window, spoken to through two pipes in the words of its DevTools. Every page
// notes what it wrote to the console and what it asked of any network.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

const PATIENCE = 60_000;

const KEYS = {
  Tab: { code: "Tab", windowsVirtualKeyCode: 9 },
  Enter: { code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
};

function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer to: ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// What a PNG file holds: of each row the number of a filter, then the colours. Those of a single
// pixel are as they are, whatever the filter.
function pixels(png) {
  const parts = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const kind = png.toString("latin1", at + 4, at + 8);
    if (kind === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return inflateSync(Buffer.concat(parts));
}

export class Browser {
  static async open(program = process.env.CHROMIUM || "chromium") {
    const profile = mkdtempSync(join(tmpdir(), "vkd-site-"));
    // As root Chromium starts only without its sandbox; the pages are our own.
    const root = process.getuid() === 0 ? ["--no-sandbox"] : [];
    const child = spawn(program, ["--headless=new", "--remote-debugging-pipe", "--disable-gpu",
      "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-dev-shm-usage", "--hide-scrollbars", `--user-data-dir=${profile}`, ...root],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    return new Browser(child, profile);
  }

  constructor(child, profile) {
    Object.assign(this, { child, profile, last: 0, waiting: new Map(), pages: new Map() });
    this.ended = new Promise((resolve) => child.on("exit", resolve));
    child.on("error", (error) => this.fail(error));
    child.on("exit", () => this.fail(new Error("Chromium ended")));
    child.stdio[3].on("error", () => {});
    let kept = Buffer.alloc(0);
    child.stdio[4].on("data", (bytes) => {
      kept = Buffer.concat([kept, bytes]);
      for (let end = kept.indexOf(0); end >= 0; end = kept.indexOf(0)) {
        this.receive(JSON.parse(kept.subarray(0, end).toString()));
        kept = kept.subarray(end + 1);
      }
    });
  }

  fail(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  receive({ id, result, error, method, params, sessionId }) {
    if (!id) return this.pages.get(sessionId)?.happened(method, params);
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) asked?.reject(new Error(`${asked.method}: ${error.message}`));
    else asked?.resolve(result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.last;
    const answer = new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, method });
    });
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(PATIENCE, method, answer);
  }

  async page() {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, targetId);
    this.pages.set(sessionId, page);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    return page;
  }

  async close() {
    await this.send("Browser.close").catch(() => this.child.kill());
    await this.ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Page {
  constructor(browser, sessionId, targetId) {
    Object.assign(this, { browser, sessionId, targetId, errors: [], requests: [], loaded: [] });
  }

  send(method, params) { return this.browser.send(method, params, this.sessionId); }

  happened(method, params) {
    if (method === "Page.loadEventFired") this.loaded.splice(0).forEach((resolve) => resolve());
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    if (method === "Runtime.exceptionThrown") {
      this.errors.push(params.exceptionDetails.exception?.description
        || params.exceptionDetails.text);
    }
    if (method === "Runtime.consoleAPICalled" && ["error", "warning"].includes(params.type)) {
      this.errors.push(params.args.map((arg) => arg.value).join(" "));
    }
    if (method === "Log.entryAdded" && params.entry.level === "error") {
      this.errors.push(`${params.entry.text} ${params.entry.url || ""}`);
    }
  }

  // Does what leads to another page, and waits until that is there.
  async follow(act) {
    const loaded = new Promise((resolve) => this.loaded.push(resolve));
    await act();
    await within(PATIENCE, "load a page", loaded);
  }

  async goto(url) {
    await this.follow(async () => {
      const { errorText } = await this.send("Page.navigate", { url });
      if (errorText) throw new Error(`${url}: ${errorText}`);
    });
  }

  // The value of an expression, or of what it promises.
  async evaluate(expression) {
    const { result, exceptionDetails: wrong } = await this.send("Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true });
    if (wrong) throw new Error(wrong.exception?.description || wrong.text);
    return result.value;
  }

  // Waits until an expression is true.
  until(expression) {
    return this.evaluate(`new Promise((resolve) => {
      const look = () => (${expression}) ? resolve() : setTimeout(look, 20);
      look();
    })`);
  }

  // Where the middle of an element is, which is brought into view.
  middle(selector) {
    return this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center" });
      const [box] = element.getClientRects();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    })()`);
  }

  // Presses the left button in the middle of an element.
  async click(selector) {
    const { x, y } = await this.middle(selector);
    for (const type of ["mouseMoved", "mousePressed", "mouseReleased"]) {
      const button = type === "mouseMoved" ? "none" : "left";
      await this.send("Input.dispatchMouseEvent", { type, x, y, button, clickCount: 1 });
    }
  }

  // The same with a finger.
  async touch(selector) {
    const { x, y } = await this.middle(selector);
    await this.send("Emulation.setTouchEmulationEnabled", { enabled: true });
    await this.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    await this.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }

  async press(key) {
    for (const type of ["keyDown", "keyUp"]) {
      await this.send("Input.dispatchKeyEvent", { type, key, ...KEYS[key] });
    }
  }

  async type(text) { await this.send("Input.insertText", { text }); }

  async size(width, height) {
    await this.send("Emulation.setDeviceMetricsOverride",
      { width, height, deviceScaleFactor: 1, mobile: width < 600 });
  }

  async colors(scheme) {
    await this.send("Emulation.setEmulatedMedia",
      { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  async screenshot(format = "png") {
    const quality = format === "webp" ? 80 : undefined;
    const { data } = await this.send("Page.captureScreenshot", { format, quality });
    return Buffer.from(data, "base64");
  }

  // Red, green and blue in the middle of an element that can be seen.
  async color(selector) {
    const middle = await this.middle(selector);
    const [x, y] = await this.evaluate(`[${middle.x} + scrollX, ${middle.y} + scrollY]`);
    const clip = { x: Math.round(x), y: Math.round(y), width: 1, height: 1, scale: 1 };
    const { data } = await this.send("Page.captureScreenshot", { format: "png", clip });
    return [...pixels(Buffer.from(data, "base64")).subarray(1, 4)];
  }

  async close() { await this.browser.send("Target.closeTarget", { targetId: this.targetId }); }
}
