// Gives pictures that are dropped or pasted anywhere on the page to the file uploader, so that it checks and sends them as any other.
const UPLOADER = '[class*="st-key-uploaded-files"] input[type=file]';
const DROPZONE = '[data-testid="stFileUploaderDropzone"]';
const EDITABLE = "input:not([type=file], [type=radio], [type=checkbox], [type=range], [type=button]), textarea, [contenteditable=true]";

export default function ({ data, parentElement, setTriggerValue }) {
  const target = parentElement.querySelector(".drop-target");
  target.querySelector("p").textContent = data.text;
  target.popover = "manual"; // above the sidebar, too
  const show = (visible) => target.togglePopover(visible);
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

  const give = (files) => {
    const input = document.querySelector(UPLOADER);
    if (!input || !files.length) return;
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    setTriggerValue("given", files.length);
  };

  const listeners = {
    dragover: (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      show(true);
    },
    dragleave: (event) => {
      if (!event.relatedTarget) show(false); // the window was left
    },
    drop: (event) => {
      show(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (!event.target.closest?.(DROPZONE)) give([...event.dataTransfer.files]);
    },
    paste: (event) => {
      const clipboard = event.clipboardData;
      if (!clipboard?.files.length) return;
      if (event.target.closest?.(EDITABLE) && clipboard.types.some((type) => type.startsWith("text/"))) return;
      event.preventDefault();
      give([...clipboard.files]);
    },
  };

  // Streamlit calls this function again with another text without ending the previous call.
  parentElement.removeListeners?.();
  parentElement.removeListeners = () =>
    Object.entries(listeners).forEach(([name, listener]) => document.removeEventListener(name, listener));
  Object.entries(listeners).forEach(([name, listener]) => document.addEventListener(name, listener));
  return parentElement.removeListeners;
}
