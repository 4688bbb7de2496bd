// data-preview="ID" on a field: presses the button ID (the preview button) 400 ms after the last key.
export function preview(root) {
  let timer;
  root.addEventListener("input", (event) => {
    const id = event.target.closest("[data-preview]")?.dataset.preview;
    const button = id && document.getElementById(id);
    if (!button) return;
    clearTimeout(timer);
    timer = setTimeout(() => button.form.requestSubmit(button), 400);
  });
}
