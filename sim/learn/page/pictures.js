"use strict";
/*
 * The pictures, drawn with D3 from the model. Each is a figure: the drawing, hidden from screen
 * readers, a sentence that says the same, and rows of numbers to open.
 */
const RECTS_DRAWN = 3000;
const MARGIN = {top: 8, right: 26, bottom: 28, left: 12};

/* Evenly chosen, so that a picture of very many stays quick. */
function thin(list, most) {
  if (list.length <= most)
    return list;
  return Array.from({length: most}, (_, i) => list[Math.floor(i * list.length / most)]);
}

class Picture {
  constructor(id, title, about, height) {
    this.height = height;
    this.box = element("div", {class: "drawing", "aria-hidden": "true"});
    this.caption = element("figcaption", {id: "text-" + id});
    this.table = element("table");
    this.figure = element("figure", {id, class: "picture", role: "group", "aria-labelledby": "h-" + id},
      element("h3", {id: "h-" + id}, title), element("p", {class: "note"}, about), this.box,
      this.caption, element("details", {}, element("summary", {}, "The numbers of this picture"),
        element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers: " + title},
          this.table)));
  }

  /* An empty drawing of the figure's width; returns [svg, width]. */
  begin() {
    const width = Math.max(240, this.box.clientWidth || 600);
    this.box.textContent = "";
    const svg = d3.select(this.box).append("svg").attr("width", width).attr("height", this.height);
    return [svg, width];
  }

  timeAxis(svg, width, x) {
    svg.append("g").attr("class", "axis")
      .attr("transform", `translate(0,${this.height - MARGIN.bottom + 2})`)
      .call(d3.svg.axis().scale(x).orient("bottom").ticks(Math.max(2, Math.floor(width / 130)))
        .tickFormat(timeText));
  }

  time(model, width) {
    const end = Math.max(1, model.now);
    return d3.scale.linear().domain([end - end * Picture.share, end])
      .range([MARGIN.left, width - MARGIN.right]).clamp(true);
  }

  say(text) {
    if (this.caption.textContent !== text)
      this.caption.textContent = text;
  }

  rows(head, rows) {
    this.table.textContent = "";
    this.table.append(element("thead", {}, element("tr", {}, ...head.map((h) =>
      element("th", {scope: "col"}, h)))), element("tbody", {}, ...rows.map((row) =>
      element("tr", {}, ...row.map((cell) => element("td", {}, String(cell)))))));
  }
}

/* The part of the run that time pictures show: the last share of it. */
Picture.share = 1;

/* ---- the address space over time ---- */

class SpacePicture extends Picture {
  constructor() {
    super("pic-space", "I/O address space over time", "Across: virtual time. Up: addresses; what " +
      "lies between mappings is left out. A bar is a mapping, dashed when it may only be read. " +
      "A cross is an access that was refused, a triangle one that a stale translation let through.",
    280);
    this.select = element("select", {id: "space-shown"});
    this.choice = element("p", {class: "tools"}, element("label", {for: "space-shown"},
      "Address space"), this.select);
    this.figure.insertBefore(this.choice, this.box);
    this.chosen = null;
    this.select.addEventListener("change", () => {
      this.chosen = +this.select.value;
      this.draw(this.model);
    });
  }

  /* Addresses to heights: a piece for each range that was ever mapped, by the log of its size. */
  scale(space, marks) {
    const edges = new Set();
    const add = (first, last) => { edges.add(first); edges.add(last + 1); };
    for (const map of space.maps) add(map.iova, map.last);
    for (const mark of marks) add(Math.floor(mark.iova / 4096) * 4096,
      Math.floor(mark.iova / 4096) * 4096 + 4095);
    const sorted = [...edges].sort((a, b) => a - b);
    const heights = [0];
    const used = new Uint8Array(sorted.length);
    const place = new Map(sorted.map((edge, i) => [edge, i]));
    for (const map of space.maps)
      used.fill(1, place.get(map.iova), place.get(map.last + 1));
    for (let i = 0; i + 1 < sorted.length; i++)
      heights.push(heights[i] + (used[i] ? Math.log2((sorted[i + 1] - sorted[i]) / 4096 + 1) + .5 : .7));
    return d3.scale.linear().domain(sorted).range(heights.map((h) => this.height - MARGIN.bottom -
      h / (heights[heights.length - 1] || 1) * (this.height - MARGIN.bottom - MARGIN.top)));
  }

  draw(model) {
    this.model = model;
    this.select.textContent = "";
    for (const space of model.spaces)
      this.select.append(element("option", {value: space.number}, `${space.number + 1}: ` +
        many(space.counts.maps, "mapping")));
    this.choice.hidden = model.spaces.length < 2;
    const space = model.spaces[this.chosen] || model.busiest();
    if (space) this.select.value = space.number;
    this.say(model.spaceText(space));
    const [svg, width] = this.begin();
    if (!space) return;
    const x = this.time(model, width);
    const marks = space.accesses.filter((a) => a.refused || a.stale);
    const y = this.scale(space, marks);
    const from = x.domain()[0];
    const shown = thin(space.maps.filter((map) => map.end === null || map.end >= from), RECTS_DRAWN);
    const end = (map) => map.end === null ? model.now : map.end;
    svg.selectAll("rect").data(shown).enter().append("rect")
      .attr("class", (map) => map.write ? "map" : "map readonly")
      .attr("x", (map) => x(map.begin)).attr("y", (map) => y(map.last + 1))
      .attr("width", (map) => Math.max(1, x(end(map)) - x(map.begin)))
      .attr("height", (map) => Math.max(1, y(map.iova) - y(map.last + 1)))
      .append("title").text((map) => `${hex(map.iova)}, ${bytesText(map.last - map.iova + 1)}`);
    svg.selectAll("circle").data(thin(space.accesses.filter((a) => !a.refused && !a.stale &&
      a.time >= from), 600)).enter().append("circle").attr("class", "access").attr("r", 1.5)
      .attr("cx", (a) => x(a.time)).attr("cy", (a) => y(a.iova));
    svg.selectAll("path.mark").data(marks.filter((a) => a.time >= from)).enter().append("path")
      .attr("class", (a) => a.stale ? "mark stale" : "mark refused")
      .attr("d", (a) => a.stale ? "M0,-7L7,6L-7,6Z" : "M-6,-6L6,6M-6,6L6,-6")
      .attr("transform", (a) => `translate(${x(a.time)},${y(a.iova)})`);
    this.timeAxis(svg, width, x);
    this.rows(["address", "size", "from", "to", "access"], space.maps.slice(-20).map((map) => [
      hex(map.iova), bytesText(map.last - map.iova + 1), timeText(map.begin),
      map.end === null ? "lives" : timeText(map.end) + (map.gone ? ", with its address space" : ""),
      map.write ? "read, write" : "read"]));
  }
}

/* ---- the IOTLB ---- */

class IotlbPicture extends Picture {
  constructor() {
    super("pic-iotlb", "IOTLB", "A square is a place of the IOTLB: full when it holds a " +
      "translation, with a cross when the mapping behind it is gone.", 120);
  }

  draw(model) {
    this.say(model.iotlbText());
    const state = model.state;
    const entries = state && state.iotlb_entries || 0;
    const shown = Math.min(entries, 4096);
    const width = Math.max(240, this.box.clientWidth || 600);
    const size = shown <= 64 ? 18 : shown <= 1024 ? 10 : 6;
    const columns = Math.max(1, Math.floor((width - 10) / size));
    this.height = Math.max(size + 8, Math.ceil(shown / columns) * size + 8);
    const [svg] = this.begin();
    const held = new Map(state && state.iotlb ? state.iotlb.map((e) => [e[0], e]) : []);
    const cells = svg.selectAll("g").data(d3.range(shown)).enter().append("g")
      .attr("transform", (i) => `translate(${4 + i % columns * size},${4 + Math.floor(i / columns) * size})`);
    cells.append("rect").attr("width", size - 2).attr("height", size - 2)
      .attr("class", (i) => held.has(i) ? held.get(i)[3] ? "entry" : "entry stale" : "entry empty");
    cells.filter((i) => held.has(i)).append("title").text((i) => `${held.get(i)[1]}, ` +
      bytesText(2 ** held.get(i)[2]) + (held.get(i)[3] ? "" : ", its mapping is gone"));
    cells.filter((i) => held.has(i) && !held.get(i)[3]).append("path").attr("class", "cross")
      .attr("d", `M2,2L${size - 4},${size - 4}M2,${size - 4}L${size - 4},2`);
    this.rows(["place", "page", "size", "mapping"], [...held.values()].slice(0, 64).map((e) => [
      e[0], e[1], bytesText(2 ** e[2]), e[3] ? "lives" : "is gone"]));
  }
}

/* ---- the walk of one access ---- */

class WalkPicture extends Picture {
  constructor(ask) {
    super("pic-walk", "Page walk of one access", "From the root of the page tables to the page. A " +
      "dashed table is not read: a walk cache knows what lies below it.", 130);
    this.input = element("input", {id: "walk-address", type: "text", size: "18", autocomplete: "off",
      spellcheck: "false", placeholder: "0x...: the last access"});
    this.message = element("span", {role: "status"});
    this.figure.insertBefore(element("form", {class: "tools", onsubmit: (event) => {
      event.preventDefault();
      ask(this.input.value.trim());
    }}, element("label", {for: "walk-address"}, "Address"), this.input,
    element("button", {type: "submit"}, "Show its walk"), this.message), this.box);
  }

  draw(model) {
    this.say(model.walkText());
    const walk = model.walk;
    const [svg, width] = this.begin();
    if (!walk) return;
    const boxes = [...walk.levels.map((level, i) => ({
      top: i ? "table " + (i + 1) : "root", bottom: "entry " + level.index,
      skipped: walk.in_iotlb || level.skipped,
    })), {top: walk.mapped ? "page" : "fault", bottom: walk.mapped ? bytesText(2 ** walk.leaf_shift) :
      "not mapped", bad: !walk.mapped}];
    const step = (width - 16) / boxes.length;
    const groups = svg.selectAll("g").data(boxes).enter().append("g")
      .attr("transform", (_, i) => `translate(${8 + i * step},24)`);
    groups.append("rect").attr("width", step * .78).attr("height", 62).attr("rx", 4)
      .attr("class", (b) => "table" + (b.skipped ? " skipped" : "") + (b.bad ? " bad" : ""));
    const label = (key, y) => groups.append("text").attr("x", step * .39).attr("y", y)
      .attr("text-anchor", "middle").text((b) => b[key]);
    label("top", 26);
    label("bottom", 46);
    groups.filter((_, i) => i + 1 < boxes.length).append("path").attr("class", "arrow")
      .attr("d", `M${step * .78},31L${step - 3},31M${step - 9},26L${step - 3},31L${step - 9},36`);
    this.rows(["table", "entry", "maps", "read"], walk.levels.map((level, i) => [i + 1, level.index,
      bytesText(2 ** level.shift), walk.in_iotlb ? "no, in the IOTLB" : level.skipped ? "no, cached" :
        "yes"]));
  }
}

/* ---- queues ---- */

class QueuesPicture extends Picture {
  constructor() {
    super("pic-queues", "Queues and rings over time", "A row for each: how full it is, from nothing " +
      "to its own largest value.", 100);
  }

  draw(model) {
    this.say(model.levelsText());
    const rows = model.samples.length ? model.levels() : [];
    const row = 46;
    this.height = rows.length * row + MARGIN.bottom + 6;
    const [svg, width] = this.begin();
    if (!rows.length) return;
    const x = this.time(model, width);
    rows.forEach((level, i) => {
      const most = Math.max(1, d3.max(level.values, (v) => v[1]));
      const y = d3.scale.linear().domain([0, most]).range([(i + 1) * row, i * row + 18]);
      const values = level.values.filter((v) => v[0] >= x.domain()[0]);
      svg.append("path").attr("class", "level").attr("style", `--c:${COLOURS[i % COLOURS.length]}`)
        .attr("d", d3.svg.area().x((v) => x(v[0])).y0(y(0)).y1((v) => y(v[1]))
          .interpolate("step-after")(values));
      svg.append("text").attr("x", MARGIN.left).attr("y", i * row + 13)
        .text(`${level.name}: ${level.unit(d3.max(level.values, (v) => v[1]))} at most`);
    });
    this.timeAxis(svg, width, x);
    this.rows(["", "now", "at most"], rows.map((level) => [level.name,
      level.unit(level.values[level.values.length - 1][1]), level.unit(d3.max(level.values, (v) => v[1]))]));
  }
}

/* ---- from unmap to invalidation ---- */

class WindowsPicture extends Picture {
  constructor() {
    super("pic-windows", "Invalidation windows", "A line begins when an unmap has returned and ends when its " +
      "translation is invalidated. A triangle is an access that went through in between.", 190);
  }

  draw(model) {
    this.say(model.windowsText());
    this.box.hidden = !model.windows.length && !model.waiting.length;
    const [svg, width] = this.begin();
    const all = [...model.windows, ...model.waiting.map((w) => ({...w, end: model.now, open: true}))];
    const x = this.time(model, width);
    const from = x.domain()[0];
    const shown = thin(all.filter((w) => w.end >= from), 2000);
    const lanes = Math.max(1, Math.min(60, shown.length));
    const y = (i) => MARGIN.top + i % lanes / lanes * (this.height - MARGIN.top - MARGIN.bottom - 12);
    svg.selectAll("line").data(shown).enter().append("line")
      .attr("class", (w) => w.open ? "window open" : "window")
      .attr("x1", (w) => x(w.begin)).attr("x2", (w) => Math.max(x(w.begin) + 1.5, x(w.end)))
      .attr("y1", (_, i) => y(i)).attr("y2", (_, i) => y(i));
    const stale = model.spaces.flatMap((space) => space.accesses.filter((a) => a.stale && a.time >= from));
    svg.selectAll("path.mark").data(stale).enter().append("path").attr("class", "mark stale")
      .attr("d", "M0,-7L7,6L-7,6Z")
      .attr("transform", (a) => `translate(${x(a.time)},${this.height - MARGIN.bottom - 8})`);
    this.timeAxis(svg, width, x);
    this.rows(["address", "unmapped", "invalidated", "between"], all.slice(-20).map((w) => [hex(w.iova),
      timeText(w.begin), w.open ? "not yet" : timeText(w.end), timeText(w.end - w.begin)]));
  }
}

/* ---- rounds of a migration ---- */

class RoundsPicture extends Picture {
  constructor() {
    super("pic-rounds", "Rounds of the migration", "A bar for each round: the pages that were sent.",
      150);
  }

  draw(model) {
    this.figure.hidden = !model.rounds.length;
    this.say(model.roundsText());
    const [svg, width] = this.begin();
    const x = d3.scale.ordinal().domain(model.rounds.map((r) => r.round))
      .rangeBands([MARGIN.left, width - MARGIN.right], .2);
    const y = d3.scale.linear().domain([0, d3.max(model.rounds, (r) => r.pages) || 1])
      .range([this.height - MARGIN.bottom, MARGIN.top + 12]);
    svg.selectAll("rect").data(model.rounds).enter().append("rect").attr("class", "map")
      .attr("x", (r) => x(r.round)).attr("width", x.rangeBand()).attr("y", (r) => y(r.pages))
      .attr("height", (r) => Math.max(1, this.height - MARGIN.bottom - y(r.pages)));
    if (model.rounds.length <= 12)
      svg.selectAll("text").data(model.rounds).enter().append("text").attr("text-anchor", "middle")
        .attr("x", (r) => x(r.round) + x.rangeBand() / 2).attr("y", (r) => y(r.pages) - 3)
        .text((r) => countText(r.pages));
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${this.height - MARGIN.bottom + 2})`)
      .call(d3.svg.axis().scale(x).orient("bottom").tickValues(model.rounds.filter((_, i) =>
        i % Math.ceil(model.rounds.length / 12) === 0).map((r) => r.round)));
    this.rows(["round", "pages", "time to send them"], model.rounds.map((r) => [r.round,
      countText(r.pages), timeText(r.send)]));
  }
}
