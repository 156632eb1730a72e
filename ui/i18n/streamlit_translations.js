// Replaces English texts of Streamlit's widgets. It changes the text of existing nodes only, so that Streamlit can still update them.
export default function ({ data, parentElement }) {
  const root = parentElement.closest(".st-key-classifier");
  const translateAll = () => root.querySelectorAll(data.widgets).forEach((widget) => translateNodes(widget, data.texts));
  // Streamlit calls this function again with new texts without ending the previous call: only one observer may be active.
  parentElement.textObserver?.disconnect();
  parentElement.textObserver = new MutationObserver(translateAll);
  parentElement.textObserver.observe(root, { subtree: true, childList: true, characterData: true });
  translateAll();
  return () => parentElement.textObserver.disconnect();
}

const translateNodes = (widget, texts) => {
  const walker = document.createTreeWalker(widget, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const original = node.nodeValue === node.translation ? node.original : node.nodeValue;
    const translation = texts[original.trim()];
    if (translation !== undefined && translation !== node.nodeValue) {
      Object.assign(node, { original, translation, nodeValue: translation });
    }
  }
};
