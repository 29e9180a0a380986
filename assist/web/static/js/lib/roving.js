/** One tab stop for a list: arrow keys, Home, End (and j/k where asked) move the focus between `selector` items. */
export function rove(list, selector, { letters = false } = {}) {
  const items = () => Array.from(list.querySelectorAll(selector));
  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = items();
    const at = all.indexOf(event.target.closest(selector));
    if (at < 0 || (event.target !== all[at] && event.target.matches("input, textarea, select"))) return;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1, ...(letters ? { j: at + 1, k: at - 1 } : {}) }[event.key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    all[next].focus();
  });
  list.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) settle(items(), item);
  });
  return () => settle(items(), items().find((item) => item.tabIndex === 0) ?? items()[0]);
}

function settle(all, current) {
  for (const item of all) item.tabIndex = item === current ? 0 : -1;
}
