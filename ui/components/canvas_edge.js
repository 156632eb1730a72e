// Where strokes begin and end. A stroke that begins beside the sheet draws from the edge on, and no text is selected meanwhile.
const ROLES = ["button", "checkbox", "combobox", "listbox", "menuitem", "option", "radio", "slider", "switch", "tab", "textbox"];
const INTERACTIVE = ["a, button, input, textarea, select, label, summary, video", ...ROLES.map((role) => `[role=${role}]`)].join();

function watchPointer(sheet) {
  if (sheet.watched) return;
  sheet.watched = true;
  let outside = null; // the last point of a pressed pointer that has not reached the sheet yet

  const onSheet = (event) => event.composedPath().includes(sheet.canvas);
  const selectable = (may) => {
    for (const name of ["user-select", "-webkit-user-select"]) document.documentElement.style.setProperty(name, may ? "" : "none");
  };

  document.addEventListener("pointerdown", (event) => {
    outside = null;
    if (event.button !== 0) return;
    if (onSheet(event)) {
      sheet.penDown(event.pointerId, event.isTrusted ? event : null);
      selectable(false);
    } else if (event.pointerType !== "touch" && sheet.visible && !event.composedPath()[0].closest?.(INTERACTIVE)) {
      outside = event; // a finger scrolls there
    }
  }, true);

  document.addEventListener("pointermove", (event) => {
    if (sheet.drawing) sheet.penMoved(event);
    if (!outside) return;
    const entry = entryPoint(outside, event, sheet.canvas?.getBoundingClientRect());
    outside = event;
    if (!entry) return;
    outside = null;
    selectable(false);
    getSelection()?.removeAllRanges();
    sheet.penDown(event.pointerId);
    sheet.canvas.dispatchEvent(new MouseEvent("mousedown", { ...entry, button: 0, buttons: 1, bubbles: true, composed: true }));
  }, true);

  for (const kind of ["pointerup", "pointercancel"]) {
    document.addEventListener(kind, (event) => {
      outside = null;
      sheet.penUp(event.pointerId);
      if (!sheet.drawing) selectable(true);
    }, true);
  }

  // The focus must not go from a control to the page, which would show a ring around all of it, nor stay in the control.
  document.addEventListener("mousedown", (event) => {
    if (!onSheet(event)) return;
    event.preventDefault();
    document.activeElement?.blur();
  }, true);
}

// The first point inside a rectangle on the way from one event to the next, or null.
function entryPoint(from, to, box) {
  if (!box?.width) return null;
  const STEPS = 100;
  for (let step = 0; step <= STEPS; step++) {
    const clientX = from.clientX + ((to.clientX - from.clientX) * step) / STEPS;
    const clientY = from.clientY + ((to.clientY - from.clientY) * step) / STEPS;
    const inside = clientX >= box.left && clientX < box.right && clientY >= box.top && clientY < box.bottom;
    if (inside) return { clientX, clientY };
  }
  return null;
}
