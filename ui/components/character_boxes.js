// Boxes around the characters of an answer. On the sheet they let the pen through: a tap that draws nothing selects a character.
const withSheet = (use) => (window.sheet ? use(window.sheet) : requestAnimationFrame(() => withSheet(use)));

export default function ({ data, parentElement, setTriggerValue }) {
  showCopy(parentElement.querySelector(".copy-text"), data);
  const host = document.querySelector(`.character-boxes[data-place="${data.place}"]`);
  const select = (number) => setTriggerValue("select", { number });
  clearBoxes(host); // the visitor may have come from another source
  if (host) showBoxes(host, data, select);
  const onSheet = data.place === "draw";
  withSheet((sheet) => {
    sheet.ontap = ({ clientX, clientY }) => {
      const number = onSheet && sheet.version === data.version ? boxAt(host, clientX, clientY) : -1;
      if (number >= 0) select(number);
      return number >= 0;
    };
  });
  const onMove = ({ clientX, clientY, pointerType, buttons }) => {
    const hovered = pointerType === "touch" || buttons ? -1 : boxAt(host, clientX, clientY);
    [...(host?.children ?? [])].forEach((box, number) => box.toggleAttribute("data-hovered", number === hovered));
  };
  parentElement.stopHover?.();
  document.addEventListener("pointermove", onMove);
  parentElement.stopHover = () => document.removeEventListener("pointermove", onMove);
  return () => {
    parentElement.stopHover();
    clearBoxes();
    if (window.sheet) window.sheet.ontap = null;
  };
}

// Remove the boxes of all places but one.
function clearBoxes(except = null) {
  for (const host of document.querySelectorAll(".character-boxes")) {
    if (host === except) continue;
    host.replaceChildren();
    host.removeAttribute("role");
  }
}

function showBoxes(host, { label, characters, selected, size }, select) {
  host.setAttribute("role", "group");
  host.setAttribute("aria-label", label);
  // The sheet may get another size, and the drawing stays where it is; an uploaded picture does not change.
  const [width, height] = host.dataset.place === "draw" ? ["var(--paper-width)", "var(--paper-height)"] : size;
  while (host.children.length > characters.length) host.lastChild.remove();
  characters.forEach((character, number) => {
    const box = host.children[number] ?? host.appendChild(newBox());
    const [x, y, wide, high] = character.box;
    box.style.left = `calc(100% * ${x} / ${width})`;
    box.style.top = `calc(100% * ${y} / ${height})`;
    box.style.width = `calc(100% * ${wide} / ${width})`;
    box.style.height = `calc(100% * ${high} / ${height})`;
    box.setAttribute("aria-label", character.name);
    box.setAttribute("aria-pressed", number === selected);
    box.toggleAttribute("data-unsure", character.unsure);
    box.querySelector("span").textContent = character.label;
    box.onclick = () => select(number);
  });
}

function newBox() {
  const box = Object.assign(document.createElement("button"), { type: "button" });
  const label = document.createElement("span");
  label.setAttribute("aria-hidden", "true");
  box.append(label);
  // Enter would also press the button that asks again.
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    box.click();
  });
  return box;
}

// The number of the smallest box around a point of the window, or -1.
function boxAt(host, x, y) {
  let [found, least] = [-1, Infinity];
  [...(host?.children ?? [])].forEach((box, number) => {
    const { left, right, top, bottom, width, height } = box.getBoundingClientRect();
    const inside = x >= left && x <= right && y >= top && y <= bottom;
    if (inside && width * height < least) [found, least] = [number, width * height];
  });
  return found;
}

function showCopy(parts, { text, copy, copied }) {
  const [button, status] = parts.children;
  button.textContent = copy;
  if (parts.dataset.text !== text) status.textContent = "";
  parts.dataset.text = text;
  button.onclick = async () => {
    await copyText(text);
    status.textContent = copied;
  };
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that is not served over HTTPS has no clipboard.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
