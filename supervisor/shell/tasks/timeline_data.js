// The data are elements of their own behind this program; what was cut off by a kill is left out.
const names = ["done", "tried again", "failed", "quarantined"], colours = ["done", "retried", "failed", "quarantined"];
const gutter = 170, axis = 26, least = 14, most = 34;
const element = (id) => document.getElementById(id);
let about = { title: "", cores: [], each: false }, summary = null, lanes = [], length = 1, counts = [0, 0, 0, 0];
let view = { from: 0, span: 1, top: 0 }, paint = {};

function parsed(node) {
  try { return JSON.parse(node.textContent); } catch (error) { return null; }
}

function lane(worker) {
  while (lanes.length <= worker) {
    lanes.push({ begin: [], end: [], task: [], attempt: [], kind: [], pid: [], notes: new Map(), merged: new Map(), lives: [] });
  }
  return lanes[worker];
}

function add(worker, begin, duration, task, attempt, kind, pid) {
  const to = lane(worker);
  to.begin.push(begin);
  to.end.push(begin + duration);
  to.task.push(task);
  to.attempt.push(attempt);
  to.kind.push(kind);
  to.pid.push(pid);
  length = Math.max(length, begin + duration);
  return to;
}

function take(chunk) {
  const b = chunk.b, g = chunk.g, notes = new Map(chunk.m.map((note) => [note[0], note]));
  for (let i = 0, row = 0, begin = 0; i + 6 < b.length; i += 7, ++row) {
    begin += b[i + 1];
    const to = add(b[i], begin, b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6]);
    ++counts[b[i + 5]];
    if (notes.has(row)) { to.notes.set(to.begin.length - 1, notes.get(row)); }
  }
  for (let i = 0; i + 8 < g.length; i += 9) {
    const to = add(g[i], g[i + 1], g[i + 2], g[i + 3], 0, g[i + 7], 0);
    to.merged.set(to.begin.length - 1, { last: g[i + 4], count: g[i + 5], troubles: g[i + 6], busy: g[i + 8] });
    counts[0] += g[i + 5] - g[i + 6];
    counts[g[i + 7]] += g[i + 6];
  }
  for (const life of chunk.l) {
    lane(life[0]).lives.push({ at: life[1], began: life[2] === 1, pid: life[3], how: life[4] || "" });
    length = Math.max(length, life[1]);
  }
}

// Sums up to each block, so that what lies under one pixel is known without a look at each of a million blocks.
function seal(one) {
  const size = one.begin.length;
  one.begin = Float64Array.from(one.begin);
  one.end = Float64Array.from(one.end);
  one.busy = new Float64Array(size + 1);
  one.worse = [0, 1, 2].map(() => new Uint32Array(size + 1));
  for (let i = 0; i < size; ++i) {
    const merged = one.merged.get(i);
    one.busy[i + 1] = one.busy[i] + (merged ? merged.busy : one.end[i] - one.begin[i]);
    for (let k = 0; k < 3; ++k) { one.worse[k][i + 1] = one.worse[k][i] + (one.kind[i] === k + 1 ? 1 : 0); }
  }
}

function load() {
  for (const node of document.querySelectorAll("script[type='application/json']")) {
    const value = parsed(node);
    if (value === null) { continue; }
    if (node.className === "about") { about = value; }
    if (node.className === "chunk") { take(value); }
    if (node.className === "end") { summary = value; }
    node.remove();
  }
  lane(Math.max(0, about.cores.length - 1));
  lanes.forEach(seal);
}

// The first block that ends after `time`.
function after(one, time) {
  let low = 0, high = one.end.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (one.end[middle] > time) { high = middle; } else { low = middle + 1; }
  }
  return low;
}

function time(micros) {
  if (micros < 1e3) { return Math.round(micros) + " \u00b5s"; }
  if (micros < 1e6) { return +(micros / 1e3).toPrecision(4) + " ms"; }
  if (micros < 120e6) { return +(micros / 1e6).toPrecision(5) + " s"; }
  const seconds = micros / 1e6;
  return seconds < 7200 ? Math.floor(seconds / 60) + " min " + Math.round(seconds % 60) + " s"
    : Math.floor(seconds / 3600) + " h " + Math.floor(seconds % 3600 / 60) + " min";
}

function fact(name, value) {
  const span = document.createElement("span"), bold = document.createElement("b");
  bold.textContent = value;
  span.append(name + " ", bold);
  element("facts").append(span);
}

function share(one) { return Math.round(100 * one.busy[one.begin.length] / length) + " %"; }

function head() {
  element("title").textContent = "corral map: " + about.title;
  if (about.begun) { fact("begun", new Date(about.begun).toLocaleString()); }
  if (summary) {
    fact("tasks", summary.tasks + ", " + summary.done + " done");
    for (const what of ["failed", "quarantined", "retries", "left"]) { if (summary[what]) { fact(what, summary[what]); } }
    fact("median", time(summary.p50_seconds * 1e6));
    fact("95 % within", time(summary.p95_seconds * 1e6));
    fact("longest", time(summary.max_seconds * 1e6));
    fact("time", time(summary.wall_seconds * 1e6));
    fact("speed-up", summary.speed_up.toFixed(2));
  } else {
    fact("no summary:", "corral was still at it, or was killed");
    counts.forEach((count, kind) => { if (count) { fact(names[kind], count); } });
    fact("time", time(length));
  }
  const busy = lanes.reduce((sum, one) => sum + one.busy[one.begin.length], 0);
  fact("workers busy", Math.round(100 * busy / length / lanes.length) + " %");
}
