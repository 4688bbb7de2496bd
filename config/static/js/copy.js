// <button hidden data-copy="text" data-done="Copié">: shown only where copying works.
export function copy(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.querySelector("span") ?? button;
    const before = label.textContent;
    label.textContent = button.dataset.done;
    button.dispatchEvent(new CustomEvent("say", { bubbles: true, detail: button.dataset.done }));
    setTimeout(() => { label.textContent = before; }, 2000);
  });
}
