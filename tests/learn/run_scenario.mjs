// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a scenario in the page's engine, under node: prints what `ioasis simulate --json` prints,
 * and with --check what `ioasis check` prints of its trace. An error goes to standard error with
 * status 3, as there.
 *
 *	node run_scenario.mjs ENGINE.js [--check] [--seed N] SCENARIO [SETTING...]
 */
import fs from "node:fs";
import {createRequire} from "node:module";
import path from "node:path";

const words = process.argv.slice(2);
const engineFile = path.resolve(words.shift());
const take = (word) => words[0] === word && words.shift();
const check = take("--check");
const seed = take("--seed") ? words.shift() : "1";
const [file, ...settings] = words;

/* node would show the line of an error: the engine is one line. */
process.on("uncaughtException", (error) => {
  console.error(String(error && error.stack || error).slice(0, 2000));
  process.exit(4);
});

const engine = await createRequire(import.meta.url)(engineFile)();
const call = (name, result, ...values) => engine.ccall("learn_" + name, result,
  values.map((value) => typeof value === "number" ? "number" : "string"), values);

function done(problem) {
  if (problem) {
    console.error(problem);
    process.exit(3);
  }
}

/* Not on the stack, which a large file does not fit. */
function allocate(string) {
  const bytes = engine.lengthBytesUTF8(string) + 1;
  const at = engine._malloc(bytes);
  engine.stringToUTF8(string, at, bytes);
  return at;
}

done(call("load", "string", ...[path.basename(file), fs.readFileSync(file, "utf8"),
  settings.join("\n")].map(allocate)));
done(call("begin", "string", seed, check ? 1 : 0));
while (!call("run", "number", 1e18, 100000))
  call("moments", "number"); /* as the page takes them, so that they do not pile up */
const json = call("end", "string");
if (check) {
  process.stdout.write(call("check", "string"));
  process.exitCode = call("check_status", "number");
} else {
  process.stdout.write(json);
}
