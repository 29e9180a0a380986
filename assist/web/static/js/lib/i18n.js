import en from "../i18n/en.js";
import hans from "../i18n/zh-Hans.js";
import hant from "../i18n/zh-Hant.js";

const DICTIONARIES = { "zh-Hans": hans, "zh-Hant": hant, en };
const STORED = "assist.language";

export const LANGUAGES = Object.keys(DICTIONARIES);

/** The first language of the browser that we speak; zh-TW, zh-HK and zh-MO read traditional characters. */
export function preferred(tags) {
  for (const tag of tags) {
    const name = tag.toLowerCase();
    if (name.startsWith("zh")) return /hant|-tw|-hk|-mo/.test(name) ? "zh-Hant" : "zh-Hans";
    if (name.startsWith("en")) return "en";
  }
  return "en";
}

let current = localStorage.getItem(STORED);
if (!LANGUAGES.includes(current)) current = preferred(navigator.languages);
document.documentElement.lang = current;

export const language = () => current;

/** Change the words of the page; views that hold words listen for `assist:language` on the document. */
export function setLanguage(name) {
  if (!LANGUAGES.includes(name) || name === current) return;
  current = name;
  localStorage.setItem(STORED, name);
  document.documentElement.lang = name;
  translate();
  document.dispatchEvent(new Event("assist:language"));
}

/** Speak the language of the person's key, unless they have chosen one here. */
export function adoptLanguage(name) {
  if (name && !localStorage.getItem(STORED)) setLanguage(name);
}

/** The words for `key`, with `{name}` filled from `values`. A key without words is shown as it is, so that it is seen. */
export function t(key, values = {}) {
  const words = DICTIONARIES[current][key] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The words for `key`, or `otherwise` where there are none: for names that come from the service. */
export function tOr(key, otherwise) {
  return DICTIONARIES[current][key] ?? otherwise;
}

/** Words by language, as articles and demo conversations carry them, in the reader's language or the nearest. */
export function inLanguage(words) {
  if (typeof words === "string") return words;
  return words?.[current] ?? (current.startsWith("zh") ? words?.["zh-Hans"] : null) ?? words?.en ?? Object.values(words ?? {})[0] ?? "";
}

/** Fill `data-t` (text), `data-t-label` (aria-label), `data-t-title` and `data-t-placeholder` below `root`. */
export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of root.querySelectorAll("[data-t-title]")) node.title = t(node.dataset.tTitle);
  for (const node of root.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
  if (root === document && document.documentElement.dataset.title) document.title = `${t(document.documentElement.dataset.title)} · assist`;
}
