/** A new opaque id such as `utt_5f…`. `crypto.randomUUID` is missing outside secure contexts; this is not. */
export function newId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${prefix}_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
