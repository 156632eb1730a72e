// Counts the seconds down in the browser, so that reruns of the page neither stop nor shift them.
const TICK_MS = 100;
const LAST_SECONDS = 10;

export default function ({ data, parentElement, setTriggerValue }) {
  const output = parentElement.querySelector(".countdown");
  if (parentElement.game !== data.game) {
    parentElement.game = data.game;
    parentElement.deadline = performance.now() + data.remaining_ms;
  }
  const tick = () => {
    const left = Math.max(parentElement.deadline - performance.now(), 0);
    const seconds = Math.ceil(left / 1000);
    output.textContent = data.text.replace("{seconds}", seconds);
    output.toggleAttribute("data-last", seconds <= LAST_SECONDS);
    if (left > 0) return;
    clearInterval(parentElement.timer);
    setTriggerValue("ended", data.game);
  };
  clearInterval(parentElement.timer);
  parentElement.timer = setInterval(tick, TICK_MS);
  tick();
  return () => clearInterval(parentElement.timer);
}
