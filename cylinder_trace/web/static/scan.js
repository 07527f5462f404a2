// The operator's page: a code comes in, is kept, is sent, and the answer fills the screen.

import { camera } from "./camera.js";
import { newEventId, openWaiting } from "./waiting.js";
import { listen } from "./wedge.js";

const page = document.getElementById("scan");
const find = (id) => document.getElementById(id);
const words = JSON.parse(page.dataset.words);
const lang = page.dataset.lang;
const person = page.dataset.person;
const SIGNS = { PASS: "✓", DONE: "✓", ASK: "?", KEPT: "…", STOP: "✕", REFUSED: "✕" };
const TONES = { PASS: [880, 1320], DONE: [880], ASK: [520, 520], KEPT: [520], STOP: [180, 180, 180], REFUSED: [180, 180, 180] };
const ANSWER_WITHIN_MS = 4000;
const LONGEST_PAUSE_MS = 60_000;
const NEEDS = { fill: "gas_mass_kg", ship: "to_site", deliver: "to_site", receive: "from_site", return: "from_site" };
let action = "check";
let token = document.querySelector("meta[name=csrf-token]").content;
let sound = null;

// --- what is sent ---------------------------------------------------------------------------------------------

async function renewToken() {
  const text = await (await fetch("/scan", { credentials: "same-origin" })).text();
  const found = new DOMParser().parseFromString(text, "text/html");
  if (!found.getElementById("scan")) return false; // the sign-in page came instead
  token = found.querySelector("meta[name=csrf-token]").content;
  return true;
}

async function post(address, body, type) {
  const sent = () => fetch(address, {
    method: "POST", body, credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    headers: { "Content-Type": type, "X-CSRFToken": token },
  });
  let response = await sent();
  const json = (one) => (one.headers.get("Content-Type") ?? "").includes("json");
  // A page open since yesterday has an old token; the error page that says so is no JSON.
  if (response.status === 400 && !json(response) && await renewToken()) response = await sent();
  return { status: response.status, answer: json(response) ? await response.json() : null };
}

// Gives {done} with the server's answer, {refused} with its words, or {kept} where it must be sent again.
async function send(scan) {
  const { person: _owner, state: _state, why: _why, ...message } = scan;
  try {
    const { status, answer } = await post("/scan", JSON.stringify(message), "application/json");
    if (status === 401 || status === 0) { notice(words.sign_in_again); return { kept: true }; }
    if (status === 200 && answer) {
      const refusal = answer.receipt?.status === "refused" ? answer.receipt.refusal : null;
      return refusal ? { refused: refusal[lang] } : { done: answer };
    }
    if (answer && [400, 403, 409, 422].includes(status)) return { refused: answer[lang] ?? answer.error };
  } catch (problem) {
    if (!(problem instanceof TypeError || problem instanceof DOMException || problem instanceof SyntaxError)) throw problem;
  }
  return { kept: true };
}

// Listening from the first moment: a scan typed while the store opens must not lose its beginning.
const early = [];
let ready = (text) => early.push(text);
listen((text) => ready(text), () => { notice(words.torn); play("REFUSED"); });
const waiting = await openWaiting();
let sending = false;
let pause = 2000;

async function settle(scan, outcome) {
  if (outcome.done) await waiting.drop(scan.event_id);
  if (outcome.refused) await waiting.put({ ...scan, state: "refused", why: outcome.refused });
}

async function sendWaiting() {
  if (!sending) {
    sending = true;
    try {
      const mine = (await waiting.all()).filter((scan) => scan.state === "waiting" && scan.person === person);
      for (const scan of mine) {
        const outcome = await send(scan);
        await settle(scan, outcome);
        pause = outcome.kept ? Math.min(pause * 2, LONGEST_PAUSE_MS) : 2000;
        if (outcome.kept) break;
        notice("");
      }
      await count();
    } finally { sending = false; }
  }
}

async function again() {
  await sendWaiting();
  setTimeout(again, pause);
}

// --- what comes in --------------------------------------------------------------------------------------------

function details() {
  const given = {};
  for (const label of document.querySelectorAll("[data-for]")) {
    const input = label.querySelector("input, select");
    if (!label.hidden && input.value.trim()) given[input.id] = input.type === "number" ? Number(input.value) : input.value.trim();
  }
  return given;
}

async function scanned(text) {
  if (find("verdict").open) find("verdict").close();
  const given = details();
  const need = NEEDS[action];
  if (need && !(need in given)) {
    notice(need === "gas_mass_kg" ? words.mass_first : words.site_first);
    play("REFUSED");
    find(need).focus();
    return;
  }
  notice("");
  const nowMs = Date.now();
  const scan = {
    event_id: newEventId(nowMs), occurred_at: new Date(nowMs).toISOString(), action, code: text, ...given, person, state: "waiting",
  };
  const asking = action === "check"; // a question records nothing, so there is nothing to keep
  if (!asking) await waiting.put(scan);
  // A scan in hand goes first; what waits follows behind it. The same event sent twice is recorded once.
  const outcome = await send(scan);
  if (!asking) await settle(scan, outcome);
  if (!asking && action === "fill") find("gas_mass_kg").value = "";
  show(scan, outcome);
  await count();
}

// A person lets a fill go on: an event like any scan, and nothing is sent without a reason and a name.
let objected = null; // the code and the rules that objected to filling it

async function letGo() {
  const [why, who] = ["reason", "approved_by"].map((id) => find(id).value.trim());
  if (!objected || !why || !who) return;
  const nowMs = Date.now();
  const scan = {
    event_id: newEventId(nowMs), occurred_at: new Date(nowMs).toISOString(), action: "override", code: objected.code,
    overrides: objected.rules, reason: why, approved_by: who, person, state: "waiting",
  };
  objected = null;
  await waiting.put(scan);
  const outcome = await send(scan);
  await settle(scan, outcome);
  show(scan, outcome);
  await count();
}

function release(open) {
  find("release").hidden = !open;
  find("let-go").hidden = open || !objected;
  for (const one of [find("go-on"), find("go-on").nextElementSibling]) one.hidden = open;
  if (open) find("reason").focus();
  else find("release").reset();
}

// --- what is shown --------------------------------------------------------------------------------------------

function notice(text) {
  find("notice").textContent = text;
  find("notice").hidden = !text;
}

function show(scan, outcome) {
  const { verdict } = outcome.done ?? {};
  const released = scan.action === "override";
  const findings = released ? [] : outcome.done?.findings ?? []; // that it was let go is what was meant
  let kind = outcome.refused ? "REFUSED" : "KEPT";
  if (outcome.done) kind = verdict ? verdict.decision : findings.length ? "ASK" : "DONE";
  const reasons = (verdict?.reasons ?? []).map((one) => [one[`title_${lang}`], one[`fact_${lang}`], one[`remedy_${lang}`], one[`law_${lang}`].join(lang === "zh" ? "；" : "; ")]);
  if (outcome.refused) reasons.push(["", outcome.refused, ""]);
  if (outcome.kept) reasons.push(["", words[scan.action === "check" || scan.action.startsWith("fill") ? "kept_text" : "waiting_hint"], ""]);
  if (!verdict && findings.length) reasons.push([words.findings, findings.map((one) => one[lang]).join(lang === "zh" ? "、" : ", "), ""]);
  if (released && outcome.done) reasons.push(["", words.let_go_done, ""]);
  objected = verdict && verdict.decision !== "PASS"
    ? { code: scan.code, rules: verdict.reasons.map((one) => one.rule) } : null;
  const box = find("verdict");
  release(false);
  box.className = kind;
  box.querySelector(".sign").textContent = SIGNS[kind];
  box.querySelector("h2").textContent = words[kind === "KEPT" && scan.action === "check" ? "ASK" : kind === "DONE" ? "DONE" : kind];
  box.querySelector(".code").textContent = outcome.done?.code ?? scan.code;
  box.querySelector("ul").replaceChildren(...reasons.map(reason));
  if (box.open) box.close();
  box.showModal();
  play(kind);
  // Good news leaves by itself; what needs a person waits for one.
  if (kind === "PASS" || kind === "DONE") {
    const shownFor = scan.event_id;
    box.dataset.scan = shownFor;
    setTimeout(() => { if (box.open && box.dataset.scan === shownFor) box.close(); }, 2500);
  } else delete box.dataset.scan;
  remember(scan, kind, outcome.done?.code ?? scan.code);
}

function reason([title, fact, remedy, law]) {
  const item = document.createElement("li");
  for (const [name, text] of [["b", title], ["span", fact], ["em", remedy && `${words.remedy}: ${remedy}`], ["small", law && `${words.law}: ${law}`]]) {
    if (text) item.append(Object.assign(document.createElement(name), { textContent: text }));
  }
  return item;
}

function remember(scan, kind, code) {
  const item = document.createElement("li");
  item.className = kind;
  const at = new Date(scan.occurred_at).toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
  for (const [name, text] of [["time", at], ["b", `${SIGNS[kind]} ${words[kind]}`], ["span", words[scan.action]], ["code", code]]) {
    item.append(Object.assign(document.createElement(name), { textContent: text }));
  }
  find("last").prepend(item);
  while (find("last").children.length > 12) find("last").lastElementChild.remove();
}

async function count() {
  const all = await waiting.all();
  const mine = all.filter((scan) => scan.state === "waiting" && scan.person === person);
  const others = all.filter((scan) => scan.state === "waiting" && scan.person !== person);
  const refused = all.filter((scan) => scan.state === "refused" && scan.person === person);
  find("waiting").hidden = mine.length + others.length === 0;
  find("waiting").querySelector("b").textContent = String(mine.length);
  find("waiting").title = words.waiting_hint;
  if (others.length && find("notice").hidden) notice(words.other_person.replace("{n}", others.length));
  find("tray").hidden = refused.length === 0;
  find("tray").querySelector("ol").replaceChildren(...refused.map((scan) => {
    const item = reason([scan.code, `${words[scan.action]} · ${scan.why}`, ""]);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: words.discard });
    button.addEventListener("click", async () => { await waiting.drop(scan.event_id); await count(); });
    item.append(button);
    return item;
  }));
}

function play(kind) {
  if (!sound) return;
  TONES[kind].forEach((pitch, place) => {
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    const begin = sound.currentTime + place * 0.18;
    tone.type = pitch < 300 ? "square" : "sine";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.25, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.16);
    tone.connect(volume).connect(sound.destination);
    tone.start(begin);
    tone.stop(begin + 0.17);
  });
}

// --- wiring ---------------------------------------------------------------------------------------------------

function choose(button) {
  action = button.dataset.action;
  for (const one of find("actions").children) {
    one.setAttribute("aria-checked", String(one === button));
    one.tabIndex = one === button ? 0 : -1;
  }
  for (const label of document.querySelectorAll("[data-for]")) label.hidden = !label.dataset.for.split(" ").includes(action);
}

find("actions").addEventListener("click", (event) => { if (event.target.dataset.action) choose(event.target); });
find("actions").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const all = [...find("actions").children];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  choose(next);
  next.focus();
  event.preventDefault();
});
choose(find("actions").firstElementChild);
find("by-hand").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = find("code").value.normalize("NFKC").trim();
  find("code").value = "";
  if (text) scanned(text);
});
find("go-on").addEventListener("click", () => find("verdict").close());
find("let-go").addEventListener("click", () => release(true));
find("release-back").addEventListener("click", () => { release(false); find("go-on").focus(); });
find("release").addEventListener("submit", (event) => { event.preventDefault(); letGo(); });
ready = scanned;
early.forEach((text) => scanned(text));
const view = camera(find("view"), {
  post: async (blob) => (await post("/scan/frame", blob, "image/jpeg")).answer,
  scanned,
  several: (codes) => find("choices").replaceChildren(...(codes.length ? [words.camera_several] : []), ...codes.map((code) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: code });
    button.addEventListener("click", () => scanned(code));
    return button;
  })),
  paused: () => find("verdict").open,
});
find("camera").addEventListener("click", async () => {
  if (view.on) view.stop();
  else await view.start().catch(() => { view.stop(); notice(words.camera_denied); });
  find("camera").textContent = view.on ? words.camera_off : words.camera_on;
});
// Browsers let a page sound only after it was touched or typed into. Not at once: making it takes longer than a scanner
// waits between two keys, and the first scan of the day would come in pieces.
for (const touch of ["pointerdown", "keydown"]) {
  const ready = () => { sound ??= new AudioContext(); sound.resume(); };
  document.addEventListener(touch, () => setTimeout(ready, 500), { once: true, capture: true });
}
addEventListener("online", () => { pause = 2000; sendWaiting(); });
again();
page.dataset.ready = "yes";
