// Fetches the page again while somebody looks at it, and puts the new content in place of the old.
"use strict";
const live = document.getElementById("live");
const parts = ["main", "#mails", "#dead-letters"];

async function refresh() {
  const busy = document.activeElement?.matches("input, button") || String(getSelection()) !== "";
  const started = performance.now();
  if (!document.hidden && !busy) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const [old, now] = [document.querySelector(part), fresh.querySelector(part)];
        if (!now) continue;
        for (const open of old.querySelectorAll("details[open][id]")) {
          now.querySelector("#" + open.id)?.setAttribute("open", "");
        }
        if (old.outerHTML !== now.outerHTML) old.replaceWith(now);
      }
      live.textContent = "";
    } catch {
      live.textContent = "not running";
    }
  }
  // A page that is slow to make is asked for less often.
  setTimeout(refresh, Math.max(2000, 20 * (performance.now() - started)));
}
setTimeout(refresh, 2000);
