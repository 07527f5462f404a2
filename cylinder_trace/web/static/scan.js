// The operator's page: one scan, one answer that fills the screen; what can not be sent is kept here and sent later.
"use strict";
(() => {
  const page = document.getElementById("station");
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const KEPT = "cylinder-trace-kept";
  const byId = (id) => document.getElementById(id);
  const kept = () => JSON.parse(localStorage.getItem(KEPT) || "[]");
  const keep = (scans) => { localStorage.setItem(KEPT, JSON.stringify(scans)); byId("waiting").textContent = scans.length; };
  const english = page.dataset.lang === "en";
  const SIGNS = { PASS: "✓", ASK: "?", STOP: "✕", stored: "✓", kept: "↻", refused: "✕" };

  function eventId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    let ms = Date.now();
    for (let place = 5; place >= 0; place--) { bytes[place] = ms % 256; ms = Math.floor(ms / 256); }
    bytes[6] = (bytes[6] & 15) | 112;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  function show(state, why, code) {
    byId("verdict").className = "card verdict " + state;
    byId("sign").textContent = SIGNS[state] || "▢";
    byId("word").textContent = page.dataset[state.toLowerCase()] || state;
    byId("why").textContent = why || "";
    if (code) {
      const line = document.createElement("li");
      line.textContent = new Date().toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai" }) + " " + code + " " + byId("word").textContent;
      byId("last").prepend(line);
      while (byId("last").children.length > 30) byId("last").lastChild.remove();
    }
    sound(state);
  }

  let audio;
  function sound(state) {
    try {
      audio = audio || new AudioContext();
      const tone = audio.createOscillator();
      tone.frequency.value = state === "PASS" || state === "stored" ? 880 : state === "STOP" || state === "refused" ? 220 : 440;
      tone.connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + (state === "STOP" ? 0.6 : 0.15));
    } catch (error) { /* a browser without sound still shows the verdict */ }
  }

  async function send(scan) {
    const response = await fetch("/scan", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body: JSON.stringify(scan) });
    if (response.status >= 500 || response.status === 401) throw new Error("away");
    return { status: response.status, body: await response.json() };
  }

  function answered(scan, answer) {
    const { verdict, receipt } = answer.body;
    if (answer.status >= 400) return show("refused", english ? answer.body.en : answer.body.zh, scan.code);
    if (receipt && receipt.status === "refused") return show("refused", english ? receipt.refusal.en : receipt.refusal.zh, answer.body.code);
    if (verdict) {
      const why = verdict.reasons.map((one) => english ? one.fact_en + " " + one.remedy_en : one.fact_zh + one.remedy_zh).join("\n");
      return show(verdict.decision, why, answer.body.code);
    }
    return show("stored", (receipt && receipt.findings || []).join(" "), answer.body.code);
  }

  let lastText = "";
  let lastAt = 0;
  async function scanned(text) {
    const now = Date.now();
    if (text === lastText && now - lastAt < 2000) return;
    lastText = text; lastAt = now;
    const action = document.querySelector('input[name="action"]:checked').value;
    const scan = { action, code: text, event_id: eventId(), occurred_at: new Date().toISOString() };
    if (["check", "fill-check", "fill"].includes(action)) scan.medium = byId("medium").value;
    if (action === "fill") scan.gas_mass_kg = Number(byId("gas_mass_kg").value);
    if (action === "fill-check" || action === "post-check") scan.result = "pass";
    if (["ship", "receive", "deliver", "return"].includes(action)) { scan.from_site = byId("from_site").value; scan.to_site = byId("to_site").value; }
    if (action !== "check") keep([...kept(), scan]);
    try {
      const answer = await send(scan);
      keep(kept().filter((one) => one.event_id !== scan.event_id));
      answered(scan, answer);
    } catch (error) {
      show(action === "check" ? "ASK" : "kept", "", text);
    }
  }

  async function retry() {
    for (const scan of kept()) {
      try {
        await send(scan);
        keep(kept().filter((one) => one.event_id !== scan.event_id));
      } catch (error) { return; }
    }
  }

  async function watch() {
    const video = byId("video");
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280, height: 720 } });
    video.hidden = false;
    await video.play();
    const canvas = document.createElement("canvas");
    let previous = "";
    for (;;) {
      await new Promise((done) => setTimeout(done, 250));
      if (!video.videoWidth) continue;
      canvas.width = 960;
      canvas.height = Math.round(960 * video.videoHeight / video.videoWidth);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.6));
      try {
        const response = await fetch("/scan/frame", { method: "POST", headers: { "Content-Type": "image/jpeg", "X-CSRFToken": token }, body: frame });
        const codes = response.ok ? (await response.json()).codes.filter((one) => one.code) : [];
        if (codes.length) {
          // Two equal reads in a row: one frame alone may invent a code.
          if (codes[0].text === previous) scanned(codes[0].text);
          previous = codes[0].text;
        }
      } catch (error) { /* the next frame tries again */ }
    }
  }

  listenToScanner(scanned, () => show("refused", page.dataset.torn));
  byId("typed").addEventListener("submit", (event) => { event.preventDefault(); const text = byId("code").value.trim(); byId("code").value = ""; if (text) scanned(text); });
  byId("camera").addEventListener("click", () => watch().catch((error) => show("refused", String(error))));
  keep(kept());
  retry();
  setInterval(retry, 5000);
})();
