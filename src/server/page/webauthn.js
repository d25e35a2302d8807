// Passkeys: what the server asks for as JSON, and what the browser's authenticator answers.

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

/** Registers a passkey. Throws what the browser throws when the user says no. */
export async function register({ publicKey }) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    extensions: credential.getClientExtensionResults(),
    response: {
      attestationObject: toText(response.attestationObject),
      clientDataJSON: toText(response.clientDataJSON),
      transports: response.getTransports?.() ?? [],
    },
  };
}

/** Shows a passkey that is registered. */
export async function prove({ publicKey }) {
  const credential = await navigator.credentials.get({
    publicKey: { ...publicKey, challenge: toBytes(publicKey.challenge), allowCredentials: withBytes(publicKey.allowCredentials) },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    extensions: credential.getClientExtensionResults(),
    response: {
      authenticatorData: toText(response.authenticatorData),
      clientDataJSON: toText(response.clientDataJSON),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
}
