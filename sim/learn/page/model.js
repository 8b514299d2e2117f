"use strict";
/*
 * What happened so far, put together from the engine's moments (watch.h): mappings with their
 * begin and end, accesses, the windows between an unmap and its invalidation. And what the
 * pictures say in words.
 */
const MAP = 0, UNMAP = 1, DMA = 2, STALE = 3, INVALIDATE = 4, FLUSH = 5, ROUND = 6, GONE = 8,
  UNMAPPED = 9, SPACE = 10;

/* Of each kind at most so many are kept for the pictures; all are counted. */
const KEPT = 20000;

class Space {
  constructor(number) {
    this.number = number;
    this.guest = 0;
    this.isDriver = false; /* what a driver maps in it is unmapped and invalidated */
    this.maps = [];         /* {iova, last, begin, end: null while it lives, write, gone} */
    this.live = new Map();  /* by the first address */
    this.accesses = [];     /* {time, iova, last, write, refused, why} */
    this.counts = {maps: 0, unmaps: 0, gone: 0, bytes: 0, ok: 0, refused: 0, stale: 0, peak: 0};
    this.lastEnd = new Map(); /* page -> when a mapping of it ended */
  }

  map(time, iova, last, prot) {
    const map = {iova, last, begin: time, end: null, write: (prot & 2) !== 0, gone: false};
    this.counts.maps++;
    this.counts.bytes += last - iova + 1;
    this.live.set(iova, map);
    this.counts.peak = Math.max(this.counts.peak, this.live.size);
    if (this.maps.length < KEPT)
      this.maps.push(map);
  }

  close(map, time) {
    map.end = time;
    this.live.delete(map.iova);
    this.lastEnd.set(Math.floor(map.iova / 4096), time);
  }

  /* Returns the mappings that ended. */
  unmap(time, iova, last) {
    const exact = this.live.get(iova);
    const ended = exact && exact.last === last ? [exact] :
      [...this.live.values()].filter((map) => map.iova >= iova && map.last <= last);
    for (const map of ended)
      this.close(map, time);
    this.counts.unmaps += ended.length;
    return ended;
  }

  gone(time) {
    for (const map of [...this.live.values()]) {
      map.gone = true;
      this.counts.gone++;
      this.close(map, time);
    }
  }

  /* Why an access was refused, as a picture shows it. */
  why(time, iova) {
    for (const map of this.live.values()) {
      if (iova >= map.iova && iova <= map.last)
        return map.write ? "is mapped now" : "is mapped for reading only";
    }
    const ended = this.lastEnd.get(Math.floor(iova / 4096));
    return ended === undefined ? "was never mapped" :
      "was unmapped " + timeText(Math.max(0, time - ended)) + " before";
  }

  access(time, iova, last, flags) {
    const refused = (flags & 2) !== 0;
    const access = {time, iova, last, write: (flags & 1) !== 0, refused, stale: false, why: ""};
    if (refused) {
      access.why = this.why(time, iova);
      this.counts.refused++;
    } else {
      this.counts.ok++;
    }
    if (this.accesses.length < KEPT)
      this.accesses.push(access);
  }

  stale(time, iova, write) {
    this.counts.stale++;
    this.accesses.push({time, iova, last: iova, write: !!write, refused: false, stale: true,
      why: this.why(time, iova)});
  }
}

class Model {
  constructor() {
    this.now = 0;
    this.duration = 1;
    this.lost = 0;
    this.spaces = [];
    this.waiting = [];  /* unmapped, and not invalidated yet: {iova, last, begin} */
    this.windows = [];  /* the same with their end */
    this.windowCounts = {count: 0, total: 0, longest: 0};
    this.rounds = [];
    this.samples = [];
    this.state = null;
    this.walk = null;
    this.ended = false;
  }

  space(number) {
    if (number < 0)
      return null;
    while (this.spaces.length <= number)
      this.spaces.push(new Space(this.spaces.length));
    return this.spaces[number];
  }

  close(waiting, end) {
    const length = Math.max(0, end - waiting.begin);
    this.windowCounts.count++;
    this.windowCounts.total += length;
    this.windowCounts.longest = Math.max(this.windowCounts.longest, length);
    if (this.windows.length < KEPT)
      this.windows.push({...waiting, end: waiting.begin + length});
  }

  moment(kind, time, a, b, c, d) {
    const space = kind === ROUND || kind === INVALIDATE || kind === FLUSH || kind === UNMAPPED ? null :
      this.space(a);
    if (kind === MAP && space) {
      space.map(time, b, c, d);
    } else if (kind === UNMAP && space) {
      for (const map of space.unmap(time, b, c))
        if (space.isDriver) this.waiting.push({iova: map.iova, last: map.last, begin: time, guest: space.guest});
    } else if (kind === DMA && space) {
      space.access(time, b, c, d);
    } else if (kind === STALE && space) {
      space.stale(time, b, d);
    } else if (kind === GONE && space) {
      space.gone(time);
    } else if (kind === INVALIDATE) {
      const at = this.waiting.findIndex((w) => w.guest === a && w.iova >= b && w.last <= c);
      if (at >= 0)
        this.close(this.waiting.splice(at, 1)[0], d);
    } else if (kind === FLUSH) {
      let left = b;
      this.waiting = this.waiting.filter((w) => {
        if (w.guest !== a || !left)
          return true;
        left--;
        this.close(w, d);
        return false;
      });
    } else if (kind === UNMAPPED) {
      for (let i = this.waiting.length - 1; i >= 0; i--) {
        if (this.waiting[i].iova === a && this.waiting[i].last === b) {
          this.waiting[i].begin = time;
          break;
        }
      }
    } else if (kind === SPACE) {
      this.space(a).guest = b;
      /* The first one of a guest is its memory, which no driver unmaps. */
      this.space(a).isDriver = this.spaces.some((other) => other.number < a && other.guest === b);
    } else if (kind === ROUND) {
      this.rounds.push({time, round: a, pages: b, send: c});
    }
  }

  moments(numbers) {
    for (let i = 0; i + 5 < numbers.length; i += 6)
      this.moment(numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3], numbers[i + 4],
        numbers[i + 5]);
  }

  /* What the worker sent of one moment of the run. */
  add(part) {
    this.now = part.now;
    this.duration = part.duration;
    this.lost = part.lost;
    this.moments(part.moments);
    this.samples.push(...part.samples);
    this.state = part.state;
    this.walk = part.walk;
    if (part.afterwards) {
      this.ended = true;
      this.moments(part.afterwards);
    }
  }

  /* The space with the most in it. */
  busiest() {
    const size = (space) => space.counts.ok + space.counts.refused + space.counts.maps;
    return this.spaces.reduce((best, space) => !best || size(space) > size(best) ? space : best,
      null);
  }

  /* ---- words ---- */

  spaceText(space) {
    if (!space)
      return "No address space yet: nothing is mapped.";
    const c = space.counts;
    const live = this.ended ? "" : many(space.live.size, "mapping") + " at this moment, ";
    const left = this.ended ? (c.gone ? many(c.gone, "mapping") + (c.gone === 1 ? " was" : " were") +
      " never unmapped and went with the address space. " : "Every mapping was unmapped. ") : "";
    const bad = space.accesses.filter((a) => a.refused || a.stale);
    const told = bad.slice(0, 3).map((a) => `${hex(a.iova)} at ${timeText(a.time)}, which ${a.why}`);
    return `Address space ${space.number + 1}: ${live}${many(c.maps, "mapping")} made, ` +
      `${many(c.peak, "mapping")} at most at once, ${bytesText(c.bytes)} mapped in all. ${left}` +
      `${many(c.ok - c.stale, "access", "accesses")} reached memory, ${countText(c.refused)} refused, ` +
      `${countText(c.stale)} let through by a stale translation.` +
      (told.length ? ` The first of these: ${told.join("; ")}.` : "");
  }

  iotlbText() {
    const s = this.state;
    if (!s || s.iotlb_entries === undefined)
      return "No IOTLB yet.";
    if (!s.iotlb_entries)
      return "This IOMMU has no IOTLB: every access is a walk.";
    const stale = s.iotlb.filter((e) => !e[3]).length;
    const asked = s.hits + s.misses;
    const sizes = [...new Set(s.iotlb.map((e) => bytesText(2 ** e[2])))];
    return `${many(s.iotlb_entries, "entry", "entries")}, ${countText(s.iotlb.length)} with a translation` +
      `${sizes.length ? " of " + sizes.join(" and ") : ""}, ${countText(stale)} of them stale: their ` +
      `mapping is gone. ${many(asked, "look-up")}, ${countText(s.misses)} not found` +
      `${asked ? " (" + +(s.misses / asked * 100).toPrecision(3) + " %)" : ""}.`;
  }

  walkText() {
    const w = this.walk;
    if (!w)
      return "No access yet.";
    const cost = w.in_iotlb ?
      `is in the IOTLB: no walk, ${timeText(w.hit_ns)}` :
      `is not in the IOTLB: a walk reads ${many(w.steps, "table")}, ` +
        `${countText(w.levels.length - w.steps)} of ${w.levels.length} levels are known to a walk ` +
        `cache; ${w.steps} × ${timeText(w.step_ns)} = ${timeText(w.steps * w.step_ns)}`;
    const path = w.levels.map((l) => l.index).join(", ");
    return `${w.iova} ${cost}. Entries from the root down: ${path}; the last one maps ` +
      `${bytesText(2 ** w.leaf_shift)}. ${w.mapped ? "It leads to memory." :
        "Nothing is mapped there: the access is refused."}`;
  }

  levels() {
    const first = this.samples.find((s) => s.levels && s.levels.length);
    const rows = first ? first.levels.map((level, i) => ({
      name: level.name, unit: countText,
      values: this.samples.map((s) => [s.now_ns, s.levels[i] ? s.levels[i].count : 0]),
    })) : [];
    const wait = (name, key) => ({name, unit: timeText,
      values: this.samples.map((s) => [s.now_ns, s[key] || 0])});
    rows.push({name: "live mappings", unit: countText,
      values: this.samples.map((s) => [s.now_ns, s.live_maps || 0])});
    rows.push(wait("invalidation queue is busy for", "invalidation_ahead_ns"));
    rows.push(wait("lock of the IOMMU is taken for", "lock_ahead_ns"));
    return rows;
  }

  levelsText() {
    if (!this.samples.length)
      return "Nothing has run yet.";
    return this.levels().map((row) => {
      const values = row.values.map((v) => v[1]);
      return `${row.name}: ${row.unit(values[values.length - 1])} at the end, ` +
        `${row.unit(Math.max(...values))} at most`;
    }).join(". ") + ".";
  }

  windowsText() {
    const c = this.windowCounts;
    const stale = this.spaces.reduce((sum, space) => sum + space.counts.stale, 0);
    if (!c.count && !this.waiting.length)
      return "No unmap that left a translation behind.";
    return `${many(c.count, "unmap")} left a translation that the IOTLB may still hold: for ` +
      `${timeText(Math.round(c.count ? c.total / c.count : 0))} on average, ${timeText(c.longest)} at most. ` +
      (this.waiting.length ? `${many(this.waiting.length, "unmap")} not invalidated at the end. ` : "") +
      `${many(stale, "access", "accesses")} went through in such a window.`;
  }

  roundsText() {
    if (!this.rounds.length)
      return "No migration.";
    return this.rounds.slice(0, 12).map((r) => `round ${r.round}: ${countText(r.pages)} pages, ` +
      `${timeText(r.send)} to send`).join("; ") + (this.rounds.length > 12 ?
      `; ... ${this.rounds.length} rounds` : "") + ".";
  }
}
