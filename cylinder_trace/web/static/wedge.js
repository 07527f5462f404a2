// A USB scanner that types, told from a person by its speed, wherever the focus is and whatever an IME does.

const LONGEST_GAP_MS = 80;
const SAME_SCAN_MS = 1000;
const FEWEST_CHARACTERS = 6;
const MOST_CHARACTERS = 512;
const PLAIN = {
  Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", Semicolon: ";:", Quote: "'\"",
  Backquote: "`~", Comma: ",<", Period: ".>", Slash: "/?", Space: "  ",
  NumpadDecimal: "..", NumpadDivide: "//", NumpadSubtract: "--", NumpadAdd: "++", NumpadMultiply: "**",
};
const SHIFTED_DIGITS = ")!@#$%^&*(";

// The character a key stands for on the US layout that scanners type in; "" for keys that write nothing.
export function characterOf(code, shift, capsLock) {
  if (/^Key[A-Z]$/.test(code)) return shift !== capsLock ? code[3] : code[3].toLowerCase();
  if (/^Digit[0-9]$/.test(code)) return shift ? SHIFTED_DIGITS[Number(code[5])] : code[5];
  if (/^Numpad[0-9]$/.test(code)) return code[6];
  return code in PLAIN ? PLAIN[code][shift ? 1 : 0] : "";
}

function read(event) {
  if (event.ctrlKey && event.code === "BracketRight") return "\x1d"; // how scanners type GS
  if (event.ctrlKey || event.altKey || event.metaKey) return "";
  // While an IME composes, only `code` tells the key; and it turns / . : into signs that NFKC does not turn back.
  const hidden = event.key === "Process" || event.keyCode === 229 || event.isComposing;
  if (!hidden && event.key.length === 1 && event.key.charCodeAt(0) < 127) return event.key;
  if (!hidden && event.key.length !== 1) return "";
  return characterOf(event.code, event.shiftKey, event.getModifierState("CapsLock"));
}

function editable(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

// Calls `scanned(text)` for every code a scanner types into the page, and `torn()` where the keys came so unevenly that
// the beginning may be missing: half a code must never pass for a whole one. Gives a function that stops listening.
export function listen(scanned, torn, root = document) {
  let text = "";
  let last = -Infinity;
  let broken = false;
  let field = null; // where the burst began, and what stood there before
  const forget = () => { text = ""; field = null; };

  function keyed(event) {
    if (event.repeat) return forget();
    const gap = event.timeStamp - last;
    const ends = event.key === "Enter" || event.key === "Tab" || /^(Enter|NumpadEnter|Tab)$/.test(event.code);
    if (ends) {
      if (gap <= LONGEST_GAP_MS && text.length >= FEWEST_CHARACTERS) {
        event.preventDefault();
        event.stopImmediatePropagation();
        const found = text.normalize("NFKC").trim();
        if (field) {
          const { target, value } = field;
          target.blur(); // ends the IME's composition, which would otherwise write the code once more
          target.value = value;
          setTimeout(() => { target.value = value; target.focus(); });
        }
        if (broken) torn();
        else scanned(found);
      }
      broken = false;
      return forget();
    }
    const character = read(event);
    if (!character) return undefined; // Shift and the like
    if (gap > LONGEST_GAP_MS) broken = text.length > 0 && gap < SAME_SCAN_MS;
    if (gap > LONGEST_GAP_MS || text.length >= MOST_CHARACTERS) forget();
    last = event.timeStamp;
    if (editable(event.target) && field?.target !== event.target) {
      text = ""; // the focus moved, so this is another burst
      field = { target: event.target, value: event.target.value };
    }
    text += character;
    // Outside of fields a burst must not press buttons or open the browser's quick search.
    if ((text.length > 1 && !editable(event.target)) || character === "\x1d") event.preventDefault();
    return undefined;
  }

  root.addEventListener("keydown", keyed, true);
  return () => root.removeEventListener("keydown", keyed, true);
}
