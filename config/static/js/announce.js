// What a sighted person sees change, said: counts, saves, swaps; the focus follows a swap; a lost connection stays shown.
export function announce(root) {
  const live = root.getElementById("live");
  const lost = root.getElementById("connection-lost");
  const say = (text) => { if (live) { live.textContent = ""; setTimeout(() => { live.textContent = text; }, 50); } };

  root.querySelector("[data-focus]")?.focus();
  root.addEventListener("say", (event) => say(event.detail));
  root.addEventListener("htmx:beforeRequest", (event) => event.detail.target?.setAttribute("aria-busy", "true"));
  root.addEventListener("htmx:afterRequest", (event) => event.detail.target?.removeAttribute("aria-busy"));
  root.addEventListener("htmx:afterSwap", (event) => {
    const zone = event.detail.target;
    if (lost) lost.hidden = true;
    const focus = zone?.querySelector("[data-focus]");
    if (focus) { focus.tabIndex = -1; focus.focus(); }
    const said = zone?.querySelector("[data-say]");
    if (said) say(said.dataset.say);
  });
  const fail = (event) => {
    // 401 and 403 on a partial request: the session is over, and the whole page knows where to sign in.
    if ([401, 403].includes(event.detail.xhr?.status)) { window.location.reload(); return; }
    if (lost) { lost.hidden = false; say(lost.textContent.trim()); }
  };
  for (const kind of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) root.addEventListener(kind, fail);
}
