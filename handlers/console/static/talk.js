// The conversation: lines become elements, and a later line with the same key replaces the earlier.
// The only HTML ever inserted is the server's own fragment; what people typed is set as text.

const room = document.getElementById("room");
const talk = document.getElementById("talk");
const welcome = document.getElementById("welcome");
const announcer = document.getElementById("announcer");
const newest = document.getElementById("newest");

const shown = new Map(); // message_key → element
const pending = new Map(); // event id → the bubble shown before the server had it
const NEAR_PX = 160;
let isAtEnd = true;

export function showHistory(lines) {
  for (const line of lines) place(line);
  refresh();
  room.scrollTop = room.scrollHeight;
}

export function showLine(line) {
  const wasNear = isNear();
  const isNew = !shown.has(line.message_key);
  const element = place(line);
  refresh();
  if (!element) return;
  if (line.is_reply) announce(element.querySelector("[data-announce]")?.dataset.announce ?? "");
  else if (!line.is_mine) announce(`${line.author}: ${line.text || "a photo"}`);
  // An older card that changes stays where it is: who reads at the end goes on reading there.
  if (line.is_mine && isNew) reveal(element);
  else if (wasNear && element === talk.lastElementChild) reveal(element);
  else if (isNew) newest.hidden = false;
  if (document.hidden && !line.is_mine) document.title = "● Packshot";
}

// What was just typed, before the server has it. Returns what to call when it could not be sent.
export function echo({ eventId, text, pictures, onRetry }) {
  const element = saidElement({ text, is_mine: true, author: "", at: new Date().toISOString() }, pictures);
  element.classList.add("sending");
  pending.set(eventId, element);
  talk.append(element);
  refresh();
  reveal(element);
  const meta = element.querySelector(".meta");
  meta.textContent = "Sending…";
  return (sentence) => {
    element.classList.replace("sending", "unsent");
    const retry = button("Try again", () => {
      element.classList.replace("unsent", "sending");
      meta.textContent = "Sending…";
      onRetry();
    });
    meta.replaceChildren(sentence, retry);
    announce(sentence);
  };
}

export function announce(words) {
  announcer.textContent = "";
  // A screen reader speaks a change; the same words twice would be none.
  requestAnimationFrame(() => (announcer.textContent = words));
}

function place(line) {
  if (line.gone || (!line.is_reply && !line.text && !line.photos.length)) {
    shown.get(line.message_key)?.remove();
    shown.delete(line.message_key);
    return null;
  }
  const element = line.is_reply ? replyElement(line) : saidElement(line, line.photos.map(photoElement));
  const eventId = line.cause.split(":").at(-1);
  const before = shown.get(line.message_key) ?? (line.is_reply ? null : pending.get(eventId));
  pending.delete(line.is_reply ? null : eventId);
  shown.set(line.message_key, element);
  if (before) swap(before, element);
  else talk.append(element);
  document.dispatchEvent(new CustomEvent("packshot:line", { detail: { eventId, element } }));
  return element;
}

// Keep what the reader had: where the line of the comparison stood, what was unfolded, the focus.
function swap(before, element) {
  const hadFocus = before.contains(document.activeElement);
  const [old, now] = [before.querySelector(".compare"), element.querySelector(".compare")];
  if (old && now && old.dataset.photo === now.dataset.photo) now.replaceWith(old);
  for (const kept of before.querySelectorAll("details[data-keep][open]")) {
    const twin = element.querySelector(`details[data-keep="${kept.dataset.keep}"]`);
    if (twin) twin.open = true;
  }
  before.replaceWith(element);
  if (hadFocus) element.querySelector("h2")?.focus({ preventScroll: true });
}

function replyElement(line) {
  const element = document.createElement("li");
  element.className = "reply";
  element.dataset.key = line.message_key;
  element.innerHTML = line.html;
  localTimes(element);
  return element;
}

function saidElement(line, pictures) {
  const element = document.createElement("li");
  element.className = line.is_mine ? "said" : "said other";
  if (pictures.length) {
    const shots = document.createElement("div");
    shots.className = "shots";
    shots.append(...pictures);
    element.append(shots);
  }
  if (line.text) {
    const bubble = document.createElement("p");
    bubble.className = "bubble";
    bubble.textContent = line.text;
    element.append(bubble);
  }
  const meta = document.createElement("p");
  meta.className = "meta";
  const time = document.createElement("time");
  time.dateTime = line.at;
  if (!line.is_mine) meta.append(line.author);
  meta.append(time);
  element.append(meta);
  localTimes(element);
  return element;
}

function photoElement(address, index) {
  const picture = document.createElement("img");
  picture.className = "shot";
  picture.loading = "lazy";
  picture.alt = `Photo ${index + 1}`;
  picture.src = address;
  // Phones send HEIC, which most browsers cannot show; the bot can still read it.
  picture.addEventListener("error", () => {
    const words = document.createElement("span");
    words.className = "shot";
    words.textContent = picture.alt;
    picture.replaceWith(words);
  });
  return picture;
}

function localTimes(element) {
  for (const time of element.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const isToday = at.toDateString() === new Date().toDateString();
    const day = isToday ? {} : { day: "numeric", month: "short" };
    time.textContent = at.toLocaleString(undefined, { ...day, hour: "numeric", minute: "2-digit" });
    time.title = at.toLocaleString();
  }
}

function button(label, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = label;
  element.addEventListener("click", onClick);
  return element;
}

function refresh() {
  welcome.hidden = talk.childElementCount > 0;
}

function isNear() {
  return room.scrollHeight - room.scrollTop - room.clientHeight < NEAR_PX;
}

// A card taller than the window is shown from its top, anything else from the end.
function reveal(element) {
  if (element.offsetHeight > room.clientHeight) element.scrollIntoView({ block: "start" });
  else if (element === talk.lastElementChild) room.scrollTop = room.scrollHeight;
  else element.scrollIntoView({ block: "nearest" });
}

// A shop's picture may be gone; the row stays readable without it. Errors of pictures do not bubble.
talk.addEventListener(
  "error",
  (event) => {
    if (!event.target.matches("img.thumb")) return;
    const nothing = document.createElement("span");
    nothing.className = "thumb none";
    event.target.replaceWith(nothing);
  },
  true,
);
room.addEventListener(
  "scroll",
  () => {
    isAtEnd = isNear();
    if (isAtEnd) newest.hidden = true;
  },
  { passive: true },
);
// Whoever reads at the end stays there when a card above grows or its picture comes; browsers do not agree on that.
new ResizeObserver(() => {
  if (isAtEnd) room.scrollTop = room.scrollHeight;
}).observe(talk);
document.addEventListener("visibilitychange", () => (document.title = "Packshot"));
newest.addEventListener("click", () => {
  room.scrollTop = room.scrollHeight;
  newest.hidden = true;
});
