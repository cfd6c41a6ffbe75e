// Correcting a cut-out: boxes and points drawn on the photo with a mouse, a pen or a finger. What is drawn
// goes out as percent of the photo, as a person could have typed it.

const LEAST_PX = 8; // a shorter drag was a tap
const drawn = new WeakMap(); // editor → its marks

export function startCutouts() {
  document.addEventListener("pointerdown", begin);
  document.addEventListener("click", (event) => {
    const unmark = event.target.closest("[data-unmark]");
    if (unmark) removeMark(unmark.closest("[data-cutout]"), Number(unmark.dataset.unmark));
  });
}

// What was drawn, as options: { keep: "10x20x30x40+55x60", remove: … }.
export function drawnIn(editor) {
  const options = {};
  for (const { kind, place } of drawn.get(editor) ?? []) options[kind] = options[kind] ? `${options[kind]}+${place}` : place;
  return options;
}

function begin(event) {
  const photo = event.target.closest(".cutout-photo");
  const editor = photo?.closest("[data-cutout]");
  if (!editor || event.button !== 0 || editor.querySelector('[data-asks="drawn"]').getAttribute("aria-pressed")) return;
  event.preventDefault();
  const mark = document.createElement("span");
  mark.className = `mark ${kindOf(editor)}`;
  photo.append(mark);
  photo.setPointerCapture(event.pointerId);
  const from = at(photo, event);
  lay(mark, from, from);

  const onMove = (move) => lay(mark, from, at(photo, move));
  const onEnd = (end) => {
    photo.removeEventListener("pointermove", onMove);
    photo.removeEventListener("pointerup", onEnd);
    photo.removeEventListener("pointercancel", onEnd);
    if (end.type === "pointercancel") return mark.remove();
    finish(editor, mark, from, at(photo, end));
  };
  photo.addEventListener("pointermove", onMove);
  photo.addEventListener("pointerup", onEnd);
  photo.addEventListener("pointercancel", onEnd);
}

function finish(editor, mark, from, to) {
  const isTap = Math.hypot(to.px - from.px, to.py - from.py) < LEAST_PX;
  if (isTap) lay(mark, from, from);
  mark.classList.toggle("point", isTap);
  const [x, y] = [[from.x, to.x], [from.y, to.y]].map((pair) => pair.sort((a, b) => a - b));
  const place = isTap ? [from.x, from.y] : [x[0], y[0], x[1], y[1]];
  const marks = [...(drawn.get(editor) ?? []), { kind: kindOf(editor), place: place.map(percent).join("x"), mark }];
  drawn.set(editor, marks);
  list(editor, marks);
}

function removeMark(editor, index) {
  const marks = drawn.get(editor);
  marks.splice(index, 1)[0].mark.remove();
  list(editor, marks);
}

function list(editor, marks) {
  editor.querySelector('[data-asks="drawn"]').disabled = marks.length === 0;
  editor.querySelector(".cutout-marks").replaceChildren(
    ...marks.map(({ kind, mark }, index) => {
      mark.textContent = `${kind === "keep" ? "+" : "−"}${index + 1}`; // the photo's own parts have plain numbers
      const item = document.createElement("li");
      const shape = mark.classList.contains("point") ? "point" : "box";
      const words = `${kind === "keep" ? "Keep" : "Remove"} ${shape} ${index + 1}`;
      const cross = document.createElement("button");
      cross.type = "button";
      cross.dataset.unmark = String(index);
      cross.textContent = "×";
      cross.setAttribute("aria-label", `Take back: ${words}`);
      item.append(words, cross);
      return item;
    }),
  );
}

function kindOf(editor) {
  return editor.querySelector('input[type="radio"]:checked').value;
}

// Where a pointer is: 0..1 of the photo, and in pixels of the screen.
function at(photo, event) {
  const box = photo.getBoundingClientRect();
  const inside = (value) => Math.min(1, Math.max(0, value));
  return {
    x: inside((event.clientX - box.left) / box.width),
    y: inside((event.clientY - box.top) / box.height),
    px: event.clientX,
    py: event.clientY,
  };
}

function lay(mark, from, to) {
  mark.style.left = `${Math.min(from.x, to.x) * 100}%`;
  mark.style.top = `${Math.min(from.y, to.y) * 100}%`;
  mark.style.width = `${Math.abs(to.x - from.x) * 100}%`;
  mark.style.height = `${Math.abs(to.y - from.y) * 100}%`;
}

function percent(ratio) {
  return String(Math.round(ratio * 1000) / 10);
}
