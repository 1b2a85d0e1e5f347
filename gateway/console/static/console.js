// Keeps what is on the page current, and shows on either side of a message what belongs together. Every page reads as well without.
"use strict";

(function () {
  const PATIENCE_MS = 5000;
  const SOON_MS = 400;
  let waiting = null;
  let running = false;

  // Each element with data-refresh is replaced by its namesake of the same page, asked for again.
  async function refresh() {
    const parts = document.querySelectorAll("[data-refresh][id]");
    if (!parts.length || running || document.hidden) return;
    running = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", headers: { "X-Refresh": "1" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      parts.forEach((part) => {
        const newer = fresh.getElementById(part.id);
        if (newer && newer.innerHTML !== part.innerHTML && !inUse(part)) part.replaceWith(newer);
      });
    } catch (problem) {
      // The gateway is not there just now; the next turn asks again.
    } finally {
      running = false;
    }
  }

  // Nothing is taken away under somebody's hands: a focus, a selection, an opened table.
  function inUse(part) {
    const chosen = document.getSelection();
    return (
      part.contains(document.activeElement) ||
      (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode)) ||
      part.querySelector("details[open]")
    );
  }

  function soon() {
    if (waiting === null) {
      waiting = setTimeout(() => {
        waiting = null;
        refresh();
      }, SOON_MS);
    }
  }

  // With an event stream the page follows what happens; without one, or when it breaks off, it looks every few seconds.
  function follow() {
    const stream = document.body.dataset.events;
    if (!stream || !("EventSource" in window)) {
      setInterval(refresh, PATIENCE_MS);
      return;
    }
    const source = new EventSource(stream);
    source.onmessage = soon;
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setInterval(refresh, PATIENCE_MS);
    };
  }

  // What a place of the document became in the message, and back.
  function light(event) {
    document.querySelectorAll(".lit").forEach((other) => other.classList.remove("lit"));
    const link = event.target.closest && event.target.closest("[data-link]");
    if (!link) return;
    document.querySelectorAll(`[data-link="${link.dataset.link}"]`).forEach((other) => other.classList.add("lit"));
  }

  document.querySelectorAll(".joined").forEach((sides) => {
    sides.addEventListener("mouseover", light);
    sides.addEventListener("focusin", light);
  });
  if (document.querySelector("[data-refresh]")) follow();
})();
