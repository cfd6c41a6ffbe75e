// What can be done with a card: move the line, press a button, answer what the button asks.

import { drawnIn } from "./cutout.js";
import { announce } from "./talk.js";
import { newEventId, press } from "./wire.js";

const GIVE_UP_MS = 30000;
const pressed = new Map(); // event id → the buttons that wait for its answer

export function startCards({ onFill, onSend, onPick }) {
  document.addEventListener("input", (event) => {
    if (event.target.matches(".compare-range")) moveLine(event.target);
  });
  document.addEventListener("click", (event) => {
    const target = event.target.closest("button, a, summary");
    closeMenus(event.target.closest("details.more"));
    if (!target) return;
    const { token, fill, send, copy, reason } = target.dataset;
    if (target.closest(".menu")) target.closest("details.more").open = false;
    if (token) ask(target);
    else if (fill !== undefined) onFill(fill);
    else if (send !== undefined) onSend(send);
    else if (copy !== undefined) copyCode(target, copy);
    else if (reason !== undefined) target.form.elements.reason.value = reason;
    else if ("pick" in target.dataset) onPick();
  });
  document.addEventListener("keydown", (event) => {
    const open = document.querySelector("details.more[open]");
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("packshot:line", ({ detail }) => release(detail.eventId, detail.element));
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
  }
  const colour = document.querySelector('input[name="colour"]');
  const custom = document.querySelector('input[value="custom"]');
  colour.addEventListener("input", () => (custom.checked = true));
  custom.addEventListener("change", () => custom.checked && colour.click());
}

function moveLine(range) {
  range.parentElement.style.setProperty("--split", `${range.value}%`);
  range.setAttribute("aria-valuetext", `${range.value}% before, ${100 - range.value}% after`);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.more[open]")) if (menu !== except) menu.open = false;
}

async function ask(button) {
  const { token, asks, stores, sku } = button.dataset;
  if (asks === "confirm") {
    document.querySelector("#ask-confirm [data-stores]").textContent = stores || "the shop";
    document.querySelector("#ask-confirm [data-sku]").textContent = sku || "it";
    if (await answered("ask-confirm")) send(button, { token });
  } else if (asks === "reason") {
    const form = await answered("ask-reason");
    if (form) send(button, { token, text: form.get("reason").trim() });
  } else if (asks === "recipe") {
    const form = await answered("ask-recipe");
    if (form) send(button, { token, options: recipeOf(form) });
  } else if (asks === "drawn") {
    send(button, { token, options: drawnIn(button.closest("[data-cutout]")) });
  } else {
    send(button, { token });
  }
}

function recipeOf(form) {
  const background = form.get("background") === "custom" ? form.get("colour") : form.get("background");
  const typed = (name) => form.get(name).trim();
  // A number that was typed counts, whatever is chosen above it.
  const said = {
    background, shadow: form.get("shadow"), brightness: form.get("brightness"), margin: typed("margin"), white: typed("white"),
    aspect: form.get("aspect"), scale: typed("scale-number") || form.get("scale"), thing: typed("thing"),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value));
}

// Show a dialog; resolve with what was filled in, or null when it was left.
function answered(id) {
  const dialog = document.getElementById(id);
  const form = dialog.querySelector("form");
  form.reset();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const onClose = () => resolve(dialog.returnValue === "ok" ? new FormData(form) : null);
    dialog.addEventListener("close", onClose, { once: true });
  });
}

async function send(button, { token, text, options }) {
  const eventId = newEventId();
  const card = button.closest("section");
  const waiting = [...card.querySelectorAll("[data-token]")];
  for (const each of waiting) each.disabled = true;
  card.setAttribute("aria-busy", "true");
  pressed.set(eventId, { button, card, waiting });
  setTimeout(release, GIVE_UP_MS, eventId);
  try {
    await press({ token, text, options, eventId });
  } catch (error) {
    release(eventId);
    const problem = document.getElementById("problem");
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

// The answer is here: in this card (then it was replaced) or beside it. A question stays answered,
// unless the answer was refused.
function release(eventId, answer = null) {
  const press = pressed.get(eventId);
  if (!press) return;
  pressed.delete(eventId);
  press.card.removeAttribute("aria-busy");
  if (answer && press.card.matches(".ask") && !answer.querySelector(".notice.warn")) {
    press.button.setAttribute("aria-pressed", "true");
    return;
  }
  for (const each of press.waiting) each.disabled = false;
}

async function copyCode(button, code) {
  try {
    await navigator.clipboard.writeText(code);
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    // Without https a browser has no clipboard for us: select it for the person's own copy.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
  }
}
