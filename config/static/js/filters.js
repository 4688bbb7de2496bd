// <form data-autosubmit>: sends itself 300 ms after a change. Its "Filtrer" button stays for the keyboard.
export function filters(root) {
  let timer;
  root.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (!form) return;
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(), 300);
  });
}
