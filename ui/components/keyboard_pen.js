// Draws with the keyboard on the focused sheet: arrow keys move a cursor, Space puts the pen down and lifts it. The canvas gets
// the events that a mouse would send.
const STEP = 1 / 28; // of the sheet's shorter side
const FINE_STEP = 1 / 140; // with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default function ({ data, parentElement }) {
  const sheet = parentElement.closest(".st-key-draw");
  const [cursor, help, status] = parentElement.querySelector(".keyboard-pen").children;
  const pen = (parentElement.pen ??= { x: 0.5, y: 0.5, down: false });
  const held = new Set();

  const canvas = () => {
    const roots = [...sheet.querySelectorAll("*")].map((element) => element.shadowRoot ?? element);
    return roots.map((root) => root.querySelector("canvas.upper-canvas")).find(Boolean);
  };
  let sending = false;
  const send = (kind) => {
    const target = canvas();
    sending = true;
    const box = target.getBoundingClientRect();
    const event = {
      ...{ bubbles: true, cancelable: true, composed: true, view: window, pointerId: 1, pointerType: "mouse", isPrimary: true },
      ...{ clientX: box.left + pen.x * box.width, clientY: box.top + pen.y * box.height },
      ...{ button: kind === "move" ? -1 : 0, buttons: kind === "up" ? 0 : 1 },
    };
    target.dispatchEvent(new PointerEvent(`pointer${kind}`, event));
    target.dispatchEvent(new MouseEvent(`mouse${kind}`, { ...event, button: 0 }));
    // A press on the canvas takes the focus from where it is.
    if (document.activeElement !== sheet) sheet.focus({ preventScroll: true });
    sending = false;
  };
  const show = () => {
    parentElement.querySelector(".keyboard-pen").toggleAttribute("data-down", pen.down);
    cursor.style.transform = "";
    const box = canvas().getBoundingClientRect();
    const origin = cursor.getBoundingClientRect();
    const x = box.left + pen.x * box.width - (origin.left + origin.width / 2);
    const y = box.top + pen.y * box.height - (origin.top + origin.height / 2);
    cursor.style.transform = `translate(${x}px, ${y}px)`;
    help.style.transform = "";
    const start = help.getBoundingClientRect();
    help.style.width = `${box.width}px`;
    help.style.transform = `translate(${box.left - start.left}px, ${box.bottom - start.top}px) translateY(-100%)`;
  };
  const setDown = (down) => {
    if (pen.down === down) return;
    pen.down = down;
    send(down ? "down" : "up");
    const place = { x: Math.round(100 * pen.x), y: Math.round(100 * pen.y) };
    status.textContent = (down ? data.down : data.up).replace("{x}", place.x).replace("{y}", place.y);
    show();
  };

  const onKeyDown = (event) => {
    if (event.target !== sheet || event.ctrlKey || event.metaKey || event.altKey || !canvas()) return;
    if (event.key === " ") {
      if (!event.repeat) setDown(!pen.down);
    } else if (event.key in ARROWS) {
      held.add(event.key);
      const step = event.shiftKey ? FINE_STEP : STEP;
      const { width, height } = canvas().getBoundingClientRect();
      const side = Math.min(width, height);
      for (const [x, y] of [...held].map((key) => ARROWS[key])) {
        pen.x = Math.min(1, Math.max(0, pen.x + (x * step * side) / width));
        pen.y = Math.min(1, Math.max(0, pen.y + (y * step * side) / height));
      }
      if (pen.down) send("move");
      show();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const onKeyUp = (event) => held.delete(event.key);
  const onFocus = () => canvas() && show();
  const onBlur = () => {
    if (sending) return;
    held.clear();
    if (canvas() && pen.down) setDown(false);
  };

  sheet.tabIndex = 0;
  sheet.setAttribute("role", "application");
  sheet.setAttribute("aria-label", data.label);
  sheet.setAttribute("aria-describedby", help.id);
  help.textContent = data.help;
  const listeners = { keydown: onKeyDown, keyup: onKeyUp, focus: onFocus, blur: onBlur };
  // Streamlit calls this function again with new texts without ending the previous call.
  parentElement.removePen?.();
  parentElement.removePen = () => {
    for (const [kind, listener] of Object.entries(listeners)) sheet.removeEventListener(kind, listener);
  };
  for (const [kind, listener] of Object.entries(listeners)) sheet.addEventListener(kind, listener);
  return parentElement.removePen;
}
