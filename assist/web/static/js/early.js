/* Runs before the first paint, so that neither colours nor glyphs flip while the page loads. */
(() => {
  const root = document.documentElement;
  const theme = localStorage.getItem("assist.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const language = localStorage.getItem("assist.language");
  if (language) root.lang = language;
})();
