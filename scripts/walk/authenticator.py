"""A passkey in software: what a phone does when its owner touches it (WebAuthn Level 2, ES256, no attestation)."""

import base64, hashlib, json, os, struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One passkey of one person, for one site."""

    def __init__(self, origin):
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.site = None
        self.handle = b""
        self.count = 0

    def _client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, flags):
        self.count += 1
        return hashlib.sha256(self.site.encode()).digest() + struct.pack(">BI", flags, self.count)

    def create(self, options):
        """Answers `navigator.credentials.create`, given what the server sent for it."""
        options = options.get("publicKey", options)
        self.site = options["rp"]["id"]
        self.handle = decode(options["user"]["id"])
        client = self._client_data("webauthn.create", options["challenge"])
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        data = self._data(PRESENT | VERIFIED | ATTESTED) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor.encode(cose)
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"attestationObject": encode(attestation), "clientDataJSON": encode(client), "transports": ["internal"]}
        return self._credential(response)

    def get(self, options):
        """Answers `navigator.credentials.get`."""
        options = options.get("publicKey", options)
        self.site = options.get("rpId", self.site)
        client = self._client_data("webauthn.get", options["challenge"])
        data = self._data(PRESENT | VERIFIED)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": encode(data), "clientDataJSON": encode(client), "signature": encode(signature), "userHandle": encode(self.handle)}
        return self._credential(response)

    def _credential(self, response):
        return {"id": encode(self.id), "rawId": encode(self.id), "type": "public-key", "response": response, "extensions": {}}
