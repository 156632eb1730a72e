// Streamlit's uploader leaves out files that are too large without telling the page. In place of each the uploader gets an empty
// file of the same name, whose media type has the size, so that the page can list it with the reason.
export default function ({ data, parentElement }) {
  const root = parentElement.closest(".st-key-upload");
  root.limits = data;
  if (root.limited) return;
  root.limited = true;
  // Capture comes before the uploader's own listeners.
  root.addEventListener("change", (event) => limitChosen(event.target, root.limits), true);
  root.addEventListener("drop", (event) => limitDropped(event, root), true);
  new MutationObserver(() => setAccept(root)).observe(root, { childList: true, subtree: true });
  setAccept(root);
}

const inputOf = (root) => root.querySelector("input[type=file]");

// Only a hint for the file dialog, and what has phones convert their photos to JPEG: the uploader itself takes every file.
const setAccept = (root) => {
  const input = inputOf(root);
  if (input && input.accept !== root.limits.accept) input.accept = root.limits.accept;
};

const limitChosen = (input, limits) => {
  if (input.type !== "file" || ![...input.files].some((file) => file.size > limits.bytes)) return;
  input.files = transfer([...input.files], limits.bytes).files;
};

const limitDropped = (event, root) => {
  const files = [...event.dataTransfer.files];
  const folders = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (folders || !files.some((file) => file.size > root.limits.bytes)) return;
  event.preventDefault();
  event.stopPropagation();
  // The uploader shows that something is dragged over it until the drag ends.
  event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true, dataTransfer: event.dataTransfer }));
  const input = inputOf(root);
  input.files = transfer(files, root.limits.bytes).files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
};

const transfer = (files, bytes) => {
  const result = new DataTransfer();
  for (const file of files) result.items.add(file.size > bytes ? standIn(file) : file);
  return result;
};

const standIn = (file) => new File([], file.name, { type: `application/x-too-large; size=${file.size}` });
