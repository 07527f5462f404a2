// A USB scanner types like a keyboard, only faster. While a Chinese input method composes, `key` is "Process", but
// `code` still names the key; so the text is read from the keys themselves. Calls `found(text)` for every scan, and `torn()` where keys came so
// unevenly that the beginning may be missing: half a code must never pass for a whole one.
"use strict";
function listenToScanner(found, torn) {
  const GAP_MS = 80;
  const SAME_SCAN_MS = 1000;
  const SHIFTED = { Digit1: "!", Digit2: "@", Digit3: "#", Digit4: "$", Digit5: "%", Digit6: "^", Digit7: "&", Digit8: "*", Digit9: "(", Digit0: ")",
    Minus: "_", Equal: "+", BracketLeft: "{", BracketRight: "}", Backslash: "|", Semicolon: ":", Quote: '"', Comma: "<", Period: ">", Slash: "?", Backquote: "~" };
  const PLAIN = { Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Semicolon: ";", Quote: "'", Comma: ",", Period: ".", Slash: "/", Backquote: "`", Space: " ",
    NumpadDecimal: ".", NumpadAdd: "+", NumpadSubtract: "-", NumpadMultiply: "*", NumpadDivide: "/" };
  let text = "";
  let last = 0;
  let broken = false;
  function typed(event) {
    const composing = event.key === "Process" || event.keyCode === 229 || event.isComposing;
    if (!composing && event.key.length === 1) return event.key;
    const code = event.code;
    if (/^Key[A-Z]$/.test(code)) return event.shiftKey !== event.getModifierState("CapsLock") ? code[3] : code[3].toLowerCase();
    if (/^Digit\d$/.test(code)) return event.shiftKey ? SHIFTED[code] : code[5];
    if (/^Numpad\d$/.test(code)) return code[6];
    return (event.shiftKey && SHIFTED[code]) || PLAIN[code] || "";
  }
  document.addEventListener("keydown", (event) => {
    // When the key was pressed, not when a busy page came to hear of it.
    const gap = event.timeStamp - last;
    last = event.timeStamp;
    if (gap > GAP_MS) {
      broken = text.length > 0 && gap < SAME_SCAN_MS;
      text = "";
    }
    if (event.code === "Enter" || event.code === "NumpadEnter" || event.code === "Tab") {
      if (text.length >= 6) {
        event.preventDefault();
        event.stopPropagation();
        const field = document.activeElement;
        if (field && field.tagName === "INPUT") field.value = "";
        if (broken) torn();
        else found(text.normalize("NFKC"));
      }
      text = "";
      broken = false;
      return;
    }
    if (!event.ctrlKey && !event.altKey && !event.metaKey) text += typed(event);
  }, true);
}
