"use strict";
/*
 * The address space over time: time to the right, addresses upwards. Parts of
 * the address space that were never mapped are cut out; each part that was has
 * its own linear scale. Few mappings are drawn one by one; of many the largest
 * are, above a raster of how much of each cell was mapped.
 */
const spaces = (() => {
  const MARGIN = {left: narrow ? 96 : 172, right: narrow ? 12 : 34, top: 6, bottom: 26};
  const HEIGHT = 380, GAP = 9;
  const picture = byId("space-picture"), announce = byId("announce");
  const select = byId("space-select"), colourSelect = byId("colour-select");
  const state = {space: 0, colour: "op", scaleY: 1, shiftY: 0, current: -1, finding: -1};
  let width = 800, canvas, svg, rasters = [], drawn = [];

  picture.className = "picture";
  picture.tabIndex = 0;
  picture.setAttribute("role", "application");
  picture.setAttribute("aria-label", "I/O address space over time. Arrow keys move, plus and " +
    "minus zoom, n and p step through the mappings, v through the findings.");

  const space = () => data.spaces[state.space];

  /* Where each segment lies, in pixels from the bottom at scale 1. */
  function layout(of) {
    const room = HEIGHT - MARGIN.top - MARGIN.bottom - GAP * (of.segments.length - 1);
    const weight = of.segments.map((s) => 1 + Math.log2(Math.max(2, s.bytes / 4096)));
    const sum = weight.reduce((a, b) => a + b, 0);
    let at = 0;
    of.layout = of.segments.map((s, i) => {
      const place = {at, size: room * weight[i] / sum, bytes: s.bytes, base: BigInt(s.base)};
      at += place.size + GAP;
      return place;
    });
  }

  const inner = () => HEIGHT - MARGIN.top - MARGIN.bottom;
  /* Pixel from the top of segment `seg` at offset bytes. */
  function yOf(place, offset) {
    const up = (place.at + place.size * offset / place.bytes) * state.scaleY + state.shiftY;
    return MARGIN.top + inner() - up;
  }
  const xOf = () => d3.scale.linear().domain([view.from, view.to])
    .range([MARGIN.left, width - MARGIN.right]);

  function clampY() {
    const full = inner();
    state.scaleY = Math.max(1, Math.min(state.scaleY, 1e7));
    state.shiftY = Math.min(0, Math.max(state.shiftY, full - full * state.scaleY));
  }

  function zoomY(factor, pixel) {
    const up = MARGIN.top + inner() - (pixel === undefined ? HEIGHT / 2 : pixel);
    const before = state.scaleY;
    state.scaleY *= factor;
    state.scaleY = Math.max(1, Math.min(state.scaleY, 1e7));
    state.shiftY = up - (up - state.shiftY) * state.scaleY / before;
    clampY();
    draw();
  }

  /* ---- rasters ---- */

  function rasterMake(raster) {
    const bytes = Uint8Array.from(atob(raster.cells), (c) => c.charCodeAt(0));
    const image = document.createElement("canvas");
    image.width = raster.columns;
    image.height = raster.rows;
    const g = image.getContext("2d");
    const pixels = g.createImageData(raster.columns, raster.rows);
    const [r, green, b] = [0x00, 0x72, 0xb2];
    for (let row = 0; row < raster.rows; row++) {
      for (let column = 0; column < raster.columns; column++) {
        const share = bytes[row * raster.columns + column];
        const to = ((raster.rows - 1 - row) * raster.columns + column) * 4;
        pixels.data.set([r, green, b, share ? 50 + share * 0.8 : 0], to);
      }
    }
    g.putImageData(pixels, 0, 0);
    return {image, cells: bytes, columns: raster.columns, rows: raster.rows};
  }

  function rasterDraw(g, raster, place, x) {
    const top = yOf(place, place.bytes), bottom = yOf(place, 0);
    g.imageSmoothingEnabled = false;
    g.drawImage(raster.image, x(0), top, x(duration) - x(0), bottom - top);
  }

  /* ---- drawing ---- */

  function categoryOf(rect) {
    return state.colour === "op" ? rect[5] : rect[6];
  }

  function draw() {
    const of = space(), x = xOf();
    if (!of)
      return;
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = HEIGHT * ratio;
    canvas.style.width = width + "px";
    canvas.style.height = HEIGHT + "px";
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    g.save();
    g.beginPath();
    g.rect(MARGIN.left, MARGIN.top, width - MARGIN.left - MARGIN.right, inner());
    g.clip();
    g.fillStyle = cssColour("--back");
    of.layout.forEach((place) => {
      const top = yOf(place, place.bytes);
      g.fillRect(MARGIN.left, top, width, yOf(place, 0) - top);
    });
    rasters.forEach((raster, i) => raster && rasterDraw(g, raster, of.layout[i], x));
    const fills = TILES.map((tile) => g.createPattern(tile, "repeat"));
    const line = cssColour("--back");
    drawn = [];
    of.rects.forEach((rect, index) => {
      const x0 = x(rect[0]), x1 = x(rect[1] === null ? duration : rect[1]);
      if (x1 < MARGIN.left || x0 > width)
        return;
      const place = of.layout[rect[2]];
      const top = yOf(place, rect[3] + rect[4]), bottom = yOf(place, rect[3]);
      if (bottom < MARGIN.top || top > HEIGHT)
        return;
      const w = Math.max(1.2, x1 - x0), h = Math.max(1.2, bottom - top);
      const category = categoryOf(rect) % TILES.length;
      g.fillStyle = w > 5 && h > 5 ? fills[category] : colourOf(category);
      g.fillRect(x0, top, w, h);
      if (h > 4 && w > 4) {
        g.strokeStyle = line;
        g.strokeRect(x0 + .5, top + .5, w - 1, h - 1);
      }
      drawn.push([x0, top, x0 + w, top + h, index]);
    });
    if (state.current >= 0)
      drawCurrent(g, of, x);
    g.restore();
    drawAxes(of, x);
  }

  function drawCurrent(g, of, x) {
    const rect = of.rects[state.current], place = of.layout[rect[2]];
    const x0 = x(rect[0]), x1 = x(rect[1] === null ? duration : rect[1]);
    const top = yOf(place, rect[3] + rect[4]), bottom = yOf(place, rect[3]);
    g.strokeStyle = cssColour("--ink");
    g.lineWidth = 3;
    g.strokeRect(x0 - 1, top - 1, Math.max(4, x1 - x0 + 2), Math.max(4, bottom - top + 2));
    g.lineWidth = 1;
  }

  const hex = (value) => "0x" + value.toString(16);

  /* Down to where the address is a multiple of the power of two that is within slack. */
  function roundOffset(place, offset, slack) {
    const grain = BigInt(2 ** Math.max(0, Math.floor(Math.log2(slack))));
    const address = place.base + BigInt(Math.floor(offset));
    return Number(address - address % grain - place.base);
  }

  function drawAxes(of, x) {
    const root = d3.select(svg);
    root.attr("width", width).attr("height", HEIGHT);
    root.selectAll("*").remove();
    root.append("g").attr("class", "axis")
      .attr("transform", "translate(0," + (HEIGHT - MARGIN.bottom + 2) + ")")
      .call(timeAxis(x, width - MARGIN.left));
    const clip = root.append("clipPath").attr("id", "space-clip").append("rect");
    clip.attr("x", 0).attr("y", MARGIN.top).attr("width", width).attr("height", inner());
    const labels = root.append("g").attr("clip-path", "url(#space-clip)");
    const taken = [];
    /* The address at a place, unless another label is there already. */
    const label = (place, offset) => {
      const y = yOf(place, offset);
      if (y < -20 || y > HEIGHT || taken.some((other) => Math.abs(other - y) < 13))
        return;
      taken.push(y);
      labels.append("line").attr("x1", MARGIN.left - 4).attr("x2", MARGIN.left)
        .attr("y1", y).attr("y2", y).attr("stroke", "currentColor");
      labels.append("text").attr("x", MARGIN.left - 7).attr("y", y - 1)
        .attr("text-anchor", "end").attr("class", "soft")
        .text(hex(place.base + BigInt(Math.round(offset))));
    };
    of.layout.forEach((place) => label(place, 0));
    of.layout.forEach((place, i) => {
      const low = yOf(place, 0), high = yOf(place, place.bytes);
      const count = Math.max(1, Math.floor((low - high) / 70));
      label(place, place.bytes);
      for (let k = count - 1; k > 0; k--)
        label(place, roundOffset(place, place.bytes * k / count, place.bytes / count / 4));
      if (i)
        labels.append("text").attr("x", MARGIN.left - 7).attr("text-anchor", "end")
          .attr("y", low + GAP * state.scaleY / 2 + 4).attr("class", "soft")
          .attr("opacity", state.scaleY > 1.5 ? 1 : 0)
          .text("~ " + bytesText(Number(place.base - (of.layout[i - 1].base +
            BigInt(of.layout[i - 1].bytes)))) + " unmapped");
    });
    drawFindings(root, of, x);
  }

  function placeOf(of, iova) {
    const at = BigInt(iova);
    for (const place of of.layout) {
      if (at >= place.base && at <= place.base + BigInt(place.bytes))
        return [place, Number(at - place.base)];
    }
    return null;
  }

  /* The box of a finding in this address space: [x0, x1, y0, y1] in pixels, or null. */
  function findingBox(of, finding, x) {
    const t = finding.events.map((e) => e.t_ns);
    const x0 = x(Math.min(finding.t_ns, ...t)), x1 = x(Math.max(finding.t_ns, ...t));
    const low = finding.last !== null && placeOf(of, finding.iova);
    if (!low)
      return [x0, x1, MARGIN.top, MARGIN.top + inner()];
    const size = Number(BigInt(finding.last) - BigInt(finding.iova)) + 1;
    return [x0, x1, yOf(low[0], Math.min(low[1] + size, low[0].bytes)), yOf(low[0], low[1])];
  }

  function drawFindings(root, of, x) {
    const group = root.append("g").attr("class", "witness").attr("clip-path", "url(#space-clip)");
    data.violations.forEach((finding, index) => {
      if (finding.space !== state.space)
        return;
      const box = findingBox(of, finding, x), chosen = index === state.finding;
      const w = Math.max(10, box[1] - box[0] + 6), h = Math.max(10, box[3] - box[2] + 6);
      if (chosen) {
        finding.events.forEach((event, k) => {
          ["halo", ""].forEach((kind) => group.append("line").attr("class", kind)
            .attr("x1", x(event.t_ns)).attr("x2", x(event.t_ns))
            .attr("y1", MARGIN.top).attr("y2", MARGIN.top + inner()));
          group.append("text").attr("x", x(event.t_ns) + 3).attr("y", MARGIN.top + 12 + 14 * (k % 6))
            .text(k + 1);
        });
        group.append("rect").attr("x", box[0] - 3).attr("y", (box[2] + box[3] - h) / 2)
          .attr("width", w).attr("height", h);
      }
      const px = x(finding.t_ns);
      const py = Math.max(MARGIN.top + 14, Math.min((box[2] + box[3]) / 2, HEIGHT - MARGIN.bottom));
      group.append("path").attr("d", "M" + px + "," + (py + 6) + "l-7,-13h14z")
        .append("title").text(finding.rule + ": " + finding.cause);
      if (chosen)
        group.append("text").attr("x", px + 9).attr("y", py + 4).text(finding.rule);
    });
  }

  /* ---- what is under the pointer ---- */

  function rectText(of, rect) {
    const base = of.layout[rect[2]].base + BigInt(rect[3]);
    const end = rect[1] === null ? "still mapped at the end"
      : "unmapped " + timeText(rect[1]) + ", lived " + timeText(rect[1] - rect[0]);
    return hex(base) + " to " + hex(base + BigInt(rect[4]) - 1n) + ", " + bytesText(rect[4]) +
      ((rect[7] & 2) ? ", read-write" : ", read-only") + "\nmapped " + timeText(rect[0]) +
      (rect[8] ? " by op " + rect[8] : "") + "; " + end + "\n" +
      data.categories.op[rect[5]] + ", " + data.categories.owner[rect[6]];
  }

  function rasterText(of, px, py) {
    for (let i = 0; i < of.layout.length; i++) {
      const place = of.layout[i], raster = rasters[i];
      const top = yOf(place, place.bytes), bottom = yOf(place, 0);
      if (!raster || py < top || py > bottom)
        continue;
      const x = xOf();
      const column = Math.floor((px - x(0)) / (x(duration) - x(0)) * raster.columns);
      const row = Math.floor((bottom - py) / (bottom - top) * raster.rows);
      if (column < 0 || column >= raster.columns || row < 0 || row >= raster.rows)
        return null;
      const share = raster.cells[row * raster.columns + column];
      const from = place.base + BigInt(Math.floor(place.bytes * row / raster.rows));
      return "about " + Math.round(share / 255 * 100) + " % mapped\nfrom " + hex(from) + ", " +
        bytesText(place.bytes / raster.rows) + " during " + timeText(duration / raster.columns);
    }
    return null;
  }

  function pointed(event) {
    const box = picture.getBoundingClientRect();
    const px = event.clientX - box.left, py = event.clientY - box.top;
    for (let i = drawn.length - 1; i >= 0; i--) {
      const r = drawn[i];
      if (px >= r[0] && px <= r[2] && py >= r[1] && py <= r[3])
        return rectText(space(), space().rects[r[4]]);
    }
    return px > MARGIN.left ? rasterText(space(), px, py) : null;
  }

  /* ---- mouse and keyboard ---- */

  function whole() {
    state.scaleY = 1;
    state.shiftY = 0;
    view.set(-duration * 0.01, duration * 1.01);
  }

  function step(by) {
    const of = space(), count = of.rects.length;
    if (!count)
      return;
    state.current = state.current < 0 ? (by > 0 ? 0 : count - 1)
      : (state.current + by + count) % count;
    const rect = of.rects[state.current];
    if (rect[0] < view.from || rect[0] > view.to) {
      const span = view.to - view.from;
      view.set(rect[0] - span / 3, rect[0] + span * 2 / 3);
    }
    announce.textContent = "Mapping " + (state.current + 1) + " of " + count + ": " +
      rectText(of, rect).replace(/\n/g, "; ");
    draw();
  }

  function key(event) {
    const actions = {
      ArrowLeft: () => view.move(-.15), ArrowRight: () => view.move(.15),
      ArrowUp: () => { state.shiftY -= 40; clampY(); draw(); },
      ArrowDown: () => { state.shiftY += 40; clampY(); draw(); },
      "+": () => event.shiftKey && event.code !== "Equal" ? zoomY(1.5) : view.zoom(1 / 1.5),
      "=": () => view.zoom(1 / 1.5), "-": () => view.zoom(1.5), _: () => zoomY(1 / 1.5),
      "*": () => zoomY(1.5), "0": whole, Home: whole, n: () => step(1), p: () => step(-1),
      v: () => data.violations.length && show((state.finding + 1) % data.violations.length),
    };
    /* Shift and plus is zoom in addresses on whatever keyboard: "+" with Shift, or "*". */
    const action = event.key === "+" && event.shiftKey ? () => zoomY(1.5) : actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey)
      return;
    event.preventDefault();
    action();
  }

  function wheel(event) {
    if (document.activeElement !== picture && !event.ctrlKey)
      return;
    event.preventDefault();
    const factor = Math.pow(1.0015, event.deltaY || event.deltaX);
    const box = picture.getBoundingClientRect();
    if (event.shiftKey)
      zoomY(1 / factor, event.clientY - box.top);
    else
      view.zoom(factor, xOf().invert(event.clientX - box.left));
  }

  function drag(event) {
    let x = event.clientX, y = event.clientY;
    picture.setPointerCapture(event.pointerId);
    picture.onpointermove = (move) => {
      view.move((x - move.clientX) / (width - MARGIN.left - MARGIN.right));
      state.shiftY -= move.clientY - y;
      clampY();
      x = move.clientX;
      y = move.clientY;
    };
    picture.onpointerup = picture.onpointercancel = () => {
      picture.onpointermove = hover;
    };
  }

  function hover(event) {
    const text = pointed(event);
    if (text)
      tipShow(text, event);
    else
      tipHide();
  }

  /* ---- choosing ---- */

  function choose(index) {
    const of = data.spaces[index];
    state.space = index;
    state.current = -1;
    state.scaleY = 1;
    state.shiftY = 0;
    select.value = index;
    if (!of.layout)
      layout(of);
    rasters = of.rasters.map((raster) => raster && rasterMake(raster));
    byId("space-note").textContent = of.note;
    draw();
  }

  /* Shows a finding on the picture: its space, its time, its addresses. */
  function show(index) {
    const finding = data.violations[index];
    if (finding.space !== null && finding.space !== state.space)
      choose(finding.space);
    state.finding = index;
    const t = finding.events.map((e) => e.t_ns).concat(finding.t_ns);
    const from = Math.min(...t), to = Math.max(...t);
    const pad = Math.max((to - from) * .25, duration / 200);
    view.set(from - pad, to + pad);
    announce.textContent = "Finding " + (index + 1) + " of " + data.violations.length + ", " +
      finding.rule + ": " + finding.cause;
    byId("spaces").scrollIntoView({block: "start"});
    picture.focus({preventScroll: true});
    draw();
  }

  function resize() {
    width = Math.max(240, picture.clientWidth);
    draw();
  }

  /* The categories of what is drawn, in any address space. */
  function showLegend() {
    const used = new Set();
    data.spaces.forEach((of) => of.rects.forEach((rect) => used.add(categoryOf(rect))));
    legend(byId("space-legend"), data.categories[state.colour], used);
  }

  function start() {
    if (!data.spaces.length) {
      byId("spaces").querySelectorAll(".tools, .legend, .note").forEach((n) => n.remove());
      picture.textContent = "Nothing was mapped in this trace.";
      return;
    }
    canvas = element("canvas", {"aria-hidden": "true"});
    svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    picture.style.height = HEIGHT + 2 + "px";
    picture.append(canvas, svg);
    data.spaces.forEach((of, i) => select.append(element("option", {value: i}, of.name)));
    select.onchange = () => choose(+select.value);
    colourSelect.onchange = () => {
      state.colour = colourSelect.value;
      showLegend();
      draw();
    };
    showLegend();
    picture.addEventListener("wheel", wheel, {passive: false});
    picture.addEventListener("keydown", key);
    picture.onpointermove = hover;
    picture.onpointerleave = tipHide;
    picture.onpointerdown = drag;
    picture.ondblclick = whole;
    byId("zoom-in").onclick = () => view.zoom(1 / 1.5);
    byId("zoom-out").onclick = () => view.zoom(1.5);
    byId("zoom-reset").onclick = whole;
    view.listeners.push(draw);
    width = Math.max(240, picture.clientWidth);
    choose(0);
  }

  return {start, show, draw, resize};
})();
