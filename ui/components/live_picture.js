// Sends the page a picture of the stroke that is being drawn, shows what the model sees of it, and lets the bars glide.
const GLIDE_MS = 150;

const withSheet = (use) => (window.sheet ? use(window.sheet) : requestAnimationFrame(() => withSheet(use)));

export default function ({ data, setTriggerValue }) {
  withSheet((sheet) => {
    sheet.onpicture = (picture) => setTriggerValue("picture", picture);
    sheet.answered();
    markOldAnswer(sheet, data.version);
  });
  showInput(data.input);
  glideBars();
  return () => window.sheet && (window.sheet.onpicture = null);
}

// While the page runs for a new answer, the one it shows is old: answer.css dims it after a while. Streamlit itself marks no
// element of a fragment inside the one that runs.
function markOldAnswer(sheet, answered) {
  const page = document.querySelector(".st-key-classifier");
  const app = document.querySelector(".stApp");
  if (page) page.dataset.answered = answered; // the version of the drawing whose answer the page shows
  if (answered === sheet.version) delete page?.dataset.waiting;
  if (sheet.marksOldAnswer || !page || !app) return;
  sheet.marksOldAnswer = true;
  const mark = (waiting) => document.querySelector(".st-key-classifier")?.toggleAttribute("data-waiting", waiting);
  sheet.addEventListener("report", () => mark(true));
  const onState = () => mark(app.dataset.testScriptState === "running");
  new MutationObserver(onState).observe(app, { attributeFilter: ["data-test-script-state"] });
}

function showInput(input) {
  const figure = document.querySelector(".model-input");
  if (!figure) return;
  figure.dataset.shown = Boolean(input);
  if (!input) return;
  figure.querySelector("img").src = `data:image/png;base64,${input.png}`;
  figure.querySelector("span").textContent = input.size;
}

// Each answer replaces the elements of the one before, so that a CSS transition would have nothing to begin from.
function glideBars() {
  const page = document.querySelector(".st-key-classifier");
  if (!page || page.glides) return;
  page.glides = true;
  let widths = new Map();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver(() => {
    const now = new Map();
    for (const fill of page.querySelectorAll(".answer .bar-fill")) {
      const name = `${fill.closest(".answer").dataset.model} ${fill.closest(".bar").querySelector(".bar-name").textContent}`;
      const { width } = fill.style;
      now.set(name, width);
      const from = widths.get(name);
      if (from && from !== width && !still.matches) fill.animate({ width: [from, width] }, { duration: GLIDE_MS, easing: "ease-out" });
    }
    widths = now;
  }).observe(page, { subtree: true, childList: true });
}
