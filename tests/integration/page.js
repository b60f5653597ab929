// Opens a page of `corral map --timeline` without a browser: what its program makes of the data, as JSON.
//
//   node page.js run.html
//
// Of the document there is what the page asks for, and a canvas that counts what is drawn.
"use strict";
const fs = require("fs"), vm = require("vm");

const html = fs.readFileSync(process.argv[2], "utf8");
const listeners = {}, drawn = { blocks: 0, texts: [] }, elements = {};

// As a browser reads it: an element ends at the first end tag, wherever that comes from, or at the end of the file.
function scripts() {
  const found = [], open = /<script(?: type="([^"]*)" class="([^"]*)")?>/g;
  for (let start = open.exec(html); start; start = open.exec(html)) {
    const end = html.indexOf("</script", open.lastIndex), whole = end >= 0;
    found.push({ type: start[1], className: start[2], textContent: html.slice(open.lastIndex, whole ? end : undefined), remove() {} });
    open.lastIndex = whole ? end : html.length;
  }
  return found;
}

class Element {
  constructor(name) { this.name = name; this.children = []; this.style = {}; this.handlers = {}; this.textContent = ""; this.className = ""; }
  append(...parts) { this.children.push(...parts); }
  addEventListener(kind, handler) { this.handlers[kind] = handler; }
  getBoundingClientRect() { return { width: 1200, height: 600 }; }
  setPointerCapture() {}
  getContext() {
    return { setTransform() {}, fillRect() { ++drawn.blocks; }, fillText(text) { drawn.texts.push(text); } };
  }
  get text() { return this.textContent + this.children.map((part) => typeof part === "string" ? part : part.text).join(""); }
}

const element = (id) => elements[id] = elements[id] || new Element(id);
const all = scripts(), data = all.filter((script) => script.type);
const document = {
  documentElement: element("html"), getElementById: element, createElement: (name) => new Element(name),
  addEventListener: (kind, handler) => { listeners[kind] = handler; }, querySelectorAll: () => data,
};
const window = { devicePixelRatio: 2, addEventListener: (kind, handler) => { listeners[kind] = handler; } };
const frames = [];
const context = vm.createContext({
  document, window, console, getComputedStyle: () => ({ getPropertyValue: () => "#123456", colorScheme: "light" }),
  matchMedia: () => ({ matches: false, addEventListener() {} }), requestAnimationFrame: (frame) => frames.push(frame),
});
const paint = () => { drawn.blocks = 0; drawn.texts = []; while (frames.length) { frames.shift()(); } return drawn.blocks; };

for (const script of all.filter((one) => !one.type)) { vm.runInContext(script.textContent, context); }
listeners.DOMContentLoaded();
const began = Date.now(), rectangles = [paint()], milliseconds = Date.now() - began;
const press = (key) => { listeners.keydown({ key, preventDefault() {} }); rectangles.push(paint()); };
["+", "+", "ArrowRight", "ArrowDown", "-", "0"].forEach(press);
const canvas = element("view");
canvas.handlers.wheel({ preventDefault() {}, deltaY: -300, offsetX: 600, offsetY: 40 });
canvas.handlers.pointerdown({ offsetX: 600, offsetY: 40, pointerId: 1 });
canvas.handlers.pointermove({ offsetX: 620, offsetY: 40 });
canvas.handlers.pointerup({});
element("theme").handlers.click();
rectangles.push(paint());

const blocks = [];
window.timeline.lanes.forEach((lane, worker) => {
  for (let i = 0; i < lane.begin.length; ++i) {
    const merged = lane.merged.get(i);
    blocks.push({ worker, begin: lane.begin[i], end: lane.end[i], task: lane.task[i], attempt: lane.attempt[i], kind: lane.kind[i],
      pid: lane.pid[i], count: merged ? merged.count : 1, hover: blocks.length < 1000 ? window.timeline.describe(worker, i) : "" });
  }
});
process.stdout.write(JSON.stringify({ blocks, rectangles, milliseconds, title: element("title").text, facts: element("facts").text,
  lives: window.timeline.lanes.map((lane) => lane.lives) }));
