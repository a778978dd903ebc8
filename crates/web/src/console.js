// What the pages do beside being pages; each of them works without it. Text is only ever put in as text.
"use strict";

// Whether somebody has written on this page, which is then not drawn anew under their hands.
const isWrittenOn = () => [...document.querySelectorAll("main input")].some((field) =>
  field.type === "checkbox" ? field.checked !== field.defaultChecked : field.type !== "hidden" && field.value !== field.defaultValue);

// Enter in a form of acts presses a button that does nothing; here it does not even leave the page.
document.addEventListener("submit", (event) => { if (event.submitter?.name === "enter") event.preventDefault(); });

// Choose all of a page.
for (const all of document.querySelectorAll("[data-all]")) {
  all.addEventListener("change", () => {
    for (const one of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) one.checked = all.checked;
  });
}

// The secret of an invitation stands behind the #, and goes from there into the form.
for (const field of document.querySelectorAll("[data-from-fragment]")) {
  if (location.hash.length > 1) {
    field.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }
}

// The name that an invitation is for: what its owner signs in with from then on.
for (const field of document.querySelectorAll("[data-invitation]")) {
  const look = async () => {
    const invitation = field.value.trim();
    if (!invitation) return;
    const answer = await fetch(field.dataset.invitation, { method: "POST", body: new URLSearchParams({ invitation }) }).catch(() => null);
    const name = answer?.ok ? (await answer.json()).name : null;
    const shown = document.createElement(name ? "strong" : "span");
    shown.textContent = name ?? field.dataset.unknown;
    document.querySelector("[data-name]").replaceChildren(shown);
    field.form.elements.username.value = name ?? "";
  };
  field.addEventListener("change", look);
  look();
}

// Whoever chooses a language there keeps the invitation: behind the #, as it came.
for (const form of document.querySelectorAll("form.languages")) {
  form.addEventListener("submit", () => {
    const invitation = document.querySelector("[data-from-fragment]")?.value.trim();
    if (!invitation) return;
    form.elements.to.value = location.pathname;
    form.action = `/language#${invitation}`;
  });
}

// Back from where somebody signed in: on to where they wanted to go, as a page of ours.
for (const go of document.querySelectorAll("[data-go]")) location.replace(go.href);

// How far an incident is: words of the server, by name.
for (const live of document.querySelectorAll("[data-events]")) {
  const events = new EventSource(live.dataset.events);
  events.addEventListener("message", (event) => {
    const word = JSON.parse(event.data);
    const stage = document.querySelector('[data-live="stage"]')?.firstElementChild;
    const hasMoved = stage && stage.textContent.trim() !== String(word.stage);
    for (const [name, value] of Object.entries(word)) {
      for (const place of document.querySelectorAll(`[data-live="${name}"]`)) {
        const shown = String(value ?? "");
        if (name === "stage") place.firstElementChild.textContent = shown;
        else if (place.textContent !== shown) place.textContent = shown;
      }
      for (const place of document.querySelectorAll(`[data-live-value="${name}"]`)) place.value = Number(value);
    }
    if (word.is_resolved) events.close();
    // In another stage other things can be done, and the timeline has a line more; what somebody is writing is left to them.
    if (hasMoved && !isWrittenOn()) location.reload();
  });
}

// What runs is looked at again.
for (const place of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => { if (!isWrittenOn()) location.reload(); }, 1000 * Number(place.dataset.refresh));
}

// Sums that were cut short are gone on with, until they are whole or the page is left.
for (const sums of document.querySelectorAll("[data-more]")) {
  const shown = sums.querySelector('[data-sum="units"]');
  const note = sums.querySelector(".so-far");
  let total = Number(shown.textContent);
  const go = async (before) => {
    const interval = new URLSearchParams(location.search).get("interval");
    const ask = new URLSearchParams({ q: sums.dataset.query, before });
    if (interval) ask.set("interval", interval);
    const answer = await fetch(`/explorer/sums?${ask}`);
    if (!answer.ok) return;
    const more = await answer.json();
    total += more.units;
    shown.textContent = String(total);
    if (more.next) await go(more.next);
    else if (note) note.textContent = sums.dataset.whole;
  };
  go(sums.dataset.more);
}

// What could come next in a query. Answers may come late and in another order: only that to the newest question counts, and a key that is pressed
// before it is there waits for it.
for (const field of document.querySelectorAll("[data-complete]")) {
  const list = document.getElementById("suggestions");
  const bytes = (text) => new TextEncoder().encode(text);
  let found = [];
  let chosen = -1;
  let asked = 0;
  let answered = 0;
  let waiting = [];
  const close = () => {
    asked += 1;
    answered = asked;
    waiting = [];
    found = [];
    chosen = -1;
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const take = (one) => {
    const all = bytes(field.value);
    const cursor = bytes(field.value.slice(0, field.selectionStart)).length;
    const decode = (part) => new TextDecoder().decode(part);
    const before = decode(all.slice(0, one.from)) + one.text;
    field.value = before + decode(all.slice(cursor));
    field.setSelectionRange(before.length, before.length);
    close();
    if (one.text.endsWith(":")) look();
  };
  const show = () => {
    list.replaceChildren(...found.map((one, at) => {
      const item = document.createElement("li");
      item.id = `suggestion-${at}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(at === chosen));
      item.textContent = one.hint || one.text;
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        // What was meant stands in the newest answer as well, or is no answer to what is written now.
        whenAnswered(() => { const same = found.find((other) => other.text === one.text); if (same) take(same); });
      });
      return item;
    }));
    list.hidden = found.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    if (chosen >= 0) field.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
    else field.removeAttribute("aria-activedescendant");
  };
  const whenAnswered = (act) => { if (asked === answered) act(); else waiting.push(act); };
  const look = async () => {
    asked += 1;
    waiting = [];
    const number = asked;
    const cursor = bytes(field.value.slice(0, field.selectionStart)).length;
    const ask = new URLSearchParams({ q: field.value, cursor });
    const answer = await fetch(`${field.dataset.complete}?${ask}`).catch(() => null);
    const all = answer?.ok ? await answer.json().catch(() => []) : [];
    if (number !== asked) return;
    answered = number;
    found = all.filter((one) => one.text);
    chosen = -1;
    show();
    const acts = waiting;
    waiting = [];
    for (const act of acts) act();
  };
  const step = (by) => {
    if (found.length === 0) return;
    chosen = chosen < 0 ? (by > 0 ? 0 : found.length - 1) : (chosen + by + found.length) % found.length;
    show();
  };
  list.setAttribute("role", "listbox");
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-controls", "suggestions");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
  field.addEventListener("input", look);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    const isWaiting = asked !== answered;
    if (list.hidden && !isWaiting) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      whenAnswered(() => step(by));
    } else if (event.key === "Enter" || event.key === "Tab") {
      // Without a choice, made or under way, the query is sent as it is written.
      if (chosen < 0 && waiting.length === 0) return;
      event.preventDefault();
      whenAnswered(() => { if (chosen >= 0) take(found[chosen]); });
    } else if (["Escape", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) close();
  });
}

// What is on its way is asked about again, until it has arrived. A page about one message is then drawn anew, unless somebody writes on it.
{
  const asks_max = 60;
  const places = () => [...document.querySelectorAll("[data-unit]")];
  const show = (one) => {
    let has_changed = false;
    for (const place of places()) {
      if (place.dataset.unit !== `${one.mail} ${one.recipient}` || place.textContent === one.shown) continue;
      place.textContent = one.shown;
      place.className = `chip ${one.class}`;
      if (!one.moves) place.removeAttribute("data-unit");
      has_changed = true;
    }
    return has_changed;
  };
  const look = async (wait, left) => {
    const mails = [...new Set(places().map((place) => place.dataset.unit.split(" ")[0]))].slice(0, 50);
    if (mails.length === 0 || left === 0) return;
    const answer = await fetch(`/states?${mails.map((mail) => `mail=${encodeURIComponent(mail)}`).join("&")}`).catch(() => null);
    if (answer?.redirected) return;
    const states = answer?.ok ? await answer.json().catch(() => []) : [];
    const has_changed = states.map(show).includes(true);
    if (has_changed && document.querySelector("[data-drawn-anew]") && !isWrittenOn()) location.reload();
    setTimeout(look, wait, has_changed ? 1000 : Math.min(wait * 1.2, 15000), has_changed ? asks_max : left - 1);
  };
  setTimeout(look, 1000, 1000, asks_max);
}

// A span of the chart, drawn with the pointer, is asked for as a whole; a click is still the link of its column.
for (const chart of document.querySelectorAll("[data-brush]")) {
  const columns = [...chart.querySelectorAll("a[data-from]")];
  const under = (event) => columns.indexOf(document.elementFromPoint(event.clientX, event.clientY)?.closest("a[data-from]"));
  let from = -1;
  let to = -1;
  const show = () => columns.forEach((one, at) => one.classList.toggle("drawn", from >= 0 && at >= Math.min(from, to) && at <= Math.max(from, to)));
  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => { from = to = under(event); });
  chart.addEventListener("pointermove", (event) => {
    const at = under(event);
    if (from >= 0 && at >= 0 && at !== to) { to = at; show(); }
  });
  chart.addEventListener("click", (event) => {
    if (from >= 0 && from !== to) {
      event.preventDefault();
      const query = chart.dataset.brush.trim();
      const time = `received:${columns[Math.min(from, to)].dataset.from}..${columns[Math.max(from, to)].dataset.to}`;
      location.assign(`/explorer?${new URLSearchParams({ q: query ? `(${query}) ${time}` : time })}`);
    }
    from = to = -1;
    show();
  });
  addEventListener("pointerup", (event) => {
    // Drawn to where no column is: the click that follows is not ours.
    if (from >= 0 && from !== to && !chart.contains(event.target)) { from = to = -1; show(); }
  });
}

// On a narrow screen the menu is shut until somebody opens it.
const menu = document.querySelector("details.menu");
if (menu) {
  const narrow = matchMedia("(max-width: 40rem)");
  const fit = () => { menu.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
}

// The keyboard: / goes to the query.
document.addEventListener("keydown", (event) => {
  const field = document.getElementById("q");
  if (event.key === "/" && field && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "")) {
    event.preventDefault();
    field.focus();
  }
});
