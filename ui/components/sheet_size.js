// The size of the sheet: what the stylesheets need of it, and its lower right corner, which resizes it by mouse, pen, finger or
// arrow keys.
const LEAST_SIZE = [280, 140]; // pixels of the picture
const MOST_SIZE = [1120, 560];
const KEY_STEP = 20;
const DRAWING_MARGIN = 10; // around what is drawn
const ANSWER_WIDTH = 320; // with less room beside the sheet, in pixels of the screen, the answer stands below
const CORNER_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// How far the ink of a drawing reaches to the right and down on the sheet it was drawn on.
function extent({ strokes, size }) {
  const far = [0, 0];
  for (const { path, strokeWidth, eraser } of strokes) {
    if (eraser) continue;
    for (const [, ...numbers] of path) numbers.forEach((at, index) => (far[index % 2] = Math.max(far[index % 2], at + strokeWidth / 2)));
  }
  return far.map((side, index) => (strokes.length ? Math.min(Math.ceil(side) + DRAWING_MARGIN, size[index]) : 0));
}

const classifier = () => document.querySelector(".st-key-classifier");

// Give the paper a size; the canvas on it may still have another, as `drawn` says.
function placeSheet(sheet, paper, background, drawn = paper) {
  const page = classifier();
  if (!page) return;
  page.style.setProperty("--paper-width", paper[0]);
  page.style.setProperty("--paper-height", paper[1]);
  page.style.setProperty("--drawn-width", drawn[0]);
  page.style.setProperty("--drawn-height", drawn[1]);
  if (background) page.style.setProperty("--paper", background);
  // Not while the corner is dragged: the sheet would leave the pointer.
  if (drawn === paper) page.toggleAttribute("data-wide-sheet", paper[0] > page.clientWidth - ANSWER_WIDTH);
  sheet.watchesWindow ??= !addEventListener("resize", () => placeSheet(sheet, sheet.size));
}

function showCorner(sheet, data) {
  const box = sheet.root.querySelector(".dc-container");
  const known = box.querySelector(".sheet-corner");
  if (!data.sheet.resizable) {
    known?.remove();
    return;
  }
  const corner = known ?? addCorner(sheet, box);
  corner.updateName = () => {
    const [width, height] = sheet.size;
    corner.setAttribute("aria-label", data.resize.replace("{width}", width).replace("{height}", height));
    corner.title = data.drag;
  };
  corner.updateName();
}

function addCorner(sheet, box) {
  const corner = Object.assign(document.createElement("button"), { type: "button", className: "sheet-corner" });
  corner.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20 8 8 20M20 15l-5 5"/></svg>';
  box.append(corner);
  let drag = null;
  const sizeAt = ({ clientX, clientY }) => {
    const room = [classifier().clientWidth / drag.scale, Infinity];
    return [clientX - drag.x, clientY - drag.y].map((way, index) => {
      const most = Math.max(drag.size[index], Math.min(MOST_SIZE[index], room[index]));
      return Math.round(Math.min(most, Math.max(LEAST_SIZE[index], drag.size[index] + way / drag.scale)));
    });
  };
  corner.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    corner.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, y: event.clientY, size: sheet.size, scale: box.clientWidth / sheet.size[0] };
    event.preventDefault();
  });
  corner.addEventListener("pointermove", (event) => drag && placeSheet(sheet, sizeAt(event), null, drag.size));
  corner.addEventListener("pointerup", (event) => {
    if (drag) sheet.resize(sizeAt(event));
    drag = null;
  });
  corner.addEventListener("pointercancel", () => {
    if (drag) placeSheet(sheet, drag.size, null);
    drag = null;
  });
  corner.addEventListener("keydown", (event) => {
    const way = CORNER_KEYS[event.key];
    if (!way) return;
    const size = sheet.size.map((side, index) => Math.min(MOST_SIZE[index], Math.max(LEAST_SIZE[index], side + way[index] * KEY_STEP)));
    sheet.resize(size);
    event.preventDefault();
    event.stopPropagation();
  });
  sheet.addEventListener("change", () => corner.updateName?.());
  return corner;
}
