// What streamlit-drawable-canvas leaves to wish for: its toolbar takes the touches that begin in a corner of the sheet, the
// sheet has no name, and a stroke waits 200 ms before it is sent.
const PAUSE_MS = 40;
const STYLE = ".dc-toolbar { display: none !important } .dc-canvas { border-radius: var(--st-base-radius) }";

export default function ({ data, parentElement }) {
  const place = parentElement.closest(".st-key-draw");
  let frame = 0;
  let timer = 0;
  let drawing = false;

  const dress = () => {
    const root = sheet(place);
    if (!root) {
      frame = requestAnimationFrame(dress);
      return;
    }
    if (!root.querySelector("style[data-sheet]")) {
      const style = document.createElement("style");
      style.dataset.sheet = "";
      style.textContent = STYLE;
      root.append(style);
    }
    const canvas = root.querySelector("canvas.upper-canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", data.name);
  };

  const down = (event) => {
    clearTimeout(timer);
    drawing = event.composedPath().includes(sheet(place)?.querySelector("canvas.upper-canvas"));
  };
  // The first button of the toolbar sends what is drawn. Without it the canvas sends all the same, only later.
  const send = () => sheet(place)?.querySelector(".dc-toolbar button")?.click();
  const up = () => {
    if (drawing) timer = setTimeout(send, PAUSE_MS);
    drawing = false;
  };

  // Streamlit calls this anew with a new name, without an end to what the last call began.
  parentElement.undress?.();
  parentElement.undress = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    document.removeEventListener("pointerdown", down, true);
    document.removeEventListener("pointerup", up, true);
  };
  document.addEventListener("pointerdown", down, true);
  document.addEventListener("pointerup", up, true);
  dress();
  return parentElement.undress;
}

const sheet = (place) =>
  [...place.querySelectorAll("*")].map((element) => element.shadowRoot).find((root) => root?.querySelector("canvas.upper-canvas"));
