// The drawing and its history. Fabric.js draws it, through the component of streamlit-drawable-canvas.
const MAX_HISTORY = 500;
// The answer follows the pen: at most one picture in this time, and only when the answer to the previous one is there.
const LIVE_INTERVAL_MS = 60;
// After this time without an answer the next picture is sent all the same.
const LIVE_TIMEOUT_MS = 3000;
// A press that moves less than this, in pixels of the screen, is a tap.
const TAP_DISTANCE = 4;

class Sheet extends EventTarget {
  erasing = false;
  version = 0; // counts the reports
  #history = [{ number: 0, strokes: [], size: [0, 0] }];
  #position = 0;
  #lastNumber = -1;
  #pen = { width: 20, ink: "#000000", background: "#ffffff" };
  #revision = "";
  #loaded = { objects: [], background: "" };
  #pointers = new Set();
  #strokeErases = false;
  #unreported = false; // a stroke has begun that the canvas has not reported
  #waiting = []; // what is pressed while the pen is down
  #reported = "";
  #size = [280, 280]; // width and height of the picture in pixels
  #chosen = null; // the size that the visitor chose
  #press = null; // where the pen went down, while it has not moved
  #tapped = false; // the pen touched a character of the answer, and drew nothing
  #live = { ready: true, moved: false, last: 0 };

  // What is drawn: a number, and strokes as `ui/state/drawing.py` describes them.
  get document() { return this.#history[this.#position]; }
  get canUndo() { return this.#position > 0 || this.#unreported; }
  get canRedo() { return this.#position < this.#history.length - 1; }
  get canClear() { return this.document.strokes.length > 0 || this.#unreported; }
  get dark() { return luminance(this.#pen.ink) > luminance(this.#pen.background); }
  get drawing() { return this.#pointers.size > 0; }
  get canvas() { return this.root?.querySelector("canvas.upper-canvas"); }
  get size() { return this.#size; }
  get visible() { return Boolean(this.canvas?.checkVisibility()); }

  undo() { this.#act(() => this.canUndo && this.#moveTo(this.#position - 1)); }
  redo() { this.#act(() => this.canRedo && this.#moveTo(this.#position + 1)); }
  clear() { this.#act(() => this.canClear && this.replace([])); }
  setErasing(erasing) {
    this.#act(() => {
      this.erasing = erasing;
      this.#render();
      this.#changed();
    });
  }

  // Give the sheet another size. No stroke is moved, and none is cut: the sheet stays as large as what is drawn.
  resize(size) {
    this.#act(() => {
      this.#chosen = size.map(Math.round);
      this.#load();
    });
  }

  // Replace all strokes, as a step that can be undone. A stroke in the colour of the background is one of the eraser. `size` is
  // that of the sheet they were drawn on: what is beyond does not count.
  replace(strokes, size = this.#size) {
    const erases = ({ eraser, stroke }) => eraser ?? stroke?.toLowerCase() === this.#pen.background.toLowerCase();
    this.erasing = false;
    this.#add(strokes.map((stroke) => ({ path: stroke.path, strokeWidth: stroke.strokeWidth, eraser: erases(stroke) })), true, size);
    this.#load();
  }

  // Show the sheet in a component, or take over new data from the page.
  async mount({ data, parentElement, setStateValue }) {
    this.#setStateValue = setStateValue;
    this.#data = data;
    this.#drawable ??= import(new URL(data.script, document.baseURI));
    const { default: drawable } = await this.#drawable;
    this.#draw = drawable;
    if (this.root !== parentElement) {
      this.root = parentElement;
      this.#reported = "";
      this.#pen = data.pen;
      this.#load();
      this.canvas.setAttribute("role", "img");
      // A canvas that is new on the page does not report what it shows.
      if (this.canClear) setTimeout(() => this.flush());
      this.dispatchEvent(new Event("mount"));
    }
    this.canvas.setAttribute("aria-label", data.label);
    showCorner(this, data);
    this.#act(() => this.#takeOver(this.#data));
  }

  unmount(parentElement) {
    if (this.root === parentElement) this.root = null;
    this.#dispose?.();
  }

  penDown(pointer, point = null) {
    if (!this.drawing) this.flush(); // a stroke that ended just now is a step of its own
    this.#tapped = false;
    this.#press = this.drawing ? null : point;
    this.#pointers.add(pointer);
    this.#strokeErases = this.erasing;
    this.#live.moved = false;
    this.#unreported = true;
    this.#changed();
    this.#watchPen();
  }

  penMoved({ x, y }) {
    if (this.#press && Math.hypot(x - this.#press.x, y - this.#press.y) < TAP_DISTANCE) return;
    this.#press = null;
    this.#live.moved = true;
  }

  penUp(pointer) {
    if (!this.#pointers.delete(pointer) || this.drawing) return;
    this.#tapped = Boolean(this.#press && !this.erasing && this.ontap?.(this.#press));
    // Fabric.js finishes the stroke on the mouse or touch event that follows.
    setTimeout(() => {
      if (!this.drawing) this.flush();
      while (this.#waiting.length && !this.drawing) this.#waiting.shift()();
    });
  }

  // Have the canvas report what it shows now: its toolbar's first button does that. Nobody else must take it for a click.
  flush() { this.root?.querySelector(".dc-toolbar button")?.dispatchEvent(new MouseEvent("click")); }

  // The page has answered, so that the next picture may be sent.
  answered() { this.#live.ready = true; }

  #setStateValue; #data; #drawable; #draw; #dispose;

  #act(action) {
    if (this.drawing) {
      this.#waiting.push(() => this.#act(action));
    } else {
      this.flush(); // takes over a stroke that has just ended
      action();
    }
  }

  #takeOver({ pen, content }) {
    if (content.size && content.revision !== this.#revision) this.#chosen = content.size;
    const recoloured = pen.ink !== this.#pen.ink || pen.background !== this.#pen.background;
    this.#pen = pen;
    if (content.revision && content.revision !== this.#revision) {
      this.#revision = content.revision;
      this.replace(content.strokes, content.size ?? this.#size);
    } else if (recoloured || this.#fitted().some((side, index) => side !== this.#size[index])) {
      this.#load();
    } else {
      this.#render();
    }
    this.#changed();
  }

  // The strokes in the colours of the pen.
  #coloured() {
    const { ink, background } = this.#pen;
    return this.document.strokes.map((stroke) => ({ ...stroke, stroke: stroke.eraser ? background : ink }));
  }

  #moveTo(position) {
    this.#position = position;
    this.#load();
  }

  #add(strokes, replaces = false, size = this.#size) {
    const before = this.document;
    const begins = (replaces || before.strokes.length === 0) && strokes.length > 0;
    const number = begins ? ++this.#lastNumber : before.number;
    this.#history = [...this.#history.slice(0, this.#position + 1), { number, strokes, size }].slice(-MAX_HISTORY);
    this.#position = this.#history.length - 1;
  }

  // The size for the model and the visitor's choice, and for what is drawn, which another model must not cut.
  #fitted() {
    const { width, height, resizable } = this.#data.sheet;
    const wanted = (resizable && this.#chosen) || [width, height];
    return extent(this.document).map((side, index) => Math.max(side, wanted[index]));
  }

  // Put the document on the canvas, which then reports it with its picture.
  #load() {
    if (this.root) this.#size = this.#fitted();
    const style = { type: "Path", fill: null, strokeLineCap: "round", strokeLineJoin: "round", strokeMiterLimit: 10 };
    const objects = this.#coloured().map(({ path, strokeWidth, stroke }) => ({ ...style, path, strokeWidth, stroke }));
    this.#loaded = { objects, background: this.#pen.background, load: (this.#loaded.load ?? 0) + 1 };
    this.#render();
    this.#changed();
  }

  #render() {
    if (!this.root) return;
    const { width, ink, background } = this.#pen;
    placeSheet(this, this.#size, background);
    this.#dispose = this.#draw({
      data: {
        fillColor: "#eee", strokeWidth: width, strokeColor: this.erasing ? background : ink, backgroundColor: background,
        backgroundImageURL: null, backgroundImageFit: "stretch", realtimeUpdateStreamlit: true, returnImageData: true,
        canvasWidth: this.#size[0], canvasHeight: this.#size[1], maxDisplayHeight: null, drawingMode: "freedraw",
        initialDrawing: this.#loaded, displayRadius: 3, disabled: false, fontSize: 20, label: "",
      },
      parentElement: this.root,
      setStateValue: (name, value) => name === "drawing" && this.#takeReport(value),
    });
  }

  #takeReport({ raw, data }) {
    this.#unreported = this.drawing;
    const strokes = this.document.strokes;
    const drawn = raw.objects.slice(strokes.length);
    if (drawn.length && (this.#tapped || (this.#strokeErases && !strokes.length))) {
      this.#load(); // there was nothing to erase, or the dot of a tap
      return;
    }
    for (const { path, strokeWidth } of drawn) this.#add([...this.document.strokes, { path, strokeWidth, eraser: this.#strokeErases }]);
    this.#changed();
    const png = data.slice(data.indexOf(",") + 1);
    const report = { number: this.document.number, strokes: this.#coloured(), png, size: this.#size, revision: this.#revision };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#setStateValue("drawing", { ...report, version: ++this.version });
    this.dispatchEvent(new Event("report"));
  }

  #changed() { this.dispatchEvent(new Event("change")); }

  #watchPen() {
    const watch = (now) => {
      if (!this.drawing || !this.root) return;
      requestAnimationFrame(watch);
      const live = this.#live;
      const waited = now - live.last;
      if (!this.onpicture || !live.moved || waited < (live.ready ? LIVE_INTERVAL_MS : LIVE_TIMEOUT_MS)) return;
      Object.assign(live, { ready: false, moved: false, last: now });
      this.onpicture({ png: this.#picture(), version: this.version });
    };
    requestAnimationFrame(watch);
  }

  // The strokes with the one that is being drawn, as base64 of a PNG.
  #picture() {
    const [width, height] = this.#size;
    const picture = Object.assign(document.createElement("canvas"), { width, height });
    const context = picture.getContext("2d");
    for (const layer of this.root.querySelectorAll("canvas.lower-canvas.dc-canvas, canvas.upper-canvas.dc-canvas")) {
      context.drawImage(layer, 0, 0);
    }
    return picture.toDataURL("image/png").split(",")[1];
  }
}

// Only for the comparison of two colours `#rrggbb`.
const luminance = (colour) => {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

// The toolbar and the live answer find the sheet here. It outlives the component.
const sheet = (window.sheet ??= new Sheet());

export default function (component) {
  sheet.mount(component);
  watchPointer(sheet);
  return () => sheet.unmount(component.parentElement);
}
