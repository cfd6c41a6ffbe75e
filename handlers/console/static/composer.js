// The box at the bottom: words, photos by button, camera, drag or paste, and sending them as one.

import { announce, echo } from "./talk.js";
import { newEventId, say } from "./wire.js";

const MAX_PHOTOS = 20;
const form = document.getElementById("composer");
const box = document.getElementById("say");
const chips = document.getElementById("chips");
const problem = document.getElementById("problem");
const progress = document.getElementById("progress");
const dropzone = document.getElementById("dropzone");
const pickers = [document.getElementById("files"), document.getElementById("camera")];
const maxBytes = Number(document.body.dataset.maxUploadBytes);
let photos = [];

export function startComposer() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  box.addEventListener("input", () => (problem.hidden = true));
  for (const picker of pickers) {
    picker.addEventListener("change", () => {
      attach([...picker.files]);
      picker.value = "";
      box.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input:not([type=range]), textarea") || document.querySelector("dialog[open]");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    box.focus();
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    attach(files);
    box.focus();
  });
  startDrop();
}

export function fillBox(words) {
  box.value = words;
  box.focus();
  box.setSelectionRange(words.length, words.length);
}

export function pickFiles() {
  pickers[0].click();
}

export function sendText(text) {
  dispatch({ text, files: [] });
}

function startDrop() {
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    dropzone.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    dropzone.hidden = depth === 0;
  });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    dropzone.hidden = true;
    attach([...event.dataTransfer.files]);
    box.focus();
  });
}

function attach(files) {
  problem.hidden = true;
  const room = MAX_PHOTOS - photos.length;
  if (files.length > room) complain(`${MAX_PHOTOS} photos are the most in one go: send the rest next.`);
  for (const file of files.slice(0, room)) {
    const photo = { file, chip: document.createElement("li") };
    photo.chip.className = "chip";
    photo.chip.append(thumbnail(file), removal(photo));
    photos.push(photo);
    chips.append(photo.chip);
  }
  announce(`${photos.length} ${photos.length === 1 ? "photo" : "photos"} attached`);
}

function removal(photo) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", `Remove ${photo.file.name || "photo"}`);
  button.addEventListener("click", () => {
    photos = photos.filter((other) => other !== photo);
    photo.chip.remove();
    box.focus();
  });
  return button;
}

// Drawn on a canvas: the page's policy allows no blob: addresses, and a 12 MP photo shrinks at once.
function thumbnail(file) {
  const words = document.createElement("span");
  words.className = "chip-name";
  words.textContent = file.name || "photo";
  createImageBitmap(file).then(
    (bitmap) => {
      const scale = Math.min(1, 360 / Math.min(bitmap.width, bitmap.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      bitmap.close();
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", file.name || "photo");
      words.replaceWith(canvas);
    },
    () => words.classList.add("unreadable"), // HEIC, or no picture at all: the bot will say which
  );
  return words;
}

function submit() {
  const files = photos.map((photo) => photo.file);
  const isTable = files.length > 0 && files.every((file) => /\.csv$/i.test(file.name));
  const text = box.value.trim() || (isTable ? "import" : ""); // the other chats need no caption either
  if (!text && !files.length) return box.focus();
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > maxBytes * 0.99) {
    return complain(`That is ${Math.round(size / 1e6)} MB, and ${Math.round(maxBytes / 1e6)} MB go in one go: send fewer or smaller photos.`);
  }
  const pictures = photos.map((photo) => shot(photo.chip.firstElementChild));
  photos = [];
  chips.replaceChildren();
  box.value = "";
  problem.hidden = true;
  dispatch({ text, files, pictures });
}

function shot(picture) {
  const frame = document.createElement("span");
  frame.className = "shot";
  frame.append(picture.matches("canvas") ? picture : picture.textContent);
  return frame;
}

function dispatch({ text, files, pictures = [] }) {
  const eventId = newEventId();
  const fail = echo({ eventId, text, pictures, onRetry: attempt });
  async function attempt() {
    progress.hidden = files.length === 0;
    progress.value = 0;
    try {
      await say({ text, photos: files, eventId, onProgress: (part) => (progress.value = part) });
    } catch (error) {
      fail(error.message);
    } finally {
      progress.hidden = true;
    }
  }
  attempt();
}

function complain(sentence) {
  problem.textContent = sentence;
  problem.hidden = false;
}
