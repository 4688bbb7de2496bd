// <div data-drop> around a file field: a file dropped there fills the field; [data-file-name] shows its name.
export function dropzone(root) {
  const over = (event) => event.target.closest?.("[data-drop]");
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    root.addEventListener(kind, (event) => {
      const zone = over(event);
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("drop-over", kind === "dragenter" || kind === "dragover");
      if (kind !== "drop" || !event.dataTransfer.files.length) return;
      const field = zone.querySelector("input[type=file]");
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  root.addEventListener("change", (event) => {
    const place = over(event)?.querySelector("[data-file-name]");
    if (place) place.textContent = [...event.target.files].map((file) => file.name).join(", ");
  });
}
