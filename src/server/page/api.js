// What the page asks of the server over plain HTTP. Ids alone stand in addresses, never anything that was said.

/** A refusal. `code` is the server's, or `offline`, `timeout`, `unknown`. */
export class ApiError extends Error {
  constructor(code, status = 0, body = null) {
    super(code);
    this.code = code;
    this.status = status;
    this.body = body;
  }
}

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(15000),
    });
  } catch (error) {
    throw new ApiError(error.name === "TimeoutError" ? "timeout" : "offline");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(answer?.error?.code ?? (response.status === 404 ? "not_found" : "unknown"), response.status, answer);
  return answer;
}

const recordingPath = (id) => `/v1/recordings/${encodeURIComponent(id)}`;

export const status = () => ask("GET", "/v1/status");
export const recordings = async () => (await ask("GET", "/v1/recordings")).recordings;
export const recording = (id) => ask("GET", recordingPath(id));
export const newToken = async (id) => (await ask("POST", `${recordingPath(id)}/token`)).token;
export const finish = (id) => ask("POST", `${recordingPath(id)}/finish`);
export const erase = (id) => ask("DELETE", recordingPath(id));
export const editNote = (id, version, edit) => ask("POST", `${recordingPath(id)}/note/edits`, { version, edit });

export const stepNote = (id, act, version) => ask("POST", `${recordingPath(id)}/note/${act}`, { version });
export const record = (id) => ask("GET", `${recordingPath(id)}/record`);
export const history = (id) => ask("GET", `${recordingPath(id)}/history`);
export const reviewNote = (id, version) => ask("POST", `${recordingPath(id)}/note/review`, { version });
export const signNote = (id, version) => ask("POST", `${recordingPath(id)}/note/sign`, { version });
export const addToNote = (id, version, lines) => ask("POST", `${recordingPath(id)}/note/addenda`, { version, lines });
/** Only what is typed into the search for a code stands in this address; the server keeps no log of addresses. */
export const terminology = async (query) => (await ask("GET", `/v1/terminology?${new URLSearchParams({ q: query })}`)).concepts;

/** Address of a stretch of sound. */
export function audioAddress(id, { start_ms, end_ms }) {
  return `${recordingPath(id)}/audio?start_ms=${start_ms}&end_ms=${end_ms}`;
}

export function documentAddress(id, kind, values) {
  return `${recordingPath(id)}/${kind}?${new URLSearchParams(values)}`;
}
