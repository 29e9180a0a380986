/* The service counts code points, the browser UTF-16 units; an emoji is one of the former and two of the latter. */

/** Cut `text` at `spans` (`start`, `end` in code points) into `[{text, span|null}]`. Overlaps go to the earlier span. */
export function pieces(text, spans) {
  const points = Array.from(text);
  const ordered = spans.filter((span) => span.end > span.start).sort((a, b) => a.start - b.start || b.end - a.end);
  const result = [];
  let at = 0;
  for (const span of ordered) {
    const start = Math.max(span.start, at);
    const end = Math.min(span.end, points.length);
    if (end <= start) continue;
    if (start > at) result.push({ text: points.slice(at, start).join(""), span: null });
    result.push({ text: points.slice(start, end).join(""), span });
    at = end;
  }
  if (at < points.length) result.push({ text: points.slice(at).join(""), span: null });
  return result;
}

/** `text` with the code points from `start` to `end` replaced. */
export function splice(text, start, end, replacement) {
  const points = Array.from(text);
  return points.slice(0, start).join("") + replacement + points.slice(end).join("");
}

/** Where the first sentence of `text` ends, in UTF-16 units. */
export function firstSentenceEnd(text) {
  const match = /^[^。！？!?\n]*?(?:[。！？!?]+|\.(?=\s)|\n|$)/u.exec(text);
  return match ? match[0].length : text.length;
}

/** Share of the character pairs of `original` that are still in `text`: how much of a wording survived editing, 0–1. */
export function survival(original, text) {
  const pairs = (value) => new Set(Array.from(value.replace(/\s+/gu, "")).map((point, index, all) => point + (all[index + 1] ?? "")));
  const wanted = pairs(original);
  const present = pairs(text);
  let kept = 0;
  for (const pair of wanted) if (present.has(pair)) kept += 1;
  return wanted.size ? kept / wanted.size : 0;
}

const CLAUSE_END = /[，,。.!?！？；;\n]/u;

/**
 * `text` with the clause around an issue's span replaced by its better wording. A better wording is a sentence of its
 * own: put into the middle of a clause it would read as two halves.
 */
export function reword(text, { start, end, better }) {
  const points = Array.from(text);
  let from = start;
  let to = end;
  while (from > 0 && !CLAUSE_END.test(points[from - 1])) from -= 1;
  while (from < start && points[from] === " ") from += 1;
  // A span that ends with a mark ends its clause itself; the words after it are another one.
  while (to < points.length && !CLAUSE_END.test(points[to - 1] ?? "") && !CLAUSE_END.test(points[to])) to += 1;
  // One mark between the new sentence and what follows, not two.
  if (CLAUSE_END.test(better.at(-1)) && CLAUSE_END.test(points[to] ?? "") && points[to] !== "\n") to += 1;
  return splice(text, from, to, better);
}
