"use strict";
/* What all of the page shares: elements, units, colours. */
const site = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const key in attributes || {}) {
    if (key === "class") node.className = attributes[key];
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), attributes[key]);
    else node.setAttribute(key, attributes[key]);
  }
  node.append(...children);
  return node;
}

const TIME_UNITS = [[86400e9, "d"], [3600e9, "h"], [1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
const BYTE_UNITS = [[2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"],
  [2 ** 10, "KiB"], [1, "B"]];

function withUnit(value, units) {
  const unit = units.find((u) => value >= u[0]) || units[units.length - 1];
  return +(value / unit[0]).toPrecision(4) + " " + unit[1];
}

const timeText = (ns) => withUnit(ns, TIME_UNITS);
const bytesText = (bytes) => withUnit(bytes, BYTE_UNITS);
const countText = (count) => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const hex = (address) => "0x" + address.toString(16);
const many = (count, one, more) => countText(count) + " " + (count === 1 ? one : more || one + "s");

/* Okabe and Ito's colours: people who cannot tell red from green can tell them apart. */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999933", "#888888"];
const BAD = "#d55e00";
