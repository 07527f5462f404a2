// A USB scanner types like a keyboard, only faster. While a Chinese input method composes, `key` is "Process", but
// `code` still names the key; so the text is read from the keys themselves. Calls `found(text)` for every scan.
"use strict";
function listenToScanner(found) {
  const GAP_MS = 80;
  const SHIFTED = { Digit1: "!", Digit2: "@", Digit3: "#", Digit4: "$", Digit5: "%", Digit6: "^", Digit7: "&", Digit8: "*", Digit9: "(", Digit0: ")",
    Minus: "_", Equal: "+", BracketLeft: "{", BracketRight: "}", Backslash: "|", Semicolon: ":", Quote: '"', Comma: "<", Period: ">", Slash: "?", Backquote: "~" };
  const PLAIN = { Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Semicolon: ";", Quote: "'", Comma: ",", Period: ".", Slash: "/", Backquote: "`", Space: " ",
    NumpadDecimal: ".", NumpadAdd: "+", NumpadSubtract: "-", NumpadMultiply: "*", NumpadDivide: "/" };
  let text = "";
  let last = 0;
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
    const now = performance.now();
    if (now - last > GAP_MS) text = "";
    last = now;
    if (event.code === "Enter" || event.code === "NumpadEnter" || event.code === "Tab") {
      if (text.length >= 6) {
        event.preventDefault();
        event.stopPropagation();
        const field = document.activeElement;
        if (field && field.tagName === "INPUT") field.value = "";
        found(text.normalize("NFKC"));
      }
      text = "";
      return;
    }
    if (!event.ctrlKey && !event.altKey && !event.metaKey) text += typed(event);
  }, true);
}
