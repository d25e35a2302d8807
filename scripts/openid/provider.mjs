// A real provider on this machine: oidc-provider with one client, which believes whoever types in a name.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

import OpenIdProvider from "oidc-provider";

/** A key for signatures of this kind, as the provider wants it. */
function key(alg) {
  const { privateKey } = alg === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: randomBytes(6).toString("hex") };
}

const PAGE = (uid) => `<!doctype html><title>Provider</title><form method="post" action="/interaction/${uid}"><input name="login" id="login"><button id="go">Go</button></form>`;

export class Provider {
  constructor({ port, back, alg, client = "cantoscribe", method = "client_secret_basic" }) {
    this.port = port;
    this.issuer = `http://127.0.0.1:${port}`;
    this.client = client;
    this.secret = randomBytes(24).toString("base64url");
    const provider = new OpenIdProvider(this.issuer, {
      clients: [{ client_id: client, client_secret: this.secret, redirect_uris: [back], response_types: ["code"], grant_types: ["authorization_code"], token_endpoint_auth_method: method, id_token_signed_response_alg: alg }],
      jwks: { keys: [key(alg)] },
      cookies: { keys: [randomBytes(24).toString("hex")] },
      pkce: { required: () => true },
      clientAuthMethods: [method],
      enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      // Nobody is asked whether the client may know who they are.
      loadExistingGrant: async (context) => {
        const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId });
        grant.addOIDCScope("openid profile");
        await grant.save();
        return grant;
      },
    });
    provider.on("server_error", (_, error) => console.log(`         the provider failed: ${error.stack}`));
    const answer = provider.callback();
    this.handle = async (request, response) => {
      const uid = request.url.match(/^\/interaction\/([\w-]+)$/)?.[1];
      if (uid === undefined) return answer(request, response);
      if (request.method === "GET") {
        response.setHeader("content-type", "text/html");
        return response.end(PAGE(uid));
      }
      let body = "";
      for await (const part of request) body += part;
      return provider.interactionFinished(request, response, { login: { accountId: new URLSearchParams(body).get("login") } });
    };
  }

  /** The settings of `serve --openid` for it. */
  settings(secret, name, chinese) {
    return `[[provider]]\nissuer = "${this.issuer}"\nclient = "${this.client}"\n${secret}\nscopes = ["profile"]\nname = "${name}"\nchinese_name = "${chinese}"\n`;
  }

  start() {
    this.server = createServer((request, response) => void this.handle(request, response));
    return new Promise((done) => this.server.listen(this.port, "127.0.0.1", done));
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}
