"use strict";
/*
 * What all pictures share: the data, units as text, colours that people who
 * cannot tell red from green can tell apart (Okabe and Ito) with a pattern each,
 * the tooltip, and the one window of time that every picture shows.
 */
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const duration = Math.max(1, data.window.duration_ns);

/* A phone's width: margins are smaller. */
const narrow = innerWidth < 520;

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const key in attributes || {}) {
    if (key === "class") node.className = attributes[key];
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), attributes[key]);
    else node.setAttribute(key, attributes[key]);
  }
  for (const child of children)
    node.append(child);
  return node;
}

/* ---- units ---- */

const TIME_UNITS = [[86400e9, "d"], [3600e9, "h"], [1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
const BYTE_UNITS = [[2 ** 60, "EiB"], [2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"],
  [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];

function withUnit(value, units, digits) {
  const unit = units.find((u) => Math.abs(value) >= u[0]) || units[units.length - 1];
  const scaled = value / unit[0];
  return (Number.isInteger(scaled) ? scaled : +scaled.toPrecision(digits)) + " " + unit[1];
}

const timeText = (ns) => withUnit(ns, TIME_UNITS, 4);
const bytesText = (bytes) => withUnit(bytes, BYTE_UNITS, 4);
const countText = (count) => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const shortCount = (n) => n >= 1e9 ? +(n / 1e9).toPrecision(3) + "G" : n >= 1e6 ?
  +(n / 1e6).toPrecision(3) + "M" : n >= 1e3 ? +(n / 1e3).toPrecision(3) + "k" :
  String(+n.toPrecision(3));

/* ---- colours and patterns ---- */

const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999933", "#888888"];
const PATTERNS = ["", "/", "\\", ".", "-", "x", "|"];
const BAD = "#d55e00";

function colourOf(index) {
  return COLOURS[index % COLOURS.length];
}

/* A tile of the category's colour with its pattern, for fillStyle. */
function tileOf(index) {
  const tile = document.createElement("canvas");
  const g = tile.getContext("2d");
  const pattern = PATTERNS[index % PATTERNS.length];
  tile.width = tile.height = 10;
  g.fillStyle = colourOf(index);
  g.fillRect(0, 0, 10, 10);
  g.strokeStyle = g.fillStyle = "rgba(255,255,255,.6)";
  g.lineWidth = 1.6;
  g.beginPath();
  if (pattern === "/" || pattern === "x") { g.moveTo(-1, 11); g.lineTo(11, -1); }
  if (pattern === "\\" || pattern === "x") { g.moveTo(-1, -1); g.lineTo(11, 11); }
  if (pattern === "-") { g.moveTo(0, 5); g.lineTo(10, 5); }
  if (pattern === "|") { g.moveTo(5, 0); g.lineTo(5, 10); }
  g.stroke();
  if (pattern === ".") g.fillRect(4, 4, 3, 3);
  return tile;
}

const TILES = COLOURS.map((_, i) => tileOf(i));

function swatch(index) {
  const canvas = element("canvas", {width: 22, height: 14, "aria-hidden": "true"});
  const g = canvas.getContext("2d");
  g.fillStyle = g.createPattern(TILES[index % TILES.length], "repeat");
  g.fillRect(0, 0, 22, 14);
  return canvas;
}

/* used: which of the names occur; without it all do. */
function legend(container, names, used) {
  container.replaceChildren(...names.map((name, i) => [name, i])
    .filter(([, i]) => !used || used.has(i))
    .map(([name, i]) => element("span", {}, swatch(i), name)));
}

const cssColour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* ---- tooltip ---- */

const tip = byId("tip");

function tipShow(text, event) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
}

function tipHide() {
  tip.hidden = true;
}

/* ---- the window of time ---- */

const view = {
  from: 0,
  to: duration,
  listeners: [],
  set(from, to) {
    const span = Math.min(duration * 1.04, Math.max(10, to - from));
    from = Math.max(-duration * 0.02, Math.min(from, duration * 1.02 - span));
    this.from = from;
    this.to = from + span;
    if (!this.asked) {
      this.asked = true;
      requestAnimationFrame(() => {
        this.asked = false;
        this.listeners.forEach((listen) => listen());
      });
    }
  },
  zoom(factor, around) {
    const at = around === undefined ? (this.from + this.to) / 2 : around;
    this.set(at - (at - this.from) * factor, at + (this.to - at) * factor);
  },
  move(share) {
    const by = (this.to - this.from) * share;
    this.set(this.from + by, this.to + by);
  },
};

/*
 * The window fits what happened: where a trace is idle for long at its beginning or end, the picture
 * begins without that. "Whole trace" shows all.
 */
function activity() {
  const bins = data.series.errors.map((_, i) => data.series.calls.some((c) => c.bins[i]));
  const first = bins.indexOf(true), last = bins.lastIndexOf(true);
  const from = Math.max(0, first * data.series.bin_ns), to = Math.min(duration, (last + 1) * data.series.bin_ns);
  if (first < 0 || to - from > duration / 2)
    return [0, duration];
  return [from, to];
}

{
  const [from, to] = activity();
  view.set(from - (to - from) * 0.01, to + (to - from) * 0.01);
}

/* Ticks that are round in the unit that the window's span asks for. */
const AXIS_UNITS = [[86400e9, "d", 2], [3600e9, "h", 2], [60e9, "min", 3], [1e9, "s", 1],
  [1e6, "ms", 1], [1e3, "us", 1], [1, "ns", 0]];

function timeAxis(scale, width) {
  const [from, to] = scale.domain();
  const [unit, name] = AXIS_UNITS.find((u) => to - from >= u[0] * u[2]);
  const ticks = d3.scale.linear().domain([from / unit, to / unit])
    .ticks(Math.max(3, Math.min(10, width / 110)));
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
  return d3.svg.axis().scale(scale).orient("bottom").tickValues(ticks.map((t) => t * unit))
    .tickFormat((ns) => (ns / unit).toFixed(digits) + " " + name);
}
