// Scans on their way to the server. Each is on disk before it is sent and stays until the server has answered for it.

const DATABASE = "cylinder-trace";
const STORE = "scans";

function asked(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function onDisk() {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "event_id" });
  const database = await asked(opening);
  const committed = (change) => new Promise((done, failed) => {
    const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => done();
    transaction.onabort = transaction.onerror = () => failed(transaction.error);
    change(transaction.objectStore(STORE));
  });
  return {
    put: (scan) => committed((store) => store.put(scan)),
    drop: (id) => committed((store) => store.delete(id)),
    all: () => asked(database.transaction(STORE).objectStore(STORE).getAll()),
  };
}

// Private windows of some browsers have no IndexedDB.
function inLocalStorage() {
  const key = (id) => `${DATABASE}/${id}`;
  return {
    put: async (scan) => localStorage.setItem(key(scan.event_id), JSON.stringify(scan)),
    drop: async (id) => localStorage.removeItem(key(id)),
    all: async () => Object.keys(localStorage).filter((name) => name.startsWith(`${DATABASE}/`))
      .map((name) => JSON.parse(localStorage.getItem(name))),
  };
}

export async function openWaiting() {
  const place = await onDisk().catch(() => inLocalStorage());
  return {
    ...place,
    // Event ids begin with their time, so their order is the order of scanning.
    all: async () => (await place.all()).sort((a, b) => (a.event_id < b.event_id ? -1 : 1)),
  };
}

// UUIDv7 (RFC 9562): 48 bits of Unix time in ms, then random bits.
export function newEventId(nowMs) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let place = 0; place < 6; place += 1) bytes[place] = Math.floor(nowMs / 2 ** (8 * (5 - place))) % 256;
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
