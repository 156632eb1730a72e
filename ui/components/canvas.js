// Fixes for streamlit-drawable-canvas: its toolbar takes touches that begin in a corner of the canvas, the canvas has no
// accessible name, and it waits 200 ms before it sends a stroke.
const SEND_DELAY_MS = 40;
const STYLE = ".dc-toolbar { display: none !important } .dc-canvas { border-radius: var(--st-base-radius) }";

export default function ({ data, parentElement }) {
  const container = parentElement.closest(".st-key-draw");
  let frame = 0;
  let timer = 0;
  let drawing = false;

  const applyFixes = () => {
    const root = canvasRoot(container);
    if (!root) {
      frame = requestAnimationFrame(applyFixes);
      return;
    }
    if (!root.querySelector("style[data-canvas-fixes]")) {
      const style = document.createElement("style");
      style.dataset.canvasFixes = "";
      style.textContent = STYLE;
      root.append(style);
    }
    const canvas = root.querySelector("canvas.upper-canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", data.label);
  };

  const onPointerDown = (event) => {
    clearTimeout(timer);
    drawing = event.composedPath().includes(canvasRoot(container)?.querySelector("canvas.upper-canvas"));
  };
  // The first button of the toolbar sends the drawing. If it is missing, the canvas still sends by itself, only later.
  const send = () => canvasRoot(container)?.querySelector(".dc-toolbar button")?.click();
  const onPointerUp = () => {
    if (drawing) timer = setTimeout(send, SEND_DELAY_MS);
    drawing = false;
  };

  // Streamlit calls this function again with a new label without ending the previous call.
  parentElement.removeFixes?.();
  parentElement.removeFixes = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    document.removeEventListener("pointerdown", onPointerDown, true);
    document.removeEventListener("pointerup", onPointerUp, true);
  };
  document.addEventListener("pointerdown", onPointerDown, true);
  document.addEventListener("pointerup", onPointerUp, true);
  applyFixes();
  return parentElement.removeFixes;
}

const canvasRoot = (container) =>
  [...container.querySelectorAll("*")].map((element) => element.shadowRoot).find((root) => root?.querySelector("canvas.upper-canvas"));
