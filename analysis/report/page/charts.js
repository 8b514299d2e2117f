"use strict";
/*
 * The curves under the picture (live bytes, live mappings, calls per second),
 * the latency table and histogram, and the objects' lives.
 */
const charts = (() => {
  const MARGIN = {left: narrow ? 58 : 82, right: narrow ? 16 : 34, top: 22, bottom: 26};
  const binNs = data.series.bin_ns;

  function chartRoot(container, height, label) {
    const width = Math.max(240, container.clientWidth || 900);
    container.className = "chart";
    let svg = d3.select(container).select("svg");
    if (svg.empty())
      svg = d3.select(container).append("svg").attr("role", "img").attr("tabindex", 0);
    svg.attr("width", width).attr("height", height).attr("aria-label", label);
    svg.selectAll("*").remove();
    svg.append("title").text(label);
    return {svg, width, height};
  }

  function axes(root, x, y, format, label) {
    root.svg.append("g").attr("class", "axis")
      .attr("transform", "translate(0," + (root.height - MARGIN.bottom) + ")")
      .call(timeAxis(x, root.width));
    root.svg.append("g").attr("class", "axis").attr("transform", "translate(" + MARGIN.left + ",0)")
      .call(d3.svg.axis().scale(y).orient("left").tickValues(ticksOf(y, format)).tickFormat(format));
    root.svg.append("text").attr("x", MARGIN.left).attr("y", 13).attr("class", "soft").text(label);
  }

  /* Ticks that are round in the unit that they are written in. */
  function ticksOf(y, format) {
    const max = y.domain()[1];
    const unit = format === bytesText ? BYTE_UNITS.find((u) => max >= u[0] * 2) || [1] : [1];
    return d3.scale.linear().domain([0, max / unit[0]]).ticks(4).map((t) => t * unit[0]);
  }

  /* The bins that the window of time shows; [first, last]. */
  function visible(count) {
    return [Math.max(0, Math.floor(view.from / binNs)), Math.min(count - 1, Math.ceil(view.to / binNs))];
  }

  function maxOf(values, from, to) {
    let max = 0;
    for (let i = from; i <= to; i++)
      max = Math.max(max, values[i]);
    return max;
  }

  /* Band between the lowest and the highest value of each bin. */
  function band(id, series, name, format, colour) {
    const container = byId(id);
    const root = chartRoot(container, 164, name + " over time, at most " +
      format(maxOf(series.max, 0, series.max.length - 1)));
    const [first, last] = visible(series.max.length);
    const x = d3.scale.linear().domain([view.from, view.to])
      .range([MARGIN.left, root.width - MARGIN.right]);
    const y = d3.scale.linear().domain([0, (maxOf(series.max, first, last) || 1) * 1.08])
      .range([root.height - MARGIN.bottom, MARGIN.top]);
    const points = d3.range(first, last + 1);
    const group = root.svg.append("g");
    root.svg.append("clipPath").attr("id", id + "-clip").append("rect").attr("x", MARGIN.left)
      .attr("width", root.width - MARGIN.left - MARGIN.right).attr("height", root.height);
    group.attr("clip-path", "url(#" + id + "-clip)");
    group.append("path").datum(points).attr("fill", colour).attr("opacity", .25)
      .attr("d", d3.svg.area().interpolate("step-after").x((i) => x(i * binNs))
        .y0((i) => y(series.min[i])).y1((i) => y(series.max[i])));
    group.append("path").datum(points).attr("fill", "none").attr("stroke", colour)
      .attr("stroke-width", 1.8)
      .attr("d", d3.svg.line().interpolate("step-after").x((i) => x(i * binNs))
        .y((i) => y(series.last[i])));
    axes(root, x, y, format, name);
    root.svg.on("mousemove", () => {
      const i = Math.floor(x.invert(d3.mouse(root.svg.node())[0]) / binNs);
      if (i >= 0 && i < series.max.length)
        tipShow(name + " at " + timeText(i * binNs) + ": " + format(series.last[i]) + "\nin the " +
          timeText(binNs) + " after it: " + format(series.min[i]) + " to " + format(series.max[i]),
          d3.event);
    }).on("mouseleave", tipHide);
  }

  /* Stacked calls per second by operation, failed ones marked below. */
  function calls() {
    const names = data.series.calls.map((c) => c.name);
    const root = chartRoot(byId("calls-chart"), 204, "Calls per second by operation");
    const shown = visible(data.series.errors.length);
    /* Bins thinner than a few pixels are put together. */
    const wide = Math.max(1, Math.ceil((shown[1] - shown[0] + 1) / (root.width / 6)));
    const binned = (bins) => {
      const sums = new Float64Array(Math.ceil(bins.length / wide));
      bins.forEach((v, i) => { sums[Math.floor(i / wide)] += v; });
      return sums;
    };
    const series = data.series.calls.map((c) => ({name: c.name, bins: binned(c.bins)}));
    const errors = binned(data.series.errors);
    const bin = data.series.bin_ns * wide;
    const per = (n) => n / bin * 1e9;
    const count = errors.length, first = Math.floor(shown[0] / wide);
    const last = Math.min(count - 1, Math.floor(shown[1] / wide));
    const x = d3.scale.linear().domain([view.from, view.to])
      .range([MARGIN.left, root.width - MARGIN.right]);
    const sums = new Float64Array(count);
    series.forEach((c) => c.bins.forEach((v, i) => { sums[i] += v; }));
    const y = d3.scale.linear().domain([0, per(maxOf(sums, first, last)) || 1]).nice(4)
      .range([root.height - MARGIN.bottom, MARGIN.top]);
    const base = new Float64Array(count);
    const points = d3.range(first, last + 1);
    const group = root.svg.append("g").attr("clip-path", "url(#calls-clip)");
    root.svg.append("clipPath").attr("id", "calls-clip").append("rect").attr("x", MARGIN.left)
      .attr("width", root.width - MARGIN.left - MARGIN.right).attr("height", root.height);
    const defs = root.svg.append("defs");
    series.forEach((c, k) => {
      defs.append("pattern").attr("id", "tile" + k).attr("width", 10).attr("height", 10)
        .attr("patternUnits", "userSpaceOnUse").append("image").attr("width", 10).attr("height", 10)
        .attr("xlink:href", TILES[k % TILES.length].toDataURL());
      const low = Float64Array.from(base);
      c.bins.forEach((v, i) => { base[i] += v; });
      const high = Float64Array.from(base);
      group.append("path").datum(points).attr("fill", "url(#tile" + k + ")")
        .attr("d", d3.svg.area().interpolate("step-after").x((i) => x(i * bin))
          .y0((i) => y(per(low[i]))).y1((i) => y(per(high[i]))));
    });
    for (let i = first; i <= last; i++) {
      if (errors[i])
        group.append("path").attr("fill", BAD)
          .attr("d", "M" + x((i + .5) * bin) + "," + (root.height - MARGIN.bottom - 9) + "l5,9h-10z");
    }
    axes(root, x, y, shortCount, "calls per second; triangles: calls failed");
    legend(byId("calls-legend"), names);
    root.svg.on("mousemove", () => {
      const i = Math.floor(x.invert(d3.mouse(root.svg.node())[0]) / bin);
      if (i >= 0 && i < count)
        tipShow(series.filter((c) => c.bins[i]).map((c) => c.name + ": " +
          countText(c.bins[i])).concat("failed: " + countText(errors[i]),
          "in " + timeText(bin) + " from " + timeText(i * bin)).join("\n"), d3.event);
    }).on("mouseleave", tipHide);
  }

  /* ---- latency ---- */

  function latencyTable() {
    const head = ["operation", "layer", "calls", "calls/s", "errors", "bytes", "mean", "p50", "p90", "p99",
      "p99.9", "max", "total", "time"];
    /* An ioctl inside a call of the backend is that call's time too: each layer is a whole. */
    const sums = {};
    data.ops.forEach((op) => { sums[op.layer] = (sums[op.layer] || 0) + op.total_ns; });
    const row = (op) => element("tr", {}, element("td", {}, op.name),
      element("td", {class: "text"}, op.layer),
      element("td", {}, countText(op.calls)),
      element("td", {}, shortCount(op.calls / duration * 1e9)),
      element("td", {}, op.errors.map((e) => countText(e.count) + " " + e.name).join(", ") || "0"),
      element("td", {}, op.bytes ? bytesText(op.bytes) : ""),
      ...["mean_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns", "total_ns"].map((p) =>
        element("td", {}, op.timed ? timeText(op[p]) : "")),
      element("td", {}, op.timed ? (op.total_ns / (sums[op.layer] || 1) * 100).toFixed(1) + " %" : ""));
    byId("latency-table").append(element("table", {}, element("thead", {}, element("tr", {},
      ...head.map((h) => element("th", {scope: "col"}, h)))),
      element("tbody", {}, ...data.ops.map(row))));
  }

  function latency() {
    const timed = data.ops.filter((op) => op.timed), select = byId("latency-select");
    if (!timed.length) {
      byId("latency-chart").textContent = "No call has a beginning and an end in this trace.";
      return;
    }
    const op = timed[+select.value];
    const root = chartRoot(byId("latency-chart"), 210, "Latency of " + op.name + ": half of the " +
      "calls took up to " + timeText(op.p50_ns) + ", 99 of 100 up to " + timeText(op.p99_ns));
    const low = Math.max(1, op.hist[0][0]), high = Math.max(op.hist[op.hist.length - 1][1], low * 2);
    const x = d3.scale.log().domain([low, high]).range([MARGIN.left, root.width - 110]);
    /* Buckets grow with the value: bars of one width each on the logarithm. */
    const bars = 60, counts = new Float64Array(bars);
    op.hist.forEach((h) => {
      const at = Math.log(Math.max(1, (h[0] + h[1]) / 2) / low) / Math.log(high / low);
      counts[Math.max(0, Math.min(bars - 1, Math.floor(at * bars)))] += h[2];
    });
    const y = d3.scale.linear().domain([0, maxOf(counts, 0, bars - 1)]).nice(4)
      .range([root.height - MARGIN.bottom, MARGIN.top + 30]);
    const edge = (i) => low * Math.pow(high / low, i / bars);
    counts.forEach((count, i) => count && root.svg.append("rect").attr("fill", colourOf(0))
      .attr("x", x(edge(i))).attr("width", Math.max(1, x(edge(i + 1)) - x(edge(i)) - 1))
      .attr("y", Math.min(y(count), y(0) - 1)).attr("height", Math.max(1, y(0) - y(count)))
      .append("title").text(countText(count) + " calls from " + timeText(edge(i)) + " to " +
        timeText(edge(i + 1))));
    const ticks = [];
    for (let t = Math.pow(10, Math.floor(Math.log10(low))); t <= high; t *= 10)
      [1, 2, 5].forEach((m) => t * m >= low && t * m <= high && ticks.push(t * m));
    root.svg.append("g").attr("class", "axis")
      .attr("transform", "translate(0," + (root.height - MARGIN.bottom) + ")")
      .call(d3.svg.axis().scale(x).orient("bottom").tickValues(ticks.length > 12
        ? ticks.filter((t) => /^1/.test(String(t))) : ticks).tickFormat(timeText));
    root.svg.append("g").attr("class", "axis").attr("transform", "translate(" + MARGIN.left + ",0)")
      .call(d3.svg.axis().scale(y).orient("left").ticks(4).tickFormat(shortCount));
    const marks = [["p50", op.p50_ns], ["p90", op.p90_ns], ["p99", op.p99_ns], ["p99.9", op.p999_ns]];
    let before = -100, level = 0;
    marks.forEach(([name, ns]) => {
      const at = x(Math.max(low, Math.min(high, ns || 1)));
      level = at - before < 96 ? level + 1 : 0;
      before = at;
      root.svg.append("line").attr("x1", at).attr("x2", at).attr("y1", 16 + 12 * level)
        .attr("y2", y(0)).attr("stroke", BAD).attr("stroke-dasharray", "4 3");
      root.svg.append("text").attr("x", at + 3).attr("y", 14 + 12 * level)
        .text(name + " " + timeText(ns));
    });
  }

  /* How many calls took how long, when: a column a piece of time, a row a power of two. */
  function heat() {
    const container = byId("heat-chart"), rows = data.heat;
    if (!rows.length) {
      container.textContent = "No call has a beginning and an end in this trace.";
      return;
    }
    const root = chartRoot(container, 34 + 12 * Math.max(6, rows.length) + MARGIN.bottom,
      "Latency over time: how many calls took how long");
    const [first, last] = visible(rows[0].bins.length);
    const x = d3.scale.linear().domain([view.from, view.to])
      .range([MARGIN.left, root.width - MARGIN.right]);
    const low = Math.max(1, rows[0].low_ns), high = rows[rows.length - 1].low_ns * 2 || 2;
    const y = d3.scale.log().base(2).domain([low, Math.max(high, low * 2)])
      .range([root.height - MARGIN.bottom, MARGIN.top]);
    /* Bins thinner than a few pixels are put together. */
    const wide = Math.max(1, Math.ceil((last - first + 1) / ((root.width - MARGIN.left) / 5)));
    const cells = [];
    let most = 1;
    rows.forEach((row) => {
      for (let i = first - first % wide; i <= last; i += wide) {
        let calls = 0;
        for (let k = Math.max(0, i); k < Math.min(row.bins.length, i + wide); k++)
          calls += row.bins[k];
        if (calls) {
          cells.push([i, row, calls]);
          most = Math.max(most, calls);
        }
      }
    });
    const clip = (v) => Math.max(MARGIN.left, Math.min(root.width - MARGIN.right, v));
    const dark = d3.scale.log().domain([1, Math.max(2, most)]).range([.2, 1]);
    cells.forEach(([i, row, calls]) => {
      const x0 = clip(x(i * binNs)), x1 = clip(x((i + wide) * binNs));
      const from = Math.max(1, row.low_ns), top = y(from * 2);
      if (x1 <= x0)
        return;
      root.svg.append("rect").attr("x", x0).attr("width", Math.max(1, x1 - x0)).attr("y", top)
        .attr("height", Math.max(1, y(from) - top - 1)).attr("fill", colourOf(0))
        .attr("opacity", dark(calls)).append("title").text(countText(calls) + " calls took " +
          timeText(row.low_ns) + " to " + timeText(from * 2) + "\nin " + timeText(binNs * wide) +
          " from " + timeText(Math.max(0, i * binNs)));
    });
    const ticks = rows.map((row) => Math.max(1, row.low_ns))
      .filter((_, i) => i % Math.ceil(rows.length / 7) === 0);
    root.svg.append("g").attr("class", "axis")
      .attr("transform", "translate(0," + (root.height - MARGIN.bottom) + ")").call(timeAxis(x, root.width));
    root.svg.append("g").attr("class", "axis").attr("transform", "translate(" + MARGIN.left + ",0)")
      .call(d3.svg.axis().scale(y).orient("left").tickValues(ticks).tickFormat(timeText));
    root.svg.append("text").attr("x", MARGIN.left).attr("y", 13).attr("class", "soft")
      .text("stronger colour: more calls, at most " + countText(most));
  }

  function slowest() {
    const head = ["operation", "took", "began at", "op", "process", "thread", "answer", ""];
    const row = (call) => element("tr", {}, element("td", {}, call.name),
      element("td", {}, timeText(call.took_ns)), element("td", {}, timeText(call.t_ns)),
      element("td", {}, call.op_id), element("td", {}, call.process),
      element("td", {}, call.tid ? String(call.tid) : ""), element("td", {}, call.error || "ok"),
      element("td", {}, element("button", {type: "button", onclick: () =>
        view.set(call.t_ns - call.took_ns * 4, call.t_ns + call.took_ns * 5)}, "Show")));
    if (data.slowest.length)
      byId("slowest-table").append(element("table", {}, element("thead", {}, element("tr", {},
        ...head.map((h) => element("th", {scope: "col"}, h)))),
        element("tbody", {}, ...data.slowest.map(row))));
  }

  /* ---- objects ---- */

  function objects() {
    const ROW = 17, LEFT = narrow ? 110 : 260, list = data.objects;
    const container = byId("objects-chart");
    if (!list.length) {
      container.textContent = "No object in this trace.";
      return;
    }
    const root = chartRoot(container, list.length * ROW + 30, list.length + " objects by who holds them");
    container.classList.add("scroll");
    const x = d3.scale.linear().domain([view.from, view.to]).range([LEFT, root.width - 14]);
    const clamp = (v) => Math.max(LEFT, Math.min(root.width - 14, v));
    list.forEach((object, i) => {
      const y = i * ROW + 4;
      const x0 = clamp(x(object.born_ns)), x1 = clamp(x(object.died_ns === null ? duration
        : object.died_ns));
      const name = root.svg.append("text").attr("x", 4 + object.depth * 14).attr("y", y + 11);
      name.text((object.depth ? "\u2514 " : "") + object.name);
      const text = object.name + ": from " + timeText(object.born_ns) + (object.died_ns === null
        ? ", lives at the end" : " to " + timeText(object.died_ns)) + "\n" + object.more;
      name.append("title").text(text);
      if (x(object.died_ns === null ? duration : object.died_ns) < LEFT || x(object.born_ns) > root.width)
        return;
      root.svg.append("rect").attr("x", x0).attr("y", y + 1).attr("width", Math.max(2, x1 - x0))
        .attr("height", ROW - 5).attr("rx", 2).attr("fill", "url(#object" + object.kind + ")")
        .append("title").text(text);
      if (object.died_ns === null)
        root.svg.append("text").attr("x", Math.min(x1, root.width - 14) - 8).attr("y", y + 11)
          .attr("text-anchor", "end").style("fill", "#fff").style("font-weight", "700").text("\u25b8");
    });
    const defs = root.svg.append("defs");
    TILES.forEach((tile, k) => defs.append("pattern").attr("id", "object" + k).attr("width", 10)
      .attr("height", 10).attr("patternUnits", "userSpaceOnUse").append("image").attr("width", 10)
      .attr("height", 10).attr("xlink:href", tile.toDataURL()));
    root.svg.append("g").attr("class", "axis")
      .attr("transform", "translate(0," + (list.length * ROW + 4) + ")").call(timeAxis(x, root.width - LEFT));
  }

  function draw() {
    band("live-bytes", data.series.bytes, "live bytes", bytesText, colourOf(0));
    band("live-mappings", data.series.mappings, "live mappings", shortCount, colourOf(2));
    calls();
    heat();
    objects();
  }

  function start() {
    const timed = data.ops.filter((op) => op.timed), select = byId("latency-select");
    timed.forEach((op, i) => select.append(element("option", {value: i}, op.name)));
    select.value = timed.reduce((best, op, i) => op.calls > timed[best].calls ? i : best, 0);
    select.onchange = latency;
    if (data.objects_left_out)
      byId("objects").querySelector(".note").textContent += " " +
        countText(data.objects_left_out) + " more objects are counted but not drawn.";
    latencyTable();
    slowest();
    latency();
    draw();
    view.listeners.push(draw);
  }

  return {start, draw, latency};
})();
