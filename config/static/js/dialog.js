// <a href="/page-de-confirmation/" data-dialog="ID">: opens <dialog id="ID"> instead of the page.
// [data-close] closes; the browser gives the focus back to what opened it.
export function dialog(root) {
  root.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const box = opener && document.getElementById(opener.dataset.dialog);
    if (box?.showModal) {
      event.preventDefault();
      box.showModal();
      return;
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  });
}
