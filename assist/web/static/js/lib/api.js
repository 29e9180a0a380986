/** A refusal or failure of the service, in its one error shape; `status` 0 means that it was not reached. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const REQUEST_TIMEOUT_MS = 15_000;

async function request(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  } catch (cause) {
    throw new ApiError(0, "unreachable", cause.message);
  }
  if (response.status === 401) location.assign("/login"); // the session has ended: what is on screen stays until then
  const payload = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, payload?.error?.code ?? "unknown", payload?.error?.message ?? "");
  return payload;
}

const id = encodeURIComponent;

/** `{a: 1, b: null}` as a query string without the empty values. */
function queryOf(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  return query.size ? `?${query}` : "";
}

export const api = {
  me: () => request("GET", "/v1/me"),
  conversations: (filter = {}) => request("GET", `/v1/conversations${queryOf(filter)}`),
  conversation: (conversation, reader) => request("GET", `/v1/conversations/${id(conversation)}${queryOf({ reader })}`),
  events: (conversation, since) => request("GET", `/v1/conversations/${id(conversation)}/events${queryOf({ since })}`),
  open: (conversation) => request("POST", "/v1/conversations", conversation),
  say: (conversation, utterance) => request("POST", `/v1/conversations/${id(conversation)}/utterances`, utterance),
  close: (conversation, closing) => request("POST", `/v1/conversations/${id(conversation)}/closure`, closing),
  search: (search) => request("POST", "/v1/searches", search),
  checkDraft: (draft) => request("POST", "/v1/draft_checks", draft),
  setOutcome: (suggestion, outcome) => request("PUT", `/v1/suggestions/${id(suggestion)}/outcome`, outcome),
  suggestions: (filter) => request("GET", `/v1/suggestions${queryOf(filter)}`),
  review: (suggestion, review) => request("POST", `/v1/suggestions/${id(suggestion)}/reviews`, review),
  demos: () => request("GET", "/v1/demo/conversations"),
  demo: (demo) => request("GET", `/v1/demo/conversations/${id(demo)}`),
};
