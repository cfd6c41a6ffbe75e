// The page put together. Modules: wire (the server), talk (the conversation), cards (what can be
// pressed), cutout (what can be drawn), composer (the box at the bottom).

import { startCards } from "./cards.js";
import { startCutouts } from "./cutout.js";
import { fillBox, pickFiles, sendText, startComposer } from "./composer.js";
import { showHistory, showLine } from "./talk.js";
import { follow, leave } from "./wire.js";

const LOST_AFTER_MS = 1500;
const banner = document.getElementById("banner");
let lostTimer = 0;

function onState(state) {
  clearTimeout(lostTimer);
  if (state === "here") {
    banner.hidden = true;
    return;
  }
  // A reconnect of a second is nothing to tell anybody.
  lostTimer = setTimeout(() => {
    banner.textContent = "Connection lost. What you see may be old; I am reconnecting.";
    banner.hidden = false;
  }, LOST_AFTER_MS);
}

startComposer();
startCutouts();
startCards({ onFill: fillBox, onSend: sendText, onPick: pickFiles });
document.getElementById("leave").addEventListener("click", leave);
follow({ onHistory: showHistory, onLine: showLine, onState });
if (matchMedia("(pointer: fine)").matches) document.getElementById("say").focus();
