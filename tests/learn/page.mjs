// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks through the learning page as a learner does: types a prediction, runs, reads what the
 * pictures say, opens the explanation, solves the task. Then what may go wrong: mistakes in the
 * text, runs that do not end, no mouse, no sight, a small screen, a dark one. Prints TAP.
 *
 *	node page.mjs INDEX.html IOASIS
 *
 * LEARN_SHOTS=DIR keeps screenshots there.
 */
import {execFileSync, spawnSync} from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {Browser} from "./browser.mjs";

const [pageFile, ioasis] = process.argv.slice(2).map((file) => path.resolve(file));
const top = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const shots = process.env.LEARN_SHOTS;
const RUN_MS = 2000;
/* A machine that is busy with other things may take its time: the best of so many runs counts. */
const TRIES = 5;
/* No wait is longer: what has not happened then never will. */
const WAIT_MS = 60000;

let count = 0, failed = 0;
function check(name, holds, why) {
  count++;
  failed += !holds;
  console.log(`${holds ? "ok" : "not ok"} ${count} - ${name}`);
  if (!holds)
    console.log("# " + String(why === undefined ? "" : why).slice(0, 1500).replace(/\n/g, "\n# "));
}

const same = (name, value, wanted) => check(name, value === wanted,
  `got:    ${JSON.stringify(value)}\nwanted: ${JSON.stringify(wanted)}`);
const says = (name, text, pattern) => check(name, pattern.test(text), `${text}\ndoes not say ${pattern}`);

const browser = await Browser.start();
const value = (expression) => browser.value(expression);
const text = (id) => value(`byId(${JSON.stringify(id)}).textContent`);

/* ---- what a learner does, with the keyboard ---- */

const focus = (id) => value(`byId(${JSON.stringify(id)}).focus()`);

async function press(id) {
  await focus(id);
  await browser.key("Enter", 13);
}

async function fill(id, content) {
  await focus(id);
  await value(`byId(${JSON.stringify(id)}).select && byId(${JSON.stringify(id)}).select()`);
  if (content)
    await browser.type(content);
  else
    await browser.key("Delete", 46);
}

const ended = /^The run has ended: .*, in (\d+) ms\./;

/* Presses a button and waits for the end of the run; returns its milliseconds. */
async function run(button) {
  await value("byId('status').textContent = ''");
  await press(button);
  await browser.until("/^The run (has ended|stands)|^Nothing|stopped/i.test(byId('status').textContent)",
    WAIT_MS);
  const match = ended.exec(await text("status"));
  return match ? +match[1] : Infinity;
}

async function open(lesson) {
  await press("to-" + lesson.id);
  await browser.until(`location.hash === '#${lesson.id}' && byId('lesson-title').textContent.includes(` +
    `${JSON.stringify(lesson.title)})`, WAIT_MS);
}

/* The words of the pictures that are shown, by the ids of their captions. */
const captions = () => value(`Object.fromEntries([...document.querySelectorAll("figure:not([hidden]) ` +
  `figcaption")].map((f) => [f.id.replace("text-", ""), f.textContent]))`);

function program(lesson, settings) {
  return execFileSync(ioasis, ["simulate", path.join(top, "sim/scenarios", lesson.scenario + ".yaml"),
    "--json", ...settings.flatMap((s) => ["--set", s])], {encoding: "utf8", maxBuffer: 1 << 26});
}

/* What the pictures must say in each lesson, and what is predicted: a number or a choice. */
const lessons = {
  "lesson-1": {predict: "9", close: true, say: {"pic-space": /9 mappings made, 7 mappings at most at once/}},
  "lesson-2": {predict: "1", close: false, say: {"pic-queues": /lock of the IOMMU is taken for: .* at most/}},
  "lesson-3": {predict: "4", close: true, say: {
    "pic-walk": /a walk reads 4 tables, 0 of 4 levels are known .* 4 × 82 ns = 328 ns/,
    "pic-iotlb": /^1 entry, 1 with a translation of 4 KiB/}},
  "lesson-4": {predict: "50", close: false, say: {"pic-iotlb": /64 with a translation of 2 MiB.*88\.2 %/}},
  "lesson-5": {predict: "40", close: true, say: {"pic-queues": /buffers posted to the card: .* packets for the driver/,
    "pic-windows": /for 686 ns on average, 686 ns at most/}},
  "lesson-6": {predict: "3", close: false, say: {"pic-queues": /invalidation queue is busy for: .* at most/}},
  "lesson-7": {choice: 2, close: true, say: {"pic-windows": /10 ms at most.*3 accesses went through in such a window/,
    "pic-space": /3 let through by a stale translation\. The first of these: 0x1000f7000 at .*, which was unmapped 2 ms before/}},
  "lesson-8": {predict: "13", close: true, say: {"pic-rounds": /round 1: .* pages, .* to send/}},
  "lesson-9": {predict: "1000", close: false, say: {"pic-space": /20,321 mappings made/}},
  "lesson-10": {say: {}},
};

const drivers = {
  "Driver A": {choice: 5, say: /3 refused.*0x1000bf000 at 1\.101 ms, which was never mapped/, check: /violation: dma-outside/},
  "Driver B": {choice: 1, say: /3 mappings were never unmapped/, check: /violation: leak/},
  "Driver C": {choice: 0, say: /Every mapping was unmapped.* 0 refused/, check: /verdict: ok/},
  "Driver D": {choice: 4, say: /3 refused.*which is mapped for reading only/, check: /which is mapped readonly/},
  "Driver E": {choice: 3, say: /3 refused.*which was unmapped 914 ns before/, check: /violation: dma-outside/},
};

async function predict(wanted) {
  if (wanted.choice !== undefined) {
    await focus("choice-" + wanted.choice);
    await browser.key(" ", 32);
    await value(`byId("choice-${wanted.choice}").checked || byId("choice-${wanted.choice}").click()`);
  } else {
    await fill("prediction", wanted.predict);
  }
  await press("predict-fields"); /* no button: nothing happens */
  await value("byId('predict').requestSubmit()");
}

async function walkDriver(name, wanted) {
  await value(`byId("driver").value = ${JSON.stringify(name)}; byId("driver").dispatchEvent(new Event("change"))`);
  check(`${name}: its settings are not shown`, !/faults\.kind/.test(await value("byId('settings').value")));
  await value("document.querySelectorAll('input[name=prediction]').forEach((r) => r.checked = false)");
  await run("run");
  await press("ask-checker");
  says(`${name}: the checker waits for a prediction`, await text("check"), /^Say first what you think/);
  await predict(wanted);
  says(`${name}: the pictures tell the mistake`, (await captions())["pic-space"], wanted.say);
  await press("ask-checker");
  says(`${name}: the checker finds it`, await text("check"), wanted.check);
  says(`${name}: and the prediction is right`, await text("compare"), /You were right/);
}

async function walk(lesson) {
  const wanted = lessons[lesson.id];
  await open(lesson);
  const name = lesson.id;
  same(`${name}: the focus is at the lesson`, await value("document.activeElement.id"), "lesson");
  same(`${name}: the link says where one is`, await value(`byId("to-${name}").getAttribute("aria-current")`), "page");
  if (lesson.drivers.length) {
    for (const driver of lesson.drivers)
      await walkDriver(driver.name, drivers[driver.name]);
    await value(`byId("driver").value = "Driver C"; byId("driver").dispatchEvent(new Event("change"))`);
    await run("run");
  } else {
    await predict(wanted);
    says(`${name}: the prediction is kept`, await text("predict-note"), /^Kept/);
    let ms = await run("run");
    for (let i = 1; i < TRIES && ms >= RUN_MS; i++)
      ms = await run("run");
    check(`${name}: the run takes less than 2 s (${ms} ms)`, ms < RUN_MS, await text("status"));
    says(`${name}: the prediction is compared`, await text("compare"),
      wanted.close ? /You were right|that is close/ : /too much|too little|You said: /);
    same(`${name}: the JSON is the program's`, await text("json"), program(lesson, lesson.settings));
  }
  const said = await captions();
  for (const [picture, pattern] of Object.entries(wanted.say))
    says(`${name}: ${picture}`, said[picture] || "(not shown)", pattern);
  check(`${name}: every picture says something`, Object.values(said).length >= 5 &&
    Object.values(said).every((s) => s.length > 10), JSON.stringify(said));
  check(`${name}: the table has its rows`, await value("document.querySelectorAll('#rows tbody tr').length") > 20);
  await value("document.querySelector('#lesson-explanation summary').focus()");
  await browser.key("Enter", 13);
  check(`${name}: the explanation opens`, await value("document.querySelector('#lesson-explanation details').open"));

  await press("check-task");
  await browser.until("byId('task-result').textContent", WAIT_MS);
  says(`${name}: the task is not solved by doing nothing`, await text("task-result"), /^Not yet/);
  await fill("settings", [...lesson.settings.filter((s) => !lesson.solution_settings.some((t) =>
    t.split("=")[0] === s.split("=")[0])), ...lesson.solution_settings].join("\n"));
  await press("check-task");
  await browser.until("byId('task-result').textContent", WAIT_MS);
  says(`${name}: its solution solves it`, await text("task-result"), /^Solved\./);
  check(`${name}: and is marked`, await value(`byId("to-${name}").classList.contains("done")`));
}

/* ---- mistakes and runs that do not end ---- */

const setText = (content) => value(`document.querySelector(".CodeMirror").CodeMirror.setValue(${JSON.stringify(content)})`);
const good = "name: x\nduration: 1ms\n";

async function mistake(name, content, line, words) {
  const file = path.join(process.env.TEST_DIR || "/tmp", "boot.yaml");
  fs.writeFileSync(file, content);
  const cli = spawnSync(ioasis, ["simulate", "boot.yaml"], {cwd: path.dirname(file), encoding: "utf8"});
  fs.unlinkSync(file);
  await setText(content);
  await browser.until("byId('problem').textContent", WAIT_MS);
  same(`${name}: the program's own line`, await text("problem"), cli.stderr.trim());
  says(`${name}: what it says`, await text("problem"), words);
  if (line)
    same(`${name}: the line is marked`, await value("[...document.querySelectorAll('.CodeMirror-code > div')]" +
      ".findIndex((d) => d.querySelector('.wrong')) + 1"), line);
  await setText(good);
  await browser.until("!byId('problem').textContent", WAIT_MS);
}

async function walkMistakes() {
  await open(site.lessons[0]);
  await fill("settings", "");
  await mistake("an unknown key", good + "nic:\n  rat: 1Gbit\n", 4, /nic\.rat: is no key; did you mean 'rate'/);
  await mistake("a missing unit", good + "nic:\n  rate: 10\n", 4, /has no unit; write Mbit or Gbit/);
  await mistake("a tab", good + "nic:\n\trate: 10Gbit\n", 0, /indent with spaces/);
  await mistake("100,000 brackets", good + "nic: " + "[".repeat(100000), 3, /more than 8 groups or lists/);
  await mistake("markup", good + "about: <img src=x onerror=alert(1)>\nnick: <b>\n", 4, /nick: is no key/);
  await value("document.querySelector('.CodeMirror').CodeMirror.replaceRange('#'.repeat(2000000), {line: 0, ch: 0})");
  says("2 MB of text is refused", await text("problem"), /larger than 1 MiB/);
  same("and not in the editor", await value("document.querySelector('.CodeMirror').CodeMirror.getValue()"), good);
  await fill("settings", "nic.rat=5");
  await browser.until("/--set/.test(byId('problem').textContent)", WAIT_MS);
  says("a wrong setting", await text("problem"), /^--set: nic\.rat: is no key; did you mean 'rate'/);
  same("nothing runs with it", await run("run"), Infinity);
  await fill("settings", "");
  await browser.until("!byId('problem').textContent", WAIT_MS);
  await fill("seed", "1x");
  await run("run");
  says("a seed that is no number", await text("problem"), /the seed is a number from 0/);
  await fill("seed", "1");
  await fill("until", "soon");
  await value("byId('until-form').requestSubmit()");
  says("a time that is none", await text("problem"), /'soon' is no time; write one like 1\.5ms/);
}

/* Nothing is silent: a run in which nothing happened says why. */
async function walkWarnings() {
  await open(site.lessons[0]);
  await fill("settings", "duration=1ms");
  await run("run");
  says("a run that is shorter than the boot says so", await text("warnings"),
    /^Warning: the boot ends at .* no actor began; set duration to more/);
  await open(site.lessons[4]);
  await fill("settings", "guest.count=1000\nduration=1s");
  await focus("run");
  await browser.key("Enter", 13);
  await browser.until("/^Running.*takes about/.test(byId('status').textContent)", WAIT_MS);
  check("a long run says how long it takes", true);
  await press("stop");
  await browser.until("byId('stop').disabled", WAIT_MS);
}

/* once: what has to be seen of the run before. */
async function stopAfter(name, once) {
  await focus("run");
  await browser.key("Enter", 13);
  await browser.until("!byId('stop').disabled", WAIT_MS);
  await browser.until(once, WAIT_MS);
  await press("stop");
  await browser.until("byId('stop').disabled", WAIT_MS);
  check(`${name}: is stopped`, true);
}

async function walkStops() {
  const lesson = site.lessons[4];
  await open(lesson);
  await fill("settings", "duration=1d\nguest.count=100");
  await run("run");
  says("a run that would take for ever is refused", await text("problem"), /^nic would run for .*; shorten duration/);
  await fill("settings", "duration=1h");
  await stopAfter("a run of an hour", "bench.model.now > 0");
  says("it stands where it was", await text("status"), /^The run stands at/);
  const before = await value("bench.model.now");
  await press("step");
  await browser.until("byId('stop').disabled && /stands/.test(byId('status').textContent)", WAIT_MS);
  check("and goes on by one event", await value("bench.model.now") >= before);
  /* A worker that hears nothing, as in an event that takes minutes: it is ended. */
  await fill("settings", "duration=1h");
  await stopAfter("a worker that hears nothing", "bench.model.now > 0 && bench.runner.worker && " +
    "(bench.runner.worker.postMessage = () => {})");
  says("the page says so", await text("status"), /^Stopped\./);
  /* More than a page's memory holds. */
  await fill("settings", "iommu.iotlb_entries=1048576\nhost.iommus=200");
  await run("run");
  await browser.until("byId('stop').disabled", WAIT_MS);
  says("a world that is too large", await text("status") + await text("problem"), /engine ended|out of memory|Out of memory/);
  await fill("settings", "duration=1ms");
  check("and the next run is fine", await run("run") < Infinity, await text("status"));
}

/* ---- virtual time by hand ---- */

async function walkSteps() {
  const lesson = site.lessons[4];
  await open(lesson);
  await press("reset");
  await fill("until", "2ms");
  await value("byId('until-form').requestSubmit()");
  await browser.until("/^The run stands at 2 ms/.test(byId('status').textContent)", WAIT_MS);
  check("a run stops at 2 ms of virtual time", await value("bench.model.now") === 2e6);
  const at = (await captions())["pic-space"];
  says("the pictures show that moment", at, /mappings at this moment/);
  const events = await value("bench.model.state.events");
  await press("step");
  await browser.until(`bench.model.state.events > ${events}`, WAIT_MS);
  same("one event is one event", await value("bench.model.state.events"), events + 1);
  await fill("walk-address", "0x100000");
  await value("byId('walk-address').form.requestSubmit()");
  await browser.until("/^0x100000 /.test(byId('text-pic-walk').textContent)", WAIT_MS);
  says("the walk to an address of one's own", (await captions())["pic-walk"], /^0x100000 is not in the IOTLB.*Nothing is mapped/);
  await fill("walk-address", "nowhere");
  await value("byId('walk-address').form.requestSubmit()");
  says("an address that is none", await value("document.querySelector('#pic-walk [role=status]').textContent"), /Write an address/);
  await fill("walk-address", "");
  await run("run");
  same("what ran in pieces gives the program's JSON", await text("json"), program(lesson, lesson.settings));
  await fill("walk-address", "0x1000ff000");
  await value("byId('walk-address').form.requestSubmit()");
  await browser.until("/^0x1000ff000 /.test(byId('text-pic-walk').textContent)", WAIT_MS);
  check("a walk after the end", true);
  await value("byId('share').value = '0.01'; byId('share').dispatchEvent(new Event('change'))");
  check("the last hundredth is drawn", await value("document.querySelectorAll('#pic-space rect').length") > 0);
  await value("byId('share').value = '1'; byId('share').dispatchEvent(new Event('change'))");
  const drawn = await value("performance.now()");
  await press("slow");
  await browser.until("byId('progress').value > 0 && byId('progress').value < 1", WAIT_MS);
  await press("stop");
  await browser.until("byId('stop').disabled", WAIT_MS);
  check("a slow run shows what lies between", drawn > 0 && await value("bench.model.now < bench.model.duration"));
}

/* ---- who cannot see, or has no mouse ---- */

async function walkAccess() {
  const {nodes} = await browser.send("Accessibility.getFullAXTree");
  const named = ["button", "textbox", "combobox", "link", "radio", "searchbox", "progressbar", "group", "figure"];
  const nameless = nodes.filter((n) => !n.ignored && n.role && named.includes(n.role.value) &&
    !(n.name && n.name.value) && n.role.value !== "group").map((n) => n.role.value + " " + n.backendDOMNodeId);
  same("every control has a name for a screen reader", nameless.join(", "), "");
  const roles = new Set(nodes.filter((n) => !n.ignored && n.role).map((n) => n.role.value));
  for (const role of ["banner", "navigation", "main", "contentinfo", "status"])
    check(`there is a ${role}`, roles.has(role), [...roles].join(" "));
  same("a mistake is told at once", await value("byId('problem').getAttribute('role')"), "alert");
  same("no id stands twice", await value("[...document.querySelectorAll('[id]')].map((e) => e.id).filter(" +
    "(id, i, all) => all.indexOf(id) !== i).join(' ')"), "");
  same("headings go down one level at a time", await value(`[...document.querySelectorAll("h1,h2,h3,h4")].filter((h) =>
    !h.closest("[hidden]")).map((h) => +h.tagName[1]).some((level, i, all) => i && level > all[i - 1] + 1)`), false);
  await value("document.activeElement.blur(); scrollTo(0, 0)");
  const reached = [];
  for (let i = 0; i < 120; i++) {
    await browser.key("Tab", 9);
    reached.push(await value("(document.activeElement.closest('.CodeMirror') ? 'editor' : " +
      "document.activeElement.id || document.activeElement.tagName)"));
  }
  for (const id of ["to-lesson-1", "shipped", "editor", "settings", "seed", "run", "slow", "step", "until",
    "share", "walk-address", "check-task"])
    check(`Tab reaches ${id}`, reached.includes(id), reached.join(" "));
  check("and leaves the editor", reached[reached.indexOf("editor") + 1] !== "editor", reached.join(" "));
}

/* Text whose colour is too close to what is behind it (WCAG: 4.5 to 1). */
const CONTRAST = `(() => {
  const rgb = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0]).map(Number);
  const light = (c) => { const [r, g, b] = rgb(c).slice(0, 3).map((v) => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    const parts = rgb(c); if (parts.length < 4 || parts[3] === 1) return c; } return "rgb(255,255,255)"; };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const e = node.parentElement;
    if (!node.textContent.trim() || e.closest("script,style,svg,option,[hidden],noscript") || !e.getClientRects().length ||
      e.closest(":disabled") || e.closest(".wrong"))
      continue;
    const a = light(getComputedStyle(e).color), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5)
      bad.add(e.tagName + "." + e.className + " " + ratio.toFixed(2) + " " + node.textContent.trim().slice(0, 20));
  }
  return [...bad].slice(0, 8).join("; ");
})()`;

async function walkLooks() {
  for (const [width, height] of [[1280, 900], [360, 740]]) {
    for (const dark of [false, true]) {
      const name = `${width} ${dark ? "dark" : "light"}`;
      await browser.look(width, height, dark);
      for (const lesson of [site.lessons[2], site.lessons[6], site.lessons[9]]) {
        await open(lesson);
        await run("run");
        await browser.until("!bench.drawing", WAIT_MS);
        check(`${name}, ${lesson.id}: nothing is wider than the screen`,
          await value("document.documentElement.scrollWidth") <= width, await value(
            `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > ${width} + 1 &&
             !e.closest(".scroll,pre,.CodeMirror")).map((e) => e.tagName + "#" + e.id).slice(0, 5).join(" ")`));
        same(`${name}, ${lesson.id}: text can be read`, await value(CONTRAST), "");
        if (shots)
          await browser.screenshot(path.join(shots, `${lesson.id}-${width}-${dark ? "dark" : "light"}.png`));
      }
      check(`${name}: the pictures are drawn`, await value("document.querySelectorAll('#figures svg').length") >= 5);
    }
  }
}

/* ---- all of it ---- */

let site;
try {
  const bytes = fs.readdirSync(path.dirname(pageFile)).reduce((sum, file) =>
    sum + fs.statSync(path.join(path.dirname(pageFile), file)).size, 0);
  check(`the page has less than 5 MB (${bytes} bytes)`, bytes < 5e6);
  await browser.look(1280, 900, false);
  await browser.open(pathToFileURL(pageFile).href);
  check("the network is off", await value("!navigator.onLine"));
  site = await value("site");
  check("there are six to ten lessons", site.lessons.length >= 6 && site.lessons.length <= 10);
  for (const lesson of site.lessons)
    await walk(lesson);
  await walkMistakes();
  await walkWarnings();
  await walkStops();
  await walkSteps();
  await walkLooks();
  await browser.look(1280, 900, false);
  await walkAccess();
} catch (error) {
  check("the walk comes to its end", false, error.stack + "\n" + await value(
    "byId('status').textContent + ' / ' + byId('problem').textContent").catch(() => ""));
}
same("no error on the console, no request", browser.problems.join("\n"), "");
await browser.end();
console.log(`1..${count}`);
process.exitCode = failed ? 1 : 0;
