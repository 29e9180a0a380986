import { el, svg } from "./dom.js";
import { icon } from "./icons.js";
import { t, tOr } from "./i18n.js";

/* One shape a feeling, told apart without colour: ring, disc, half disc, diamond, triangle down, square, star. */
const MARKS = {
  neutral: () => svg("circle", { cx: 8, cy: 8, r: 5.5, "fill-opacity": 0 }),
  satisfied: () => svg("circle", { cx: 8, cy: 8, r: 6 }),
  confused: () => svg("path", { d: "M8 2a6 6 0 0 1 0 12zM8 2a6 6 0 0 0 0 12" , "fill-rule": "evenodd", "stroke-width": 1.6 }),
  anxious: () => svg("path", { d: "M8 1.8 14.2 8 8 14.2 1.8 8z", "stroke-width": 1 }),
  disappointed: () => svg("path", { d: "M2 3.5h12L8 13.5z" }),
  frustrated: () => svg("path", { d: "M2.8 2.8h10.4v10.4H2.8z" }),
  angry: () => svg("path", { d: "m8 .6 2 4.6 4.8-1.7-1.9 4.6L15.5 10.6l-4.7.9L11 16l-3-3.2L5 16l.2-4.5-4.7-.9 2.6-2.5L1.2 3.5 6 5.2z", "stroke-width": 0.5 }),
  unknown: () => svg("circle", { cx: 8, cy: 8, r: 5.5, "fill-opacity": 0, "stroke-dasharray": "2.5 3" }),
};

/* How far below or above calm a feeling lies at full intensity; only the picture of the trend uses it. */
const DEPTH = { satisfied: 1, neutral: 0, unknown: 0, confused: -0.35, anxious: -0.6, disappointed: -0.65, frustrated: -0.85, angry: -1 };

const HIGH_RISK = 0.6;
const RAISED_RISK = 0.3;

export function mark(label) {
  const shape = svg("svg", { class: "mark", viewBox: "0 0 16 16", "aria-hidden": "true", "data-emotion": label });
  shape.append((MARKS[label] ?? MARKS.unknown)());
  return shape;
}

/** Shape, word and, where given, intensity as three bars. */
export function emotionChip(emotion, { plain = false } = {}) {
  const percent = Math.round((emotion.intensity ?? 0) * 100);
  const chip = el("span", { class: plain ? "emotion emotion-plain" : "emotion", data: { emotion: emotion.label } }, mark(emotion.label), t(`emotion.${emotion.label}`));
  if (emotion.intensity > 0) {
    const level = Math.min(3, Math.ceil(emotion.intensity * 3));
    chip.append(el("span", { class: "intensity", aria: { hidden: true } }, [1, 2, 3].map((bar) => el("i", { class: bar <= level ? "on" : null }))));
    chip.append(el("span", { class: "visually-hidden", text: t("emotion.intensity", { percent }) }));
    chip.title = t("emotion.title", { emotion: t(`emotion.${emotion.label}`), percent, sure: Math.round((emotion.probability ?? 0) * 100) });
  }
  return chip;
}

export function flagBadges(flags) {
  return (flags ?? []).map((flag) => el("span", { class: "badge badge-flag", data: { flag }, text: tOr(`flag.${flag}`, flag) }));
}

/** Height of a feeling in the trend strip, −1 (rage) to 1 (delight). */
export function valence(emotion) {
  const depth = DEPTH[emotion.label] ?? 0;
  return depth * (0.45 + 0.55 * (emotion.intensity ?? 0.5));
}

export function riskLevel(risk) {
  if (risk >= HIGH_RISK) return "high";
  return risk >= RAISED_RISK ? "raised" : "low";
}

export function trendNote(trend) {
  return el("span", { class: "strip-trend", data: { trend } }, icon(trend), t(`trend.${trend}`));
}

export function tierBadge(tier) {
  return tier && tier !== "none" ? el("span", { class: "badge badge-tier", data: { tier }, text: tOr(`tier.${tier}`, tier) }) : null;
}

export function segmentBadge(segment) {
  return segment ? el("span", { class: "badge badge-segment", data: { segment }, text: t(`segment.${segment}`) }) : null;
}
