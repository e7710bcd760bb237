// Solves a puzzle of supporters/puzzles.py beside the page: looks for the number whose derived key begins as asked.
const octets = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const written = (derived) => Array.from(derived, (octet) => octet.toString(16).padStart(2, "0")).join("");

async function derive({ nonce, salt, cost, keyLength }, counter) {
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  new DataView(password.buffer).setUint32(nonce.length, counter);
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: cost }, key, keyLength * 8),
  );
}

self.onmessage = async ({ data: challenge }) => {
  const asked = challenge.parameters;
  const given = { ...asked, nonce: octets(asked.nonce), salt: octets(asked.salt) };
  for (let counter = 0; Date.now() < asked.expiresAt * 1000; counter++) {
    const derivedKey = written(await derive(given, counter));
    if (derivedKey.startsWith(asked.keyPrefix)) {
      self.postMessage(btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } })));
      return;
    }
  }
};
