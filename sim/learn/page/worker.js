"use strict";
/*
 * In the worker: the engine, and one run at a time. The page sends messages with a number and gets
 * an answer with the same number; while a run goes on, "progress" messages come between. Runs are
 * cut in slices, so that a message to pause is read; a slice that does not end is ended with the
 * worker (runner.js).
 *
 * createEngine is defined by engine.js, which stands before this text.
 */
const SLICE_MS = 40;
const PROGRESS_MS = 100;
const EVENTS_PER_CALL = 2000;
const SAMPLES = 200;

let engine = null;
let run = null; /* {duration, iova, begun, ended, pause, loaded: [file, text, settings, seed]} */

const call = (name, result, types, values) => engine.ccall("learn_" + name, result, types || [],
  values || []);
const text = (name, ...values) => call(name, "string", values.map(() => "string"), values);

/* Text may be larger than the stack, where ccall puts it: this is the caller's to free. */
function allocate(string) {
  const bytes = engine.lengthBytesUTF8(string) + 1;
  const at = engine._malloc(bytes);
  if (!at)
    throw new Error("out of memory");
  engine.stringToUTF8(string, at, bytes);
  return at;
}

function load(message) {
  run = null;
  const texts = [message.file, message.text, message.settings].map(allocate);
  const problem = call("load", "string", ["number", "number", "number"], texts);
  texts.forEach((at) => engine._free(at));
  if (problem)
    return {problem};
  return {scenario: JSON.parse(text("scenario"))};
}

function begin(message) {
  const answer = load(message);
  if (answer.problem)
    return answer;
  const problem = call("begin", "string", ["string", "number"], [message.seed, 1]);
  if (problem)
    return {problem};
  run = {duration: answer.scenario.duration_ns, ended: false, pause: false, message,
    nextSample: 0, samples: [], told: 0};
  return answer;
}

/* The numbers of the moments since the last time, copied out of the engine's memory. */
function takeMoments() {
  const at = call("moments", "number") / 8;
  const count = call("moments_count", "number");
  return engine.HEAPF64.slice(at, at + count * 6);
}

const state = (iotlb) => JSON.parse(call("state", "string", ["number"], [iotlb ? 1 : 0]));

/* All that the page shows of now. */
function snapshot(samples) {
  return {
    now: call("now_ns", "number"), duration: run.duration, moments: takeMoments(),
    lost: call("moments_lost", "number"), state: state(true), samples: samples || [],
  };
}

function end() {
  const last = snapshot();
  const iova = lastAddress(last.moments);
  last.walk = walkOf(run.message.iova || iova || run.lastIova);
  const json = text("end");
  run.ended = true;
  last.afterwards = takeMoments();
  return {
    done: true, last, json, rows: JSON.parse(text("rows")), check: text("check"),
    checkStatus: call("check_status", "number"),
  };
}

/* Where the last access of these moments was; "": there was none. */
function lastAddress(moments) {
  for (let i = moments.length - 6; i >= 0; i -= 6) {
    if (moments[i] === 2)
      return "0x" + moments[i + 3].toString(16);
  }
  return "";
}

function walkOf(iova) {
  const json = iova ? text("walk", iova) : "";
  return json ? JSON.parse(json) : null;
}

function remember(part) {
  run.lastIova = lastAddress(part.moments) || run.lastIova;
  part.walk = walkOf(run.message.iova || run.lastIova);
  return part;
}

/* Runs until a time; pace: the share of the whole that a slice may take, 0: as fast as it goes. */
function go(number, until, pace) {
  const samples = run.samples;
  const begun = Date.now();
  const now = () => call("now_ns", "number");
  const sliceEnd = pace ? Math.min(until, now() + run.duration * pace) : until;
  while (Date.now() - begun < SLICE_MS && now() < sliceEnd) {
    const goal = Math.min(sliceEnd, run.nextSample);
    const reached = call("run", "number", ["number", "number"], [goal, EVENTS_PER_CALL]);
    if (reached && goal === run.nextSample && run.nextSample <= run.duration) {
      const sample = state(false);
      sample.now_ns = run.nextSample;
      samples.push(sample);
      run.nextSample += run.duration / SAMPLES;
    }
  }
  if (now() >= run.duration) {
    const result = end();
    result.last.samples = samples.splice(0);
    postMessage({number, answer: result});
  } else if (now() >= until || run.pause) {
    postMessage({number, answer: {last: remember(snapshot(samples.splice(0)))}});
  } else {
    if (pace || Date.now() - run.told > PROGRESS_MS) {
      postMessage({number, progress: remember(snapshot(run.samples.splice(0)))});
      run.told = Date.now();
    }
    setTimeout(() => guarded(number, () => go(number, until, pace)), pace ? 60 : 0);
  }
}

/* Does something that answers; an engine that aborts says so, and is of no use any more. */
async function guarded(number, work) {
  try {
    await work();
  } catch (error) {
    postMessage({number, failed: String(error.message || error).split(".")[0]});
  }
}

function step(number) {
  const more = call("step", "number");
  if (more)
    postMessage({number, answer: {last: remember(snapshot([state(false)]))}});
  else
    postMessage({number, answer: end()});
}

/* A walk after the end: the same run once more, to the moment before its end. */
function walk(message) {
  if (!run)
    return {walk: null};
  if (run.ended) {
    call("begin", "string", ["string", "number"], [run.message.seed, 0]);
    while (!call("run", "number", ["number", "number"], [run.duration, 1e6]))
      ;
  }
  return {walk: walkOf(message.iova)};
}

async function answer(message) {
  const {number, what} = message;
  if (!engine)
    engine = await createEngine();
  if (what === "pause") {
    if (run)
      run.pause = true;
    return;
  }
  if (what === "load") {
    postMessage({number, answer: load(message)});
  } else if (what === "begin") {
    postMessage({number, answer: begin(message)});
  } else if (what === "run") {
    run.pause = false;
    go(number, message.until === null ? run.duration : message.until, message.pace);
  } else if (what === "step") {
    step(number);
  } else if (what === "walk") {
    postMessage({number, answer: walk(message)});
  } else if (what === "keys") {
    postMessage({number, answer: {keys: text("keys")}});
  }
}

onmessage = ({data: message}) => guarded(message.number, () => answer(message));
