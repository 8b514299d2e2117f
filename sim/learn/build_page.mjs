// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Puts the learning page together: docs/LEARN.md, the shipped scenarios, the engine, D3 and
 * CodeMirror become one HTML file that needs nothing else.
 *
 *	node build_page.mjs OUT.html ENGINE.js D3.js D3.LICENCE CODEMIRROR CODEMIRROR.LICENCE \
 *		LIBYAML.LICENCE VERSION CMARK
 *
 * What a lesson is made of is said in docs/LEARN.md itself, in comments that a reader does not see:
 *
 *	<!-- predict		the prediction: ask, then unit and value, or choices with what must hold
 *	<!-- task		want: CONDITION: TEXT; solution: a setting, for the test
 *	<!-- drivers		NAME: a word of faults.kind
 *
 * The scenario and its settings are those of the first `ioasis simulate` behind **Run.**
 */
import {execFileSync} from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import {fileURLToPath} from "node:url";

const [out, engineFile, d3File, d3Licence, codemirror, codemirrorLicence, libyamlLicence, version,
  cmark] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.join(here, "../..");
const read = (file) => fs.readFileSync(file, "utf8");

/* What is wrong with the text of a lesson ends the build. */
function fail(lesson, text) {
  console.error(`docs/LEARN.md: ${lesson}: ${text}`);
  process.exit(1);
}

const html = (markdown) => execFileSync(cmark, ["--unsafe"], {input: markdown, encoding: "utf8"});

/* The part of a lesson between two of its marks, without the comments for the page. */
function part(text, from, to) {
  const begin = from ? text.indexOf(from) : 0;
  if (begin < 0)
    return "";
  const rest = text.slice(begin);
  const ends = to.map((mark) => rest.indexOf(mark, from ? from.length : 0)).filter((at) => at >= 0);
  return rest.slice(0, Math.min(rest.length, ...ends)).replace(/<!--[\s\S]*?-->/g, "");
}

/* The lines of `<!-- WORD ... -->` as [key, value]. */
function comment(text, word) {
  const match = new RegExp(`<!-- ${word}\\n([\\s\\S]*?)-->`).exec(text);
  return match ? match[1].trim().split("\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  }) : [];
}

const all = (lines, key) => lines.filter((line) => line[0] === key).map((line) => line[1]);

/* A command's words, with quotes as a shell has them. */
const words = (line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2]);

function runOf(title, text) {
  const match = /\*\*Run\.\*\*[\s\S]*?^\$ ioasis simulate sim\/scenarios\/(\S+)\.yaml(.*)$/m.exec(text);
  if (!match)
    fail(title, "has no `ioasis simulate sim/scenarios/...` behind **Run.**");
  const rest = words(match[2]);
  const settings = rest.filter((word, i) => rest[i - 1] === "--set");
  return {scenario: match[1], settings};
}

function predictOf(title, text) {
  const lines = comment(text, "predict");
  const choices = all(lines, "choice").map((choice) => {
    const [said, rule] = choice.split("|").map((s) => s.trim());
    return {text: said, rule};
  });
  if (!all(lines, "ask").length)
    fail(title, "has no prediction");
  return {ask: all(lines, "ask")[0], unit: all(lines, "unit")[0] || "",
    value: all(lines, "value")[0] || "", choices};
}

function lessonOf(section) {
  const [, number, title] = /^## (\d+)\. (.*)$/m.exec(section);
  const text = section.replace(/^## .*$/m, "");
  const task = comment(text, "task");
  const run = runOf(title, text);
  const drivers = comment(text, "drivers").map(([name, kind]) => ({name, answer: kind,
    settings: `faults.kind=${kind}`}));
  if (!all(task, "want").length)
    fail(title, "has no task that can be checked");
  return {
    id: "lesson-" + number, title, ...run, drivers,
    /* A driver to find out about has its kind from the page. */
    settings: run.settings.filter((s) => !drivers.length || !s.startsWith("faults.kind=")),
    predict: predictOf(title, text),
    wants: all(task, "want").map((want) => {
      const colon = want.indexOf(":");
      return {rule: want.slice(0, colon).trim(), text: want.slice(colon + 1).trim()};
    }),
    solution_settings: all(task, "solution"),
    intro: html(part(text, "", ["**Run.**", "<details>"])),
    explanation: html(lookAt(text) + part(text, "<details><summary>Explanation", ["**Task.**"])),
    task: html(part(text, "**Task.**", ["<details>"])),
    solution: html(part(text, "<details><summary>A solution", [])),
  };
}

/* What stands between the first run's output and the explanation: where to look. */
function lookAt(text) {
  const run = text.slice(text.indexOf("**Run.**"));
  const end = run.indexOf("<details>");
  return run.slice(0, end).replace(/```console[\s\S]*?```/g, "").replace("**Run.**", "");
}

const sections = read(path.join(top, "docs/LEARN.md")).split(/^(?=## )/m);
const lessons = sections.filter((s) => /^## \d+\. /.test(s)).map(lessonOf);
const glossary = sections.find((s) => s.startsWith("## Glossary"));
const scenarios = {};
for (const file of fs.readdirSync(path.join(top, "sim/scenarios")).sort())
  scenarios[file.replace(/\.yaml$/, "")] = read(path.join(top, "sim/scenarios", file));
for (const lesson of lessons) {
  if (!scenarios[lesson.scenario])
    fail(lesson.title, `${lesson.scenario} is no shipped scenario`);
}

/* Inside a script element nothing may look like its end. */
const inScript = (text) => text.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

const data = {lessons, scenarios, glossary: html(glossary.replace(/^## .*$/m, "")),
  most_bytes: 1 << 20};
const worker = read(engineFile) + "\n" + read(path.join(here, "page/worker.js"));
const script = ["common.js", "runner.js", "model.js", "pictures.js", "bench.js", "lessons.js"]
  .map((file) => read(path.join(here, "page", file)).replace(/^"use strict";\n/, "")).join("\n");

const parts = {
  VERSION: version,
  CODEMIRROR_STYLE: read(path.join(codemirror, "lib/codemirror.css")),
  STYLE: read(path.join(here, "page/page.css")),
  DATA: JSON.stringify(data).replace(/</g, "\\u003c"),
  /* Read as text and given to a worker: it is never run as it stands here. */
  ENGINE: inScript(worker),
  D3: inScript(read(d3File)),
  CODEMIRROR: inScript(read(path.join(codemirror, "lib/codemirror.js")) + "\n" +
    read(path.join(codemirror, "mode/yaml/yaml.js"))),
  SCRIPT: '"use strict";\n' + inScript(script),
  LICENCES: escaped(["ioasis: GPL-2.0-or-later.", "D3:\n\n" + read(d3Licence),
    "CodeMirror:\n\n" + read(codemirrorLicence), "libyaml:\n\n" + read(libyamlLicence),
  ].join("\n\n----\n\n")),
};
const page = read(path.join(here, "page/page.html")).replace(/@([A-Z0-9_]+)@/g, (whole, name) => {
  if (!(name in parts))
    throw new Error("page.html: " + whole + " is not known");
  return parts[name];
});
fs.writeFileSync(out, page);
