// Streamlit writes some words itself, in English. Only the text of its nodes is changed: the nodes stay Streamlit's.
export default function ({ data, parentElement }) {
  const desk = parentElement.closest(".st-key-reading-desk");
  const translate = () => desk.querySelectorAll(data.parts).forEach((part) => translated(part, data.words));
  // Streamlit calls this anew with new words, without an end to the old ones: two translators would never agree.
  parentElement.translator?.disconnect();
  parentElement.translator = new MutationObserver(translate);
  parentElement.translator.observe(desk, { subtree: true, childList: true, characterData: true });
  translate();
  return () => parentElement.translator.disconnect();
}

const translated = (part, words) => {
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const original = node.nodeValue === node.said ? node.original : node.nodeValue;
    const said = words[original.trim()];
    if (said !== undefined && said !== node.nodeValue) Object.assign(node, { original, said, nodeValue: said });
  }
};
