// Everything that goes over the wire: one event out, lines in. A message keeps its id when it is
// sent again, so that a lost answer never makes two events of it.

const csrf = document.querySelector('meta[name="csrf"]').content;

export function newEventId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// XMLHttpRequest and not fetch: only it tells how much of an upload has left.
function post(path, form, { eventId, onProgress = () => {} }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("X-CSRF", csrf);
    request.setRequestHeader("X-Event-Id", eventId);
    request.upload.onprogress = (step) => step.lengthComputable && onProgress(step.loaded / step.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(sentenceOf(request))));
    request.onerror = () => reject(new Error("That did not get through: check the connection and try again."));
    request.send(form);
  });
}

function sentenceOf(request) {
  try {
    return JSON.parse(request.responseText).error;
  } catch {
    return `The bot answered ${request.status}: try again.`;
  }
}

export function say({ text, photos, eventId, onProgress }) {
  const form = new FormData();
  form.set("text", text);
  for (const photo of photos) form.append("photo", photo, photo.name || "photo");
  return post("/console/say", form, { eventId, onProgress });
}

export function press({ token, text = "", options = {}, eventId }) {
  const form = new FormData();
  form.set("token", token);
  form.set("text", text);
  for (const [name, value] of Object.entries(options)) form.append("set", `${name}=${value}`);
  return post("/console/press", form, { eventId });
}

export async function leave() {
  await fetch("/console/leave", { method: "POST", headers: { "X-CSRF": csrf } });
  location.assign("/console");
}

// The room's newest lines (the page says after which one), then whatever comes. `onState` hears "here" and "lost". After a connection was
// lost, what was missed comes line by line, as if it came now.
export async function follow({ onHistory, onLine, onState }) {
  let cursor = Number(document.querySelector('meta[name="cursor"]').content);
  let wait_ms = 1000;
  let isFirst = true;
  let source = null;

  async function readHistory() {
    for (let more = true; more; ) {
      const answer = await fetch(`/console/lines?after=${cursor}`);
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(`lines: ${answer.status}`);
      const page = await answer.json();
      if (isFirst) onHistory(page.lines);
      else page.lines.forEach(onLine);
      cursor = page.cursor;
      more = page.more;
    }
  }

  async function connect() {
    try {
      await readHistory();
    } catch {
      return again();
    }
    isFirst = false;
    source = new EventSource(`/console/stream?after=${cursor}`);
    source.onopen = () => {
      wait_ms = 1000;
      onState("here");
    };
    source.addEventListener("line", (event) => {
      cursor = Math.max(cursor, Number(event.lastEventId));
      onLine(JSON.parse(event.data));
    });
    source.addEventListener("signed-out", () => location.reload());
    // The browser reconnects by itself until an answer is no stream; then we start over.
    source.onerror = () => {
      onState("lost");
      if (source.readyState === EventSource.CLOSED) again();
    };
  }

  function again() {
    onState("lost");
    setTimeout(connect, wait_ms);
    wait_ms = Math.min(wait_ms * 2, 15000);
  }

  await connect();
}
