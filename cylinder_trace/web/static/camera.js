// The webcam: frames to the server's decoder, at most four a second and never two on their way.

const FRAME_WIDTH = 960;
const BETWEEN_FRAMES_MS = 250;
const AGAIN_AFTER_MS = 3000;
const SURE_AT_ONCE = /qr|data ?matrix|aztec|pdf/i;

// `post(blob)` gives the decoder's answer; `several(codes)` asks a person to choose. Gives {start, stop}.
export function camera(video, { post, scanned, several, paused }) {
  const canvas = document.createElement("canvas");
  const seen = new Map();
  let stream = null;
  let before = "";

  function took(codes) {
    const known = [...new Map(codes.filter((one) => one.code).map((one) => [one.code, one])).values()];
    several(known.length > 1 ? known.map((one) => one.code) : []);
    const now = performance.now();
    const fresh = known.length === 1 && now - (seen.get(known[0].code) ?? -Infinity) > AGAIN_AFTER_MS;
    for (const one of known) if (!fresh) seen.set(one.code, now);
    // One-dimensional codes are misread now and then: believe them when two frames in a row agree.
    const agreed = known.length === 1 && (SURE_AT_ONCE.test(known[0].symbology) || before === known[0].code);
    before = known.length === 1 ? known[0].code : "";
    if (!fresh || !agreed) return;
    seen.set(known[0].code, now);
    scanned(known[0].text);
  }

  async function frames(mine) {
    while (stream === mine) {
      const begun = performance.now();
      if (!paused() && !document.hidden && video.videoWidth) {
        canvas.width = Math.min(FRAME_WIDTH, video.videoWidth);
        canvas.height = Math.round((video.videoHeight * canvas.width) / video.videoWidth);
        canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
        const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.6));
        const answer = blob && await post(blob).catch(() => null);
        if (answer && stream === mine) took(answer.codes ?? []);
      }
      const left = BETWEEN_FRAMES_MS - (performance.now() - begun);
      await new Promise((done) => setTimeout(done, Math.max(left, 10)));
    }
  }

  return {
    get on() { return stream !== null; },
    async start() {
      const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      frames(stream);
    },
    stop() {
      stream?.getTracks().forEach((track) => track.stop());
      stream = null;
      video.srcObject = null;
      video.hidden = true;
      several([]);
    },
  };
}
