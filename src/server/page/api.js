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

/** Asks the server. The desk goes to the sign-in when nobody is signed in any more. */
export async function ask(method, path, body) {
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
  if (response.status === 401 && location.pathname === "/") location.assign("/accounts");
  if (!response.ok) throw new ApiError(answer?.error?.code ?? (response.status === 404 ? "not_found" : "unknown"), response.status, answer);
  return answer;
}

const recordingPath = (id) => `/v1/recordings/${encodeURIComponent(id)}`;

/** Who is signed in, and what their role may. */
export const session = () => ask("GET", "/v1/session");
export const status = () => ask("GET", "/v1/status");
export const recordings = async () => (await ask("GET", "/v1/recordings")).recordings;
export const recording = (id) => ask("GET", recordingPath(id));
export const newToken = async (id) => (await ask("POST", `${recordingPath(id)}/token`)).token;
export const finish = (id) => ask("POST", `${recordingPath(id)}/finish`);
export const erase = (id) => ask("DELETE", recordingPath(id));
/** `called` is an id of the edit's own: with the same one and the same version it is made once. */
export const editNote = (id, version, edit, called) => ask("POST", `${recordingPath(id)}/note/edits`, { version, edit, id: called });

export const figures = () => ask("GET", "/v1/figures");
export const learned = async () => (await ask("GET", "/v1/learned")).terms;
export const suggestions = (id) => ask("GET", `${recordingPath(id)}/learned`);
export const forget = (words, concept) => ask("POST", "/v1/learned/forget", { words, concept });
export const forms = () => ask("GET", "/v1/templates");
export const templates = async () => (await forms()).templates;
export const chooseForm = (choice) => ask("PUT", "/v1/template-choice", choice);
export const keepTemplate = (name, body) => ask("PUT", `/v1/templates/${encodeURIComponent(name)}`, body);
export const removeTemplate = (name) => ask("DELETE", `/v1/templates/${encodeURIComponent(name)}`);
/** Throws the refusal, if there is one, of what is at an address. */
export const check = (address) => ask("GET", address);
/** Patients and visits. Names and numbers stand in bodies, never in addresses. */
const patientPath = (id) => `/v1/patients/${encodeURIComponent(id)}`;
const encounterPath = (id) => `/v1/encounters/${encodeURIComponent(id)}`;
export const patients = () => ask("GET", "/v1/patients");
export const findPatients = (text) => ask("POST", "/v1/patients/search", { text });
export const patient = (id) => ask("GET", patientPath(id));
export const createPatient = (given) => ask("POST", "/v1/patients", given);
export const changePatient = (id, version, given) => ask("PUT", patientPath(id), { version, patient: given });
export const erasePatient = (id) => ask("DELETE", patientPath(id));
export const encounters = async (id) => (await ask("GET", `${patientPath(id)}/encounters`)).encounters;
export const createEncounter = (id, given = {}) => ask("POST", `${patientPath(id)}/encounters`, given);
export const encounter = (id) => ask("GET", encounterPath(id));
export const eraseEncounter = (id) => ask("DELETE", encounterPath(id));
export const setRefused = (id, refused) => ask("POST", `${encounterPath(id)}/refusal`, { refused });
export const noteAgreement = (id, by, how) => ask("POST", `${encounterPath(id)}/recording-consent`, { by, how });
export const typeNote = (id) => ask("POST", `${encounterPath(id)}/typed-note`);
export const worklist = (day) => ask("GET", `/v1/worklist?${new URLSearchParams(day)}`);
export const moveRecording = (id, from, to) => ask("POST", `${recordingPath(id)}/move`, { from, to });
export const stepNote = (id, act, version) => ask("POST", `${recordingPath(id)}/note/${act}`, { version });
export const record = (id) => ask("GET", `${recordingPath(id)}/record`);
export const history = (id) => ask("GET", `${recordingPath(id)}/history`);
/** `seen` is the `version` that was shown, and the `encounter` that it was shown under, null for none. */
export const reviewNote = (id, seen) => ask("POST", `${recordingPath(id)}/note/review`, seen);
export const signNote = (id, seen) => ask("POST", `${recordingPath(id)}/note/sign`, seen);
export const restrictNote = (id, restricted) => ask(restricted ? "PUT" : "DELETE", `${recordingPath(id)}/note/restriction`);
export const addToNote = (id, version, lines) => ask("POST", `${recordingPath(id)}/note/addenda`, { version, lines });
export const terminology = async (text) => (await ask("POST", "/v1/terminology/search", { text })).concepts;

/** Address of a stretch of sound. */
export function audioAddress(id, { start_ms, end_ms }) {
  return `${recordingPath(id)}/audio?start_ms=${start_ms}&end_ms=${end_ms}`;
}

export function documentAddress(id, kind, values) {
  return `${recordingPath(id)}/${kind}?${new URLSearchParams(values)}`;
}

/** Sharing under consent. */
export const organisations = async () => (await ask("GET", "/v1/organisations")).organisations;
export const requests = async () => (await ask("GET", "/v1/requests")).requests;
export const request = (wanted) => ask("POST", "/v1/requests", wanted);
export const attest = (id, purpose) => ask("POST", `/v1/requests/${encodeURIComponent(id)}/attest`, { purpose });
export const cancelRequest = (id) => ask("POST", `/v1/requests/${encodeURIComponent(id)}/cancel`);
export const askRestricted = (id, reason) => ask("POST", `/v1/requests/${encodeURIComponent(id)}/restricted`, { reason });
export const shares = async () => (await ask("GET", "/v1/shares")).shares;
export const openView = (id, record, purpose) => ask("POST", `/v1/shares/${encodeURIComponent(id)}/views`, { record, purpose });
export const emergencies = async () => (await ask("GET", "/v1/emergencies")).emergencies;
export const openEmergency = (wanted) => ask("POST", "/v1/emergencies", wanted);
export const openEmergencyView = (id, record) => ask("POST", `/v1/emergencies/${encodeURIComponent(id)}/views`, { record });
const viewPath = (view) => `/v1/views/${encodeURIComponent(view)}`;
export const viewPage = (view) => `${viewPath(view)}/page`;
export const viewSocket = (view) => `${location.origin.replace(/^http/, "ws")}${viewPath(view)}/watch`;
/** Prints, takes a copy or passes it on: the marked pages, where the consent allows it. It is asked for though the page is left meanwhile. */
export async function useView(view, use) {
  const response = await fetch(`${viewPath(view)}/${use}`, { method: "POST", cache: "no-store", credentials: "same-origin", keepalive: true });
  if (response.ok) return response.text();
  const answer = await response.json().catch(() => null);
  throw new ApiError(answer?.error?.code ?? "unknown", response.status, answer);
}
export const contact = (id) => ask("GET", `${patientPath(id)}/contact`);
export const setContact = (id, contact) => ask("PUT", `${patientPath(id)}/contact`, contact);
export const consents = async (id) => (await ask("GET", `${patientPath(id)}/consents`)).consents;
export const withdraw = (id) => ask("POST", `/v1/consents/${encodeURIComponent(id)}/withdraw`);
export const accessRequest = (id) => ask("POST", `${patientPath(id)}/access-requests`);
export const accessAnswer = (id) => ask("POST", `${patientPath(id)}/access-requests/answer`);
export const trail = (id) => ask("GET", `${patientPath(id)}/report`);
export const outbox = () => ask("GET", "/v1/outbox");
