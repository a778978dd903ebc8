// What the pages do beside being pages; each of them works without it. Text is only ever put in as text.
"use strict";

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
    if (word.stage === "resolved") events.close();
    // In another stage other things can be done, and the timeline has a line more; what somebody is writing is left to them.
    if (hasMoved && !document.activeElement?.value) location.reload();
  });
}

// A job that runs is looked at again.
for (const place of document.querySelectorAll("[data-refresh]")) {
  setTimeout(() => location.reload(), 1000 * Number(place.dataset.refresh));
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
    else if (note) note.textContent = " units; the chart and the groups show the newest";
  };
  go(sums.dataset.more);
}

// What could come next in a query.
for (const field of document.querySelectorAll("[data-complete]")) {
  const list = document.getElementById("suggestions");
  const bytes = (text) => new TextEncoder().encode(text);
  let found = [];
  let chosen = -1;
  const close = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); found = []; chosen = -1; field.removeAttribute("aria-activedescendant"); };
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
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(one); });
      return item;
    }));
    list.hidden = found.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    if (chosen >= 0) field.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
  };
  const look = async () => {
    const cursor = bytes(field.value.slice(0, field.selectionStart)).length;
    const ask = new URLSearchParams({ q: field.value, cursor });
    const answer = await fetch(`${field.dataset.complete}?${ask}`);
    found = answer.ok ? (await answer.json()).filter((one) => one.text) : [];
    chosen = -1;
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
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length)) % found.length;
      show();
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
      event.preventDefault();
      take(found[chosen]);
    } else if (event.key === "Escape") close();
  });
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

// The keyboard: / goes to the query.
document.addEventListener("keydown", (event) => {
  const field = document.getElementById("q");
  if (event.key === "/" && field && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "")) {
    event.preventDefault();
    field.focus();
  }
});
