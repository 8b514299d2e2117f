"use strict";
/*
 * The lessons: what stands in docs/LEARN.md, with its predictions compared and its tasks checked
 * by the numbers of a run.
 */

/* A number of the result, as "nic.line_share_ppm / 10000" or "a.b / c.d" names it. */
function valueOf(expression, values) {
  const parts = expression.split("/").map((part) => {
    const word = part.trim();
    if (/^[0-9.]+$/.test(word)) return +word;
    const [group, name] = word.split(".");
    const value = values[group] && values[group][name];
    return value === undefined ? NaN : +value;
  });
  return parts.slice(1).reduce((value, by) => value / by, parts[0]);
}

/* Whether "nic.line_share_ppm >= 700000" holds. */
function holds(condition, values) {
  const match = /^(.*?)\s*(>=|<=|=|>|<)\s*([0-9.]+)$/.exec(condition);
  const value = valueOf(match[1], values), bound = +match[3];
  return {">=": value >= bound, "<=": value <= bound, "=": value === bound, ">": value > bound,
    "<": value < bound}[match[2]];
}

const allHold = (conditions, values) => conditions.split(" and ").every((c) => holds(c.trim(), values));

const rounded = (value) => String(+value.toPrecision(4));

class Lessons {
  constructor(bench) {
    this.bench = bench;
    this.predictions = {}; /* by lesson and driver */
    bench.listener = (result) => this.ran(result);
    site.lessons.forEach((lesson, i) => byId("lessons").append(element("li", {},
      element("a", {href: "#" + lesson.id, id: "to-" + lesson.id}, `${i + 1}. ${lesson.title}`))));
    byId("glossary-body").innerHTML = site.glossary;
    byId("reset").addEventListener("click", () => this.bench.show(this.lesson.scenario, this.lesson.settings));
    byId("predict").addEventListener("submit", (event) => {
      event.preventDefault();
      this.predict();
    });
    byId("check-task").addEventListener("click", () => this.checkTask());
    byId("ask-checker").addEventListener("click", () => this.askChecker());
    byId("driver").addEventListener("change", () => this.chooseDriver());
    byId("next").addEventListener("click", () => this.move(1));
    byId("previous").addEventListener("click", () => this.move(-1));
    addEventListener("hashchange", () => this.open(true));
    this.open(false);
  }

  move(by) {
    const at = site.lessons.indexOf(this.lesson) + by;
    if (site.lessons[at])
      location.hash = site.lessons[at].id;
  }

  open(moved) {
    const lesson = site.lessons.find((l) => "#" + l.id === location.hash) ||
      (this.lesson && location.hash ? null : site.lessons[0]);
    if (lesson && lesson === this.lesson && moved)
      byId("lesson").focus();
    if (!lesson || lesson === this.lesson)
      return; /* a link inside the page */
    this.lesson = lesson;
    for (const link of byId("lessons").querySelectorAll("a")) {
      if (link.id === "to-" + lesson.id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const at = site.lessons.indexOf(lesson);
    byId("lesson-title").textContent = `${at + 1}. ${lesson.title}`;
    document.title = lesson.title + " · ioasis";
    byId("lesson-intro").innerHTML = lesson.intro;
    byId("lesson-explanation").innerHTML = lesson.explanation;
    byId("lesson-task").innerHTML = lesson.task;
    byId("lesson-solution").innerHTML = lesson.solution;
    byId("check-task").hidden = !lesson.wants.length;
    byId("previous").disabled = !at;
    byId("next").disabled = at + 1 === site.lessons.length;
    byId("task-result").textContent = byId("compare").textContent = "";
    this.bench.result = null;
    this.bench.model = new Model();
    this.showDrivers();
    this.showPrediction();
    this.bench.forgetResult();
    this.bench.show(lesson.scenario, lesson.settings);
    this.bench.status("Nothing has run yet.");
    this.bench.draw();
    if (moved)
      byId("lesson").focus();
    scrollTo(0, moved ? byId("lesson").offsetTop : 0);
  }

  /* ---- drivers to find out about ---- */

  showDrivers() {
    byId("driver").textContent = "";
    for (const driver of this.lesson.drivers)
      byId("driver").append(element("option", {value: driver.name}, driver.name));
    byId("driver-choice").hidden = !this.lesson.drivers.length;
    this.chooseDriver();
  }

  chooseDriver() {
    const driver = this.lesson.drivers.find((d) => d.name === byId("driver").value);
    this.driver = driver || null;
    this.bench.hidden = driver ? driver.settings : "";
    this.bench.edited();
    this.bench.result = null;
    this.bench.forgetResult();
    byId("compare").textContent = "";
    if (this.lesson.drivers.length)
      this.showPrediction();
  }

  askChecker() {
    if (!this.predictions[this.key()]) {
      byId("check").hidden = false;
      byId("check").textContent = "Say first what you think: your prediction is above.";
      return;
    }
    byId("check").hidden = false;
    byId("check").textContent = this.bench.result.check;
    this.compare(this.bench.result.values);
  }

  /* ---- predictions ---- */

  key() {
    return this.lesson.id + "/" + (this.driver ? this.driver.name : "");
  }

  showPrediction() {
    const predict = this.lesson.predict;
    byId("predict").hidden = !predict;
    byId("predict-note").textContent = "";
    byId("predict-fields").textContent = "";
    if (!predict)
      return;
    if (predict.choices.length) {
      byId("predict-fields").append(element("fieldset", {}, element("legend", {}, predict.ask),
        ...predict.choices.map((choice, i) => {
          const radio = element("input", {type: "radio", name: "prediction", value: i, id: "choice-" + i});
          return element("label", {for: "choice-" + i}, radio, " " + choice.text);
        })));
    } else {
      byId("predict-fields").append(element("label", {for: "prediction"}, predict.ask),
        element("input", {id: "prediction", type: "text", inputmode: "decimal", size: "10"}),
        " " + predict.unit);
    }
    const kept = this.predictions[this.key()];
    if (kept)
      this.fillPrediction(kept);
  }

  fillPrediction(kept) {
    if (this.lesson.predict.choices.length)
      byId("choice-" + kept.choice).checked = true;
    else
      byId("prediction").value = kept.number;
    byId("predict-note").textContent = "Kept. Run the scenario to see.";
  }

  predict() {
    const predict = this.lesson.predict;
    const note = byId("predict-note");
    if (predict.choices.length) {
      const chosen = document.querySelector("input[name=prediction]:checked");
      if (!chosen) {
        note.textContent = "Choose one of them first.";
        return;
      }
      this.predictions[this.key()] = {choice: +chosen.value};
    } else {
      const text = byId("prediction").value.trim().replace(",", ".");
      if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) {
        note.textContent = `Write a number of ${predict.unit}, like 40.`;
        return;
      }
      this.predictions[this.key()] = {number: +text};
    }
    note.textContent = "Kept. Run the scenario to see.";
  }

  compare(values) {
    const kept = this.predictions[this.key()], predict = this.lesson.predict;
    byId("compare").textContent = "";
    if (!predict)
      return;
    let right, text;
    if (predict.choices.length) {
      const driver = this.driver;
      const answer = predict.choices.find((choice) => driver ? choice.rule === driver.answer :
        allHold(choice.rule, values));
      const said = answer ? answer.text : "none of these";
      right = kept && answer === predict.choices[kept.choice];
      text = `The run says: ${said}. ` + (!kept ? "You made no prediction." : right ? "You were right." :
        `You said: ${predict.choices[kept.choice].text}.`);
    } else {
      const value = valueOf(predict.value, values);
      right = kept && Math.abs(kept.number - value) <= Math.max(value * .15, .5);
      text = `The run says: ${rounded(value)} ${predict.unit}. ` + (!kept ? "You made no prediction." :
        `You said ${kept.number}: ` + (right ? "that is close." : kept.number > value ? "too much." :
          "too little."));
    }
    byId("compare").append(element("div", {class: right ? "ok" : "bad"}, text));
  }

  /* ---- results and tasks ---- */

  ran(result) {
    byId("task-result").textContent = "";
    if (!this.driver)
      this.compare(result.values);
  }

  async checkTask() {
    const out = byId("task-result");
    out.textContent = "";
    await this.bench.go(null, 0);
    const result = this.bench.result;
    if (!result) {
      out.append(element("div", {class: "bad"}, "The run did not come to its end: nothing to check."));
      return;
    }
    const wants = this.lesson.wants.map((want) => ({...want, holds: allHold(want.rule, result.values)}));
    const solved = wants.every((want) => want.holds);
    out.append(element("div", {class: solved ? "ok" : "bad"},
      element("strong", {}, solved ? "Solved." : "Not yet."), element("ul", {}, ...wants.map((want) =>
        element("li", {}, (want.holds ? "Yes: " : "No: ") + want.text)))));
    if (solved)
      byId("to-" + this.lesson.id).classList.add("done");
  }
}

const bench = new Bench();
new Lessons(bench);
