// What is drawn, and what hands do with it.
const canvas = element("view"), context = canvas.getContext("2d");
let width = 0, height = 0, pending = false;

function row() { return Math.max(least, Math.min(most, (height - axis) / lanes.length)); }
function x(at) { return gutter + (at - view.from) / view.span * (width - gutter); }
function at(pixel) { return view.from + (pixel - gutter) / (width - gutter) * view.span; }

function resize() {
  const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  width = Math.max(gutter + 50, box.width);
  height = Math.max(axis + least, box.height);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  soon();
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["back", "text", "dim", "line", "lane", "life", ...colours]) {
    paint[name] = style.getPropertyValue("--" + name).trim();
  }
  soon();
}

function soon() {
  if (!pending) { pending = true; requestAnimationFrame(draw); }
}

function clamp() {
  view.span = Math.min(length * 1.05, Math.max(1, view.span));
  view.from = Math.min(Math.max(-view.span * 0.02, view.from), Math.max(0, length * 1.03 - view.span));
  view.top = Math.min(Math.max(0, view.top), Math.max(0, lanes.length * row() - (height - axis)));
}

function drawAxis() {
  const step = [1, 2, 5].flatMap((n) => [...Array(14).keys()].map((e) => n * 10 ** e)).sort((a, b) => a - b)
    .find((s) => s / view.span * (width - gutter) > 90) || 1e14;
  context.fillStyle = paint.dim;
  for (let t = Math.ceil(Math.max(0, view.from) / step) * step; t < view.from + view.span; t += step) {
    context.fillText(time(t), x(t) + 4, axis - 9);
    context.fillRect(x(t), 8, 1, axis - 8);
  }
}

function drawBlocks(one, first, last, top, tall) {
  const order = [...Array(last - first).keys()].map((i) => i + first);
  // Troubles over what is done: they may be too short to be seen.
  for (const i of [...order.filter((i) => one.kind[i] === 0), ...order.filter((i) => one.kind[i] > 0)]) {
    const left = Math.max(gutter, x(one.begin[i])), right = Math.min(width, x(one.end[i]));
    const wide = Math.max(one.kind[i] ? 2 : 1, right - left - (right - left > 4 ? 1 : 0));
    context.fillStyle = paint[colours[one.kind[i]]];
    context.fillRect(left, top, wide, tall);
    if (wide > 46 && tall > 11) {
      context.fillStyle = paint.back;
      const merged = one.merged.get(i);
      context.fillText(merged ? merged.count + " tasks" : String(one.task[i]), left + 4, top + tall / 2 + 4, wide - 6);
    }
  }
}

// More blocks than pixels: how busy each pixel was, and below it the worst that happened there.
function drawColumns(one, top, tall) {
  const each = view.span / (width - gutter);
  for (let pixel = gutter, i = after(one, at(gutter)); pixel < width; ++pixel) {
    const next = after(one, at(pixel + 1));
    if (next > i || (i < one.end.length && one.begin[i] < at(pixel + 1))) {
      const share = next > i ? Math.min(1, (one.busy[next] - one.busy[i]) / each) : 1;
      context.globalAlpha = 0.25 + 0.75 * share;
      context.fillStyle = paint.done;
      context.fillRect(pixel, top, 1, tall);
      context.globalAlpha = 1;
      for (let k = 2; k >= 0; --k) {
        if (one.worse[k][next] > one.worse[k][i]) {
          context.fillStyle = paint[colours[k + 1]];
          context.fillRect(pixel, top + tall / 2, 2, tall / 2);
          break;
        }
      }
    }
    i = next;
  }
}

function draw() {
  pending = false;
  clamp();
  context.fillStyle = paint.back;
  context.fillRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  const tall = row();
  for (let n = Math.floor(view.top / tall); n < lanes.length && axis + n * tall - view.top < height; ++n) {
    const one = lanes[n], top = axis + n * tall - view.top;
    context.fillStyle = paint.lane;
    context.fillRect(gutter, top + 1, width - gutter, tall - 2);
    const first = after(one, view.from), last = Math.min(one.end.length, after(one, view.from + view.span) + 1);
    if (last - first > 2 * (width - gutter)) { drawColumns(one, top + 1, tall - 2); } else { drawBlocks(one, first, last, top + 1, tall - 2); }
    context.fillStyle = paint.life;
    for (const life of one.lives) {
      if (life.at >= view.from && life.at <= view.from + view.span) { context.fillRect(x(life.at), top, 1, tall); }
    }
    context.fillStyle = paint.back;
    context.fillRect(0, top, gutter, tall);
    context.fillStyle = paint.text;
    const cores = about.cores[n] ? ", core " + about.cores[n] : "";
    context.fillText("worker " + n + cores, 12, top + tall / 2 + 4, gutter - 66);
    context.fillStyle = paint.dim;
    context.fillText(share(one), gutter - 46, top + tall / 2 + 4);
  }
  context.fillStyle = paint.back;
  context.fillRect(0, 0, width, axis);
  drawAxis();
}

// ---- Hands

function describe(n, i) {
  const one = lanes[n], merged = one.merged.get(i), note = one.notes.get(i);
  const cpu = summary && summary.workers && summary.workers[n] ? "\nCPU of this worker: " + Math.round(summary.workers[n].cpu * 100) + " %" : "";
  const span = "from " + time(one.begin[i]) + " to " + time(one.end[i]);
  if (merged) {
    return merged.count + " tasks, " + one.task[i] + " to " + merged.last + "\n" + (merged.count - merged.troubles) + " done, " +
      merged.troubles + " not\nbusy for " + time(merged.busy) + ", " + span + "\nworker " + n + cpu;
  }
  return "task " + one.task[i] + ": " + names[one.kind[i]] + "\n" + time(one.end[i] - one.begin[i]) + ", attempt " + one.attempt[i] +
    "\nworker " + n + ", pid " + one.pid[i] + ", " + span + cpu + (note && note[1] ? "\n" + note[1] : "") +
    (note && note[2] ? "\ntask: " + note[2] : "");
}

function find(px, py) {
  const n = Math.floor((py - axis + view.top) / row());
  if (px < gutter || py < axis || n < 0 || n >= lanes.length) { return null; }
  const near = 2 * view.span / (width - gutter), i = after(lanes[n], at(px) - near);
  return i < lanes[n].end.length && lanes[n].begin[i] <= at(px) + near ? { lane: n, block: i } : null;
}

function hover(px, py) {
  const hit = find(px, py), tip = element("tip");
  tip.style.display = hit ? "block" : "none";
  if (hit) {
    tip.textContent = describe(hit.lane, hit.block);  // Never as markup: it is what a task or a worker has written.
    tip.style.left = Math.max(0, Math.min(px + 14, width - 450)) + "px";
    tip.style.top = Math.max(0, Math.min(py + 14, height - 150)) + "px";
  }
}

function zoom(factor, pixel) {
  const fixed = at(pixel);
  const span = Math.min(length * 1.05, Math.max(1, view.span * factor));
  view.from = fixed - (fixed - view.from) * span / view.span;
  view.span = span;
  soon();
}

function fit() {
  view = { from: -length * 0.01, span: length * 1.03, top: 0 };
  soon();
}

const centre = () => gutter + (width - gutter) / 2;
const keys = {
  "+": () => zoom(0.7, centre()), "=": () => zoom(0.7, centre()), "-": () => zoom(1 / 0.7, centre()), "0": fit, Home: fit,
  ArrowLeft: () => { view.from -= view.span / 8; }, ArrowRight: () => { view.from += view.span / 8; },
  ArrowUp: () => { view.top -= row(); }, ArrowDown: () => { view.top += row(); },
  PageUp: () => { view.top -= height - axis; }, PageDown: () => { view.top += height - axis; },
};

function listen() {
  let drag = null;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey) { view.top += event.deltaY; soon(); } else { zoom(Math.exp(event.deltaY * 0.0015), Math.max(gutter, event.offsetX)); }
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.offsetX, y: event.offsetY };
    canvas.setPointerCapture(event.pointerId);
    canvas.className = "drag";
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      view.from -= (event.offsetX - drag.x) / (width - gutter) * view.span;
      view.top -= event.offsetY - drag.y;
      drag = { x: event.offsetX, y: event.offsetY };
      soon();
    }
    hover(event.offsetX, event.offsetY);
  });
  canvas.addEventListener("pointerup", () => { drag = null; canvas.className = ""; });
  canvas.addEventListener("pointerleave", () => hover(-1, -1));
  window.addEventListener("keydown", (event) => {
    if (keys[event.key] && !event.ctrlKey && !event.metaKey) { event.preventDefault(); keys[event.key](); soon(); }
  });
  element("in").addEventListener("click", keys["+"]);
  element("out").addEventListener("click", keys["-"]);
  element("fit").addEventListener("click", fit);
  element("theme").addEventListener("click", () => {
    const root = document.documentElement, dark = getComputedStyle(root).colorScheme === "dark" ||
      (!root.className && matchMedia("(prefers-color-scheme: dark)").matches);
    root.className = dark ? "light" : "dark";
    theme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
  window.addEventListener("resize", resize);
}

document.addEventListener("DOMContentLoaded", () => {
  load();
  head();
  window.timeline = { lanes, counts, find, describe, draw };
  fit();
  theme();
  resize();
  listen();
});
