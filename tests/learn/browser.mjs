// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A headless Chromium, driven over its debugging pipe: no port, no network, nothing to install.
 * A page that prints an error on its console, or asks for anything but its own file, is noted.
 */
import {spawn} from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-extensions", "--mute-audio", "--remote-debugging-pipe",
  /* No name is found and no address reached: the network is off. */
  "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"];

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.folder = fs.mkdtempSync(path.join(os.tmpdir(), "learn-"));
    browser.process = spawn(process.env.CHROMIUM || "chromium",
      [...FLAGS, "--user-data-dir=" + browser.folder, "about:blank"],
      {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"]});
    browser.waiting = new Map();
    browser.next = 1;
    browser.problems = []; /* errors of the page's console, and requests */
    browser.rest = "";
    browser.process.stdio[4].setEncoding("utf8").on("data", (text) => browser.heard(text));
    const {targetInfos} = await browser.send("Target.getTargets");
    const page = targetInfos.find((target) => target.type === "page");
    const {sessionId} = await browser.send("Target.attachToTarget",
      {targetId: page.targetId, flatten: true});
    browser.session = sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network", "Accessibility"])
      await browser.send(domain + ".enable");
    await browser.send("Network.emulateNetworkConditions", {offline: true, latency: 0,
      downloadThroughput: 0, uploadThroughput: 0});
    return browser;
  }

  heard(text) {
    const messages = (this.rest + text).split("\0");
    this.rest = messages.pop();
    for (const message of messages.map((m) => JSON.parse(m))) {
      const waits = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (waits && message.error)
        waits.failed(new Error(waits.method + ": " + message.error.message));
      else if (waits)
        waits.done(message.result);
      else
        this.event(message.method, message.params);
    }
  }

  event(method, params) {
    if (method === "Runtime.exceptionThrown") {
      const {text, exception} = params.exceptionDetails;
      this.problems.push(text + " " + (exception && exception.description || ""));
    } else if (method === "Runtime.consoleAPICalled" && ["error", "warning"].includes(params.type)) {
      this.problems.push(params.args.map((arg) => arg.value || arg.description).join(" "));
    } else if (method === "Log.entryAdded" && params.entry.level === "error") {
      this.problems.push(params.entry.text);
    } else if (method === "Network.requestWillBeSent" && !/^(file|blob|data):/.test(params.request.url)) {
      this.problems.push("asks for " + params.request.url);
    }
  }

  send(method, params) {
    const id = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(id, {done, failed, method});
      this.process.stdio[3].write(JSON.stringify({id, method, params: params || {},
        sessionId: this.session}) + "\0");
    });
  }

  async open(url) {
    await this.send("Page.navigate", {url});
    await this.until("document.readyState === 'complete'", 20000);
  }

  /* The value of an expression in the page. */
  async value(expression) {
    const {result, exceptionDetails} = await this.send("Runtime.evaluate",
      {expression, returnByValue: true, awaitPromise: true});
    if (exceptionDetails)
      throw new Error(expression + ": " + (exceptionDetails.exception.description || exceptionDetails.text));
    return result.value;
  }

  /* Waits until an expression is true: at most so many ms. */
  async until(expression, most) {
    const wait = `new Promise((done) => {
      const end = Date.now() + ${most};
      const look = () => (${expression}) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 10);
      look();
    })`;
    if (!await this.value(wait))
      throw new Error("never true: " + expression);
  }

  async key(key, code, modifiers) {
    const event = {key, code: key, windowsVirtualKeyCode: code, modifiers: modifiers || 0};
    await this.send("Input.dispatchKeyEvent", {type: "keyDown", ...event,
      ...(key === "Enter" ? {text: "\r"} : {})});
    await this.send("Input.dispatchKeyEvent", {type: "keyUp", ...event});
  }

  /* Types text where the focus is. */
  async type(text) {
    await this.send("Input.insertText", {text});
  }

  async screenshot(file) {
    const {data} = await this.send("Page.captureScreenshot", {captureBeyondViewport: true});
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  }

  /* dark: as the system has it. */
  async look(width, height, dark) {
    await this.send("Emulation.setDeviceMetricsOverride", {width, height, deviceScaleFactor: 1,
      mobile: width < 500});
    await this.send("Emulation.setEmulatedMedia", {features: [{name: "prefers-color-scheme",
      value: dark ? "dark" : "light"}]});
  }

  async end() {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.send("Browser.close").catch(() => {});
    const late = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(late);
    fs.rmSync(this.folder, {recursive: true, force: true, maxRetries: 5});
  }
}
