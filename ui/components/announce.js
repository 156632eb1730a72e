// The live region must stay in the document while its text changes: screen readers do not read a region that is inserted with text.
export default function ({ data, parentElement }) {
  document.documentElement.lang = data.language;
  const region = parentElement.querySelector("p");
  region.setAttribute("role", "status");
  if (region.textContent !== data.text) region.textContent = data.text;
}
