// A live region has to stay while its words change: what Streamlit writes anew is not read aloud.
export default function ({ data, parentElement }) {
  document.documentElement.lang = data.language;
  const region = parentElement.querySelector("p");
  region.setAttribute("role", "status");
  if (region.textContent !== data.words) region.textContent = data.words;
}
