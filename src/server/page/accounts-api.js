// What the pages of accounts ask of the server.
import { ask } from "./api.js";

export const beginSignIn = () => ask("POST", "/v1/sign-in/begin");
export const finishSignIn = (ceremony, answer) => ask("POST", "/v1/sign-in/finish", { ceremony, answer });
export const chooseRole = (ticket, role) => ask("POST", "/v1/sign-in/role", { ticket, role });
export const signOut = () => ask("POST", "/v1/sign-out");
export const session = () => ask("GET", "/v1/session");
export const lookAtToken = (token) => ask("POST", "/v1/enrolments/look", { token });
export const beginEnrolment = (entry) => ask("POST", "/v1/enrolments/begin", entry);
export const finishEnrolment = (ceremony, answer, label) => ask("POST", "/v1/enrolments/finish", { ceremony, answer, label });
export const acceptInvitation = (token) => ask("POST", "/v1/enrolments/accept", { token });
export const passkeys = async () => (await ask("GET", "/v1/passkeys")).passkeys;
export const beginPasskey = () => ask("POST", "/v1/passkeys/begin");
export const finishPasskey = (ceremony, answer, label) => ask("POST", "/v1/passkeys/finish", { ceremony, answer, label });
export const removePasskey = (id) => ask("DELETE", `/v1/passkeys/${encodeURIComponent(id)}`);
export const sessions = async () => (await ask("GET", "/v1/sessions")).sessions;
export const endSession = (id) => ask("DELETE", `/v1/sessions/${encodeURIComponent(id)}`);
export const people = () => ask("GET", "/v1/people");
export const invite = (invited) => ask("POST", "/v1/invitations", invited);
export const uninvite = (id) => ask("DELETE", `/v1/invitations/${encodeURIComponent(id)}`);
export const recover = (person) => ask("POST", `/v1/people/${encodeURIComponent(person)}/recovery`);
export const endRole = (role) => ask("DELETE", `/v1/roles/${encodeURIComponent(role)}`);
export const changeRole = (role, terms) => ask("PUT", `/v1/roles/${encodeURIComponent(role)}`, terms);
export const changeCard = (person, card) => ask("PUT", `/v1/people/${encodeURIComponent(person)}`, card);
export const devices = async () => (await ask("GET", "/v1/devices")).devices;
export const enrolDevice = (device) => ask("POST", "/v1/devices", device);
export const revokeDevice = (id) => ask("DELETE", `/v1/devices/${encodeURIComponent(id)}`);
