"use strict";
/* The head of the page, the findings, the theme; starts the pictures. */
(() => {
  const MARKS = {ok: "\u2714", violation: "\u2716", possible: "?", unknown: "?"};

  function verdict() {
    const box = byId("verdict");
    box.className = data.verdict.status;
    box.append(element("b", {}, MARKS[data.verdict.status] + " " + data.verdict.status),
      element("span", {}, data.verdict.text));
  }

  function quality() {
    const list = byId("quality");
    data.quality.forEach((q) => list.append(element("div", {class: q.warn ? "warn" : ""},
      element("dt", {}, q.name), element("dd", {}, (q.warn ? "\u26a0 " : "") +
        (/^\d+$/.test(q.value) ? countText(q.value) : q.value)))));
    byId("made").textContent = "Made by ioasis " + data.version + " from " + data.traces.join(", ") +
      ". Time 0 is " + data.window.begin + ".";
  }

  function findings() {
    const body = byId("violations-body");
    if (!data.violations.length) {
      body.append(element("p", {}, "No rule was broken: " + data.verdict.rules + "."));
      return;
    }
    data.violations.forEach((f, i) => {
      const events = element("table", {}, element("thead", {}, element("tr", {},
        ...["", "time", "op", "event"].map((h) => element("th", {scope: "col"}, h)))),
      element("tbody", {}, ...f.events.map((e, k) => element("tr", {}, element("td", {}, String(k + 1)),
        element("td", {}, timeText(e.t_ns)), element("td", {}, e.op), element("td", {}, e.text)))));
      const head = element("div", {class: "head"}, element("span", {class: "tag"},
        MARKS[f.status] + " " + f.status), element("h3", {}, f.rule), element("span", {class: "note"},
        "at " + timeText(f.t_ns)));
      if (f.space !== null)
        head.append(element("button", {type: "button", onclick: () => spaces.show(i)},
          "Show on the picture"));
      body.append(element("article", {class: "finding " + f.status}, head,
        element("p", {}, f.cause), events));
    });
    const rest = data.violations_total - data.violations.length;
    if (rest > 0)
      body.append(element("p", {class: "note"}, countText(rest) + " more findings are counted but " +
        "not listed; `ioasis check` prints them."));
  }

  function theme() {
    const root = document.documentElement;
    byId("theme").onclick = () => {
      const dark = getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)";
      root.classList.toggle("dark", !dark);
      root.classList.toggle("light", dark);
      spaces.draw();
      charts.draw();
      charts.latency();
    };
  }

  verdict();
  quality();
  findings();
  theme();
  spaces.start();
  charts.start();
  /* A link to a finding: report.html#finding-2 */
  const asked = /^#finding-(\d+)$/.exec(location.hash);
  if (asked && data.violations[asked[1] - 1])
    spaces.show(asked[1] - 1);
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { spaces.resize(); charts.draw(); charts.latency(); }, 80);
  });
  document.documentElement.dataset.ready = "yes";
})();
