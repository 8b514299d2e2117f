"use strict";
/*
 * The page's side of the engine: a worker that is asked, and ended when it does not answer. One
 * runs scenarios; another, of the same text, looks over what is being typed.
 */
const workerText = document.getElementById("engine").textContent;

/* A run that does not come back within this time after a stop is ended with its worker. */
const STOP_MS = 1500;

class Engine {
  constructor() {
    this.worker = null;
    this.waiting = new Map(); /* number -> {done, failed, progress} */
    this.next = 1;
  }

  start() {
    const url = URL.createObjectURL(new Blob([workerText], {type: "text/javascript"}));
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.worker.onmessage = ({data}) => this.heard(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.end("The engine ended: " + (event.message || "out of memory") +
        ". Make the scenario smaller.");
    };
  }

  heard({number, answer, progress, failed}) {
    const waits = this.waiting.get(number);
    if (failed) {
      this.end(`The engine ended, most likely out of memory (${failed}). Make the scenario smaller.`);
      return;
    }
    if (!waits)
      return;
    if (progress) {
      waits.progress(progress);
    } else {
      this.waiting.delete(number);
      waits.done(answer);
    }
  }

  /* Asks; progress hears what comes before the answer. */
  ask(message, progress) {
    if (!this.worker)
      this.start();
    const number = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(number, {done, failed, progress: progress || (() => {})});
      this.worker.postMessage({number, ...message});
    });
  }

  pause() {
    if (this.worker)
      this.worker.postMessage({what: "pause"});
  }

  /* Ends the worker: who waits for it hears why. The next question starts another. */
  end(why) {
    if (this.worker)
      this.worker.terminate();
    this.worker = null;
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const waits of all)
      waits.failed(new Error(why));
  }

  /* Stops a run: it pauses, or is ended when it does not. True: it can go on. */
  async stop() {
    const late = performance.now() + STOP_MS;
    this.pause();
    while (this.waiting.size && performance.now() < late)
      await new Promise((done) => setTimeout(done, 20));
    if (!this.waiting.size)
      return true;
    this.end("Stopped.");
    return false;
  }
}
