// Draws a drawing again, beside the confidence that the model had meanwhile.
const SVG = "http://www.w3.org/2000/svg";
const DURATION_MS = 5000;
const [WIDTH, HEIGHT] = [300, 120]; // of the chart, in its own units
const LEAST_GAP = 18; // from one label above the chart to the next
const LETTER_WIDTH = 7; // of a longer label

export default function ({ data, parentElement }) {
  const content = JSON.stringify(data);
  if (parentElement.content === content) return parentElement.stop; // a rerun of the page does not begin again
  parentElement.stop?.();

  const find = (name) => parentElement.querySelector(`.replay-${name}`);
  const sheet = find("sheet");
  sheet.style.background = data.background;
  sheet.setAttribute("viewBox", `0 0 ${data.size.join(" ")}`);
  sheet.style.aspectRatio = data.size.join(" / ");
  sheet.replaceChildren(...data.strokes.map(strokeElement));
  const chart = find("chart");
  chart.setAttribute("aria-label", data.alt);
  const points = data.steps.map(({ share, confidence }) => [share * WIDTH, (1 - confidence) * HEIGHT]);
  find("future").setAttribute("d", linePath(points));
  find("marks").replaceChildren(...labelMarks(data.steps));

  let [share, playing, frame, before] = [0, true, 0, 0];
  const button = find("toggle");
  const draw = () => {
    [...sheet.children].forEach((element, index) => revealStroke(element, data.strokes[index], share));
    const count = Math.max(data.steps.filter((each) => each.share <= share + 1e-9).length, 1);
    const step = data.steps[count - 1];
    const reached = points.slice(0, count);
    find("past").setAttribute("d", linePath(reached));
    const [x, y] = reached.at(-1);
    find("now").setAttribute("cx", x);
    find("now").setAttribute("cy", y);
    find("label").textContent = step.label ?? "–";
    find("label").toggleAttribute("data-rejected", step.rejected);
    find("score").textContent = step.text;
    button.textContent = playing ? data.pause : data.play;
  };
  const animate = (now) => {
    share = Math.min(share + (before ? now - before : 0) / DURATION_MS, 1);
    before = now;
    if (share >= 1) playing = false;
    draw();
    if (playing) frame = requestAnimationFrame(animate);
  };
  const play = (wanted) => {
    cancelAnimationFrame(frame);
    if (wanted && share >= 1) share = 0;
    [playing, before] = [wanted, 0];
    if (playing) frame = requestAnimationFrame(animate);
    else draw();
  };
  button.onclick = () => play(!playing);
  parentElement.stop = () => {
    cancelAnimationFrame(frame);
    parentElement.content = undefined;
  };
  parentElement.content = content;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) share = 1;
  play(share < 1);
  return parentElement.stop;
}

const strokeElement = ({ path, width, colour }) => {
  const element = document.createElementNS(SVG, "path");
  Object.entries({ d: path, stroke: colour, "stroke-width": width, pathLength: 1, "stroke-dasharray": "1 2" }).forEach(([name, value]) =>
    element.setAttribute(name, value),
  );
  return element;
};

const revealStroke = (element, { start, end }, share) => {
  const drawn = Math.min(Math.max((share - start) / (end - start), 0), 1);
  element.style.visibility = drawn > 0 ? "visible" : "hidden";
  element.style.strokeDashoffset = drawn < 1 ? 1 - drawn : 0;
};

const linePath = (points) => points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// One mark wherever the label changes, as long as there is room.
const labelMarks = (steps) => {
  const marks = [];
  let free = 0; // from here on is room for a label
  steps.forEach(({ share, label }, index) => {
    const x = share * WIDTH;
    if (!label || label === steps[index - 1]?.label || x < free) return;
    const mark = document.createElementNS(SVG, "text");
    mark.setAttribute("x", x);
    mark.setAttribute("y", -6);
    mark.textContent = label;
    marks.push(mark);
    free = x + Math.max(LEAST_GAP, (label.length + 1) * LETTER_WIDTH);
  });
  return marks;
};
