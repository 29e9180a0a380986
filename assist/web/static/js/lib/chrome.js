import { api } from "./api.js";
import { byId } from "./dom.js";
import { drawIcons, icon } from "./icons.js";
import { adoptLanguage, language, setLanguage, t, translate } from "./i18n.js";

const PAGES = { agent: ["/desk"], knowledge: ["/review"], reviewer: ["/review"] };
const THEMES = ["system", "light", "dark"];
const ICONS = { system: "theme", light: "sun", dark: "moon" };

/** Words, icons, language and colours of the bar on top of each page. Resolves to who is signed in. */
export async function setUpChrome() {
  drawIcons();
  translate();
  setUpLanguage(byId("language"));
  setUpTheme(byId("theme"));
  const me = await api.me().catch(() => null);
  if (!me) return null;
  byId("me").textContent = me.name;
  adoptLanguage(me.language);
  byId("language").value = language();
  for (const link of document.querySelectorAll(".topbar nav a")) link.hidden = PAGES[me.role]?.includes(link.pathname) === false;
  return me;
}

function setUpLanguage(select) {
  select.value = language();
  select.addEventListener("change", () => setLanguage(select.value));
}

function setUpTheme(button) {
  let theme = localStorage.getItem("assist.theme") ?? "system";
  const show = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(ICONS[theme]));
    button.setAttribute("aria-label", t(`theme.${theme}`));
    button.title = t(`theme.${theme}`);
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem("assist.theme", theme);
    show();
  });
  document.addEventListener("assist:language", show);
  show();
}
