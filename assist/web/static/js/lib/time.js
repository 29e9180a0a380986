import { language, t } from "./i18n.js";

/** 14:05 */
export function clockTime(at) {
  return new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(at));
}

/** 23 Nov, 14:05 */
export function dateTime(at) {
  return new Intl.DateTimeFormat(language(), { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(at));
}

/** 14 Nov 2026, for a date without a time. */
export function date(at) {
  return new Intl.DateTimeFormat(language(), { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" }).format(new Date(at));
}

export function day(at) {
  return new Intl.DateTimeFormat(language(), { weekday: "long", month: "long", day: "numeric" }).format(new Date(at));
}

export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

/** A length of time in the two words an agent needs: `40 s`, `12 min`, `3 h`. */
export function duration(length_ms) {
  const seconds = Math.max(0, Math.round(length_ms / 1000));
  if (seconds < 60) return t("time.seconds", { n: seconds });
  if (seconds < 3600) return t("time.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return t("time.hours", { n: Math.floor(seconds / 3600) });
  return t("time.days", { n: Math.floor(seconds / 86_400) });
}

export function money(amount) {
  return new Intl.NumberFormat(language(), { style: "currency", currency: "CNY", currencyDisplay: "narrowSymbol", minimumFractionDigits: 0 }).format(amount);
}
