"use strict";
/*
 * The bench: the editor, the settings, the buttons, and what a run shows. It tells its listener
 * (lessons.js) of each result.
 */
class Bench {
  constructor() {
    this.runner = new Engine();
    this.reader = new Engine(); /* looks over what is typed */
    this.model = new Model();
    this.begun = false; /* a run that can go on */
    this.result = null;
    this.hidden = "";   /* settings that the page does not show: of a driver to find out about */
    this.drawCost = 0;  /* of the last time, in ms */
    this.listener = () => {};
    this.pictures = [new SpacePicture(), new WindowsPicture(), new IotlbPicture(),
      new WalkPicture((iova) => this.walk(iova)), new QueuesPicture(), new RoundsPicture()];
    this.pictures.forEach((picture) => byId("figures").append(picture.figure));
    this.walkPicture = this.pictures[3];
    this.makeEditor();
    this.makeButtons();
    this.draw();
  }

  makeEditor() {
    this.editor = CodeMirror.fromTextArea(byId("scenario"), {
      mode: "yaml", lineNumbers: true, lineWrapping: true, inputStyle: "contenteditable", viewportMargin: Infinity,
      screenReaderLabel: "The scenario (YAML)",
      /* Tab leaves the editor, as it leaves every field. */
      extraKeys: {Tab: false, "Shift-Tab": false},
    });
    this.editor.on("beforeChange", (_, change) => {
      const size = change.text.reduce((sum, line) => sum + line.length + 1, 0);
      if (size > site.most_bytes) {
        change.cancel();
        this.problem("scenario.yaml: is larger than 1 MiB; a scenario has some lines, name its file");
      }
    });
    this.editor.on("change", () => this.edited());
    byId("settings").addEventListener("input", () => this.edited());
    byId("seed").addEventListener("input", () => this.edited());
    for (const name of Object.keys(site.scenarios))
      byId("shipped").append(element("option", {value: name}, name));
    byId("shipped").addEventListener("change", () => {
      this.editor.setValue(site.scenarios[byId("shipped").value]);
      byId("settings").value = "";
    });
  }

  makeButtons() {
    byId("run").addEventListener("click", () => this.go(null, 0));
    byId("slow").addEventListener("click", () => this.go(null, 1 / 100));
    byId("step").addEventListener("click", () => this.step());
    byId("stop").addEventListener("click", () => this.stop());
    byId("until-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const until = timeOf(byId("until").value);
      if (until === null)
        this.problem("Run to: '" + byId("until").value + "' is no time; write one like 1.5ms");
      else
        this.go(until, 0);
    });
    byId("share").addEventListener("change", () => {
      Picture.share = +byId("share").value;
      this.draw();
    });
    addEventListener("resize", () => this.drawSoon());
    const keys = byId("keys").closest("details");
    keys.addEventListener("toggle", async () => {
      if (!byId("keys").textContent)
        byId("keys").textContent = (await this.reader.ask({what: "keys"})).keys;
    });
  }

  /* Puts a scenario before the user. */
  show(name, settings) {
    byId("shipped").value = name;
    this.editor.setValue(site.scenarios[name]);
    byId("settings").value = settings.join("\n");
    this.edited();
  }

  input() {
    return {
      file: byId("shipped").value + ".yaml", text: this.editor.getValue(),
      settings: this.hidden + "\n" + byId("settings").value, seed: byId("seed").value.trim(),
    };
  }

  /* The run under way is of another text now. */
  edited() {
    this.begun = false;
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.lookOver(), 250);
  }

  /* Asks the scenario's own parser what it thinks of the text. */
  async lookOver() {
    this.reader.end("newer text");
    const late = setTimeout(() => this.reader.end("The scenario takes too long to read; make it smaller."),
      4000);
    try {
      const answer = await this.reader.ask({what: "load", ...this.input()});
      this.problem(answer.problem || "");
    } catch (error) {
      if (error.message !== "newer text")
        this.problem(error.message);
    }
    clearTimeout(late);
  }

  /* Shows what is wrong, and where. */
  problem(text) {
    if (byId("problem").textContent !== text)
      byId("problem").textContent = text;
    if (this.wrongLine !== undefined)
      this.editor.removeLineClass(this.wrongLine, "background", "wrong");
    this.wrongLine = undefined;
    const line = /^[^:]+\.yaml:(\d+):/.exec(text);
    if (line && line[1] <= this.editor.lineCount())
      this.wrongLine = this.editor.addLineClass(line[1] - 1, "background", "wrong");
  }

  status(text) {
    byId("status").textContent = text;
  }

  busy(is) {
    byId("stop").disabled = !is;
    for (const id of ["run", "slow", "step"])
      byId(id).disabled = is;
    if (!is && document.activeElement === document.body && this.pressed)
      this.pressed.focus();
  }

  /* Begins a run where none can go on. False: the scenario is wrong. */
  async begin() {
    if (this.begun)
      return true;
    clearTimeout(this.looking);
    const answer = await this.runner.ask({what: "begin", iova: this.walkPicture.input.value.trim(),
      ...this.input()});
    this.problem(answer.problem || "");
    if (answer.problem)
      return false;
    this.takes = answer.scenario.takes;
    this.model = new Model();
    this.result = null;
    this.begun = true;
    this.forgetResult();
    return true;
  }

  /* One question to the runner, with the buttons as they should be meanwhile. */
  async work(message, said) {
    this.pressed = document.activeElement;
    this.busy(true);
    this.started = performance.now();
    try {
      if (await this.begin()) {
        this.status(this.takes ? `${said} The program takes ${this.takes} for this, the page some ` +
          "three times as long. Stop ends it." : said);
        this.heard(await this.runner.ask(message, (part) => {
          this.model.add(part);
          this.drawSoon();
        }));
      } else {
        this.status("Nothing was run.");
      }
    } catch (error) {
      this.begun = false;
      this.draw();
      this.status(error.message + " What was seen until then is shown.");
    }
    this.busy(false);
  }

  go(until, pace) {
    return this.work({what: "run", until, pace}, "Running...");
  }

  step() {
    return this.work({what: "step"}, "One event...");
  }

  async stop() {
    if (!await this.runner.stop())
      this.begun = false;
  }

  heard(answer) {
    this.model.add(answer.last);
    const took = Math.round(performance.now() - this.started);
    const m = this.model;
    if (answer.done) {
      this.begun = false;
      this.result = {...answer, values: JSON.parse(answer.json)};
      this.showResult();
    }
    this.status((answer.done ? "The run has ended: " : "The run stands at ") + timeText(m.now) +
      ` of virtual time, ${many(m.state.events, "event")}, in ${took} ms.` +
      (m.lost ? ` ${countText(m.lost)} moments are not in the pictures.` : ""));
    this.draw();
    if (answer.done)
      this.listener(this.result);
  }

  forgetResult() {
    byId("rows").tBodies.length && byId("rows").tBodies[0].remove();
    byId("json").textContent = byId("check").textContent = "";
    byId("warnings").textContent = "";
    byId("checker").hidden = true;
    byId("json-box").hidden = !!this.hidden;
  }

  showResult() {
    this.forgetResult();
    let group = "";
    byId("rows").append(element("tbody", {}, ...this.result.rows.map((row) => {
      const first = row.group === group ? "" : row.group;
      group = row.group;
      return element("tr", {}, element("td", {}, first), element("td", {}, row.text),
        element("td", {}, row.shown));
    })));
    byId("warnings").append(...this.result.values.warnings.map((warning) =>
      element("p", {}, "Warning: " + warning)));
    byId("json").textContent = this.result.json;
    byId("checker").hidden = false;
    byId("ask-checker").hidden = !this.hidden;
    byId("check").hidden = !!this.hidden;
    byId("check").textContent = this.hidden ? "" : this.result.check;
  }

  /* The walk to another address, of the run as it stands. */
  async walk(iova) {
    const message = this.walkPicture.message;
    if (!/^0x[0-9a-fA-F]{1,16}$/.test(iova)) {
      message.textContent = "Write an address like 0x1000f7000.";
      return;
    }
    if (!this.begun && !this.result) {
      message.textContent = "Run something first.";
      return;
    }
    const {walk} = await this.runner.ask({what: "walk", iova});
    message.textContent = walk ? "" : "No device is there any more.";
    this.model.walk = walk;
    this.walkPicture.draw(this.model);
  }

  draw() {
    clearTimeout(this.drawing);
    this.drawing = null;
    const begun = performance.now();
    byId("progress").value = this.model.now / this.model.duration;
    for (const picture of this.pictures)
      picture.draw(this.model);
    /* The page has to hear of a click while a run goes on: most of the time is not for drawing. */
    this.drawCost = performance.now() - begun;
  }

  drawSoon() {
    if (!this.drawing)
      this.drawing = setTimeout(() => this.draw(), Math.max(120, 4 * this.drawCost));
  }
}

/* "1.5ms" in ns; null: no time. */
function timeOf(text) {
  const match = /^\s*([0-9]+(?:\.[0-9]+)?)\s*(ns|us|ms|s|h|d)\s*$/.exec(text);
  return match ? Math.round(match[1] * TIME_UNITS.find((u) => u[1] === match[2])[0]) : null;
}
