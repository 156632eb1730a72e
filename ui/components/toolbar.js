// The buttons of the canvas and their keyboard shortcuts. They act in the browser at once; `canvas.js` has the drawing.
const ICONS = {
  undo: "M9 14 4 9l5-5 M4 9h10a6 6 0 0 1 0 12h-2",
  redo: "M15 14l5-5-5-5 M20 9H10a6 6 0 0 0 0 12h2",
  eraser: "M8 20 3.5 15.5a1.5 1.5 0 0 1 0-2L13 4a1.5 1.5 0 0 1 2 0l5.5 5.5a1.5 1.5 0 0 1 0 2L12 20z M9 8.5l7 7 M8 20h13",
  clear: "M4 7h16 M9 7V4h6v3 M6 7l1 13h10l1-13 M10 11v5 M14 11v5",
  invert: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
};
const HALF = '<path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" stroke="none"/>';
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

const withSheet = (use) => (window.sheet ? use(window.sheet) : requestAnimationFrame(() => withSheet(use)));

export default function ({ data, parentElement, setTriggerValue }) {
  const bar = parentElement.querySelector(".toolbar");
  bar.setAttribute("aria-label", data.label);
  bar.actions = {
    undo: (sheet) => sheet.undo(),
    redo: (sheet) => sheet.redo(),
    eraser: (sheet) => sheet.setErasing(!sheet.erasing),
    clear: (sheet) => sheet.clear(),
    invert: () => setTriggerValue("invert", true),
  };
  for (const name of Object.keys(ICONS)) {
    const button = bar.querySelector(`[data-tool=${name}]`) ?? addButton(bar, name);
    const keys = { undo: MAC ? "⌘Z" : "Ctrl+Z", redo: MAC ? "⇧⌘Z" : "Ctrl+Shift+Z", clear: data.delete }[name];
    button.setAttribute("aria-label", data.names[name]);
    button.title = keys ? `${data.names[name]} (${keys})` : data.names[name];
  }
  withSheet((sheet) => {
    const update = () => {
      const enabled = { undo: sheet.canUndo, redo: sheet.canRedo, clear: sheet.canClear, eraser: sheet.canClear, invert: true };
      const pressed = { eraser: sheet.erasing, invert: sheet.dark };
      for (const button of bar.children) {
        button.disabled = !enabled[button.dataset.tool];
        if (button.dataset.tool in pressed) button.setAttribute("aria-pressed", pressed[button.dataset.tool]);
      }
    };
    if (bar.sheet !== sheet) sheet.addEventListener("change", update);
    bar.sheet = sheet;
    update();
  });
  if (!window.sheetShortcuts) {
    document.addEventListener("keydown", onKeyDown, true);
    document.addEventListener("input", (event) => (edited = event.composedPath()[0]), true);
    for (const kind of ["pointerdown", "focusin"]) document.addEventListener(kind, () => (edited = null), true);
  }
  window.sheetShortcuts = true;
}

function addButton(bar, name) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.tool = name;
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/>${name === "invert" ? HALF : ""}</svg>`;
  button.addEventListener("click", () => bar.sheet && bar.actions[name](bar.sheet));
  bar.append(button);
  return button;
}

function onKeyDown(event) {
  if (["Enter", "Escape"].includes(event.key)) edited = null;
  // A click beside all controls gives the page the focus, and the first key would show a ring around all of it.
  if (["Enter", "Delete"].includes(event.key)) document.querySelector(".stMain:focus")?.blur();
  if (event.key === "Escape" && closeColourPicker()) {
    event.stopImmediatePropagation();
    return;
  }
  const sheet = window.sheet;
  if (!sheet?.visible || event.altKey || isTyping(event) || document.querySelector('[role="dialog"][aria-modal="true"]')) return;
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  const action =
    command && (key === "y" || (key === "z" && event.shiftKey)) ? () => sheet.redo()
    : command && key === "z" ? () => sheet.undo()
    : !command && key === "delete" ? () => sheet.clear()
    : null;
  if (!action) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  action();
}

// Whether the focus is in a text in which the keys mean something. The box of a list is one only while somebody types into it.
let edited = null;
function isTyping(event) {
  const target = event.composedPath()[0];
  if (target.isContentEditable || target.matches?.("textarea")) return true;
  const text = target.matches?.("input:not([type=range], [type=radio], [type=checkbox], [type=button], [type=file], [type=color])");
  return Boolean(text) && (!target.matches("[role=combobox]") || target === edited);
}

// Escape would close the controls of the pen with the picker, and the colour would be lost.
function closeColourPicker() {
  if (!document.querySelector('[data-testid="stColorPickerPopover"]')) return false;
  const open = document.querySelector('[data-testid="stColorPicker"] [aria-expanded="true"]');
  open?.click();
  return Boolean(open);
}
